"""MLflow's own commands on the registered model, and ours: the same decisions for the same lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import requests

from model_folder import copied, predicted, resealed, scorer_of, served, with_versions
from segml import pipeline, score, serving

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:.*:FutureWarning")]

AS_OF = {"as_of": "2025-12-01"}
CUSTOMERS = 30
OLD = "0.0.9"


@pytest.fixture(scope="module")
def folder(small_training: pipeline.Training, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another release than the one that is installed: its own code must score where MLflow runs it."""
    place = tmp_path_factory.mktemp("artefact")
    serving.save(small_training.scorer, place / "saved")
    other = copied(place / "saved", place)
    package = other / "code" / "segml" / "__init__.py"
    text = package.read_text(encoding="utf-8")
    assert '__version__ = "' in text
    package.write_text(f'{text}\n__version__ = "{OLD}"\n', encoding="utf-8")
    with_versions(scorer_of(other), segml=OLD)
    resealed(other)
    return other


@pytest.fixture(scope="module")
def lines(small_training: pipeline.Training) -> pd.DataFrame:
    """Order lines with times as ISO text, nulls, and leading zeros in numbers of articles."""
    table: pd.DataFrame = small_training.prepared.lines.to_pyarrow().to_pandas()
    chosen = sorted(table["customer_id"].unique())[:CUSTOMERS]
    kept = table[table["cancelled_at"].isna() & table["customer_id"].isin(chosen)].drop(columns="cancelled_at")
    return kept.assign(ordered_at=kept["ordered_at"].dt.strftime("%Y-%m-%dT%H:%M:%S"), cost=None)


@pytest.fixture(scope="module")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log.txt"
    with served(folder, log) as address:
        yield address
    assert "ModelWarning" not in log.read_text(), "the model's own code scored"


@pytest.fixture(scope="module")
def expected(folder: Path, lines: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What our command writes for the lines as a CSV file, at an as-of date."""
    return scored(folder, lines, tmp_path_factory.mktemp("scored"), ["--as-of", AS_OF["as_of"]])


def scored(folder: Path, lines: pd.DataFrame, place: Path, options: list[str]) -> pd.DataFrame:
    lines.to_csv(place / "orders.csv", index=False)
    settings = [f"data.transactions={place / 'orders.csv'}", f"tracking.uri=sqlite:///{place / 'mlflow.db'}"]
    words = ["--model", str(folder), "--output", str(place / "decisions.parquet"), *options]
    assert score.main([*words, *(part for value in settings for part in ("--set", value))]) == 0
    return pd.read_parquet(place / "decisions.parquet")


def strictly(text: str) -> Any:
    """JSON as other languages read it: NaN is none."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def as_json(decisions: pd.DataFrame) -> list[dict[str, Any]]:
    rows = decisions.astype(object).where(decisions.notna(), None).to_dict("records")
    return [
        {str(name): cell.isoformat() if isinstance(cell, pd.Timestamp) else cell for name, cell in row.items()}
        for row in rows
    ]


def records(lines: pd.DataFrame) -> list[dict[str, Any]]:
    return as_json(lines)


def split(lines: pd.DataFrame) -> dict[str, Any]:
    rows = as_json(lines)
    return {"columns": list(lines.columns), "data": [list(row.values()) for row in rows]}


def ask(server: str, **request: Any) -> requests.Response:
    return requests.post(server, json=request, timeout=120)


def test_the_server_and_our_command_give_the_same_decisions(
    server: str, lines: pd.DataFrame, expected: pd.DataFrame
) -> None:
    told = as_json(expected)
    assert any(row["p_churn"] is not None for row in told)
    for request in ({"dataframe_split": split(lines)}, {"dataframe_records": records(lines)}):
        answer = ask(server, **request, params=AS_OF)
        assert answer.status_code == 200, answer.text
        assert strictly(answer.text)["predictions"] == told


def test_the_example_in_the_folder_is_a_request(server: str, folder: Path) -> None:
    body = (folder / "serving_input_example.json").read_bytes()
    answer = requests.post(server, data=body, headers={"Content-Type": "application/json"}, timeout=120)
    assert answer.status_code == 200, answer.text
    assert len(strictly(answer.text)["predictions"]) == serving.EXAMPLE_CUSTOMERS


@pytest.mark.parametrize(
    ("spoil", "params", "told"),
    [
        ({"ordered_at": None}, {}, "ordered_at"),
        ({"ordered_at": "soon"}, {}, "are not ISO 8601"),
        ({"amount": "much"}, {}, "none of its"),
        ({}, {"as_of": "01.12.2025"}, "must be a date of the form YYYY-MM-DD"),
        ({}, {"as_of": "2035-01-01"}, "lies outside the data"),
        ({}, {"as_of": 20251201}, "as_of"),
    ],
)
def test_a_wrong_request_gets_a_message_and_no_rows(
    spoil: dict[str, Any], params: dict[str, Any], told: str, server: str, lines: pd.DataFrame
) -> None:
    answer = ask(server, dataframe_records=records(lines.head(8).assign(channel="secret-4711", **spoil)), params=params)
    assert answer.status_code == 400
    assert told in strictly(answer.text)["message"]
    assert "secret-4711" not in answer.text
    assert "Traceback" not in answer.text


def test_a_missing_column_and_no_rows_are_told(server: str, lines: pd.DataFrame) -> None:
    lacking = ask(server, dataframe_records=records(lines.head(8).drop(columns="ordered_at")))
    assert lacking.status_code == 400
    assert strictly(lacking.text)["message"].startswith("transactions lack columns ['ordered_at']; found [")
    empty = ask(server, dataframe_split=split(lines.head(0)))
    assert (empty.status_code, strictly(empty.text)["message"]) == (400, "transactions in the given table has no rows")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_mlflow_models_predict_and_our_command_give_the_same_decisions(
    kind: str, folder: Path, lines: pd.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / f"lines.{kind}"
    if kind == "csv":
        lines.to_csv(file, index=False)
    else:
        file.write_text(json.dumps({"dataframe_split": split(lines)}), encoding="utf-8")
    done = predicted(folder, file, kind)
    assert done.returncode == 0, done.stderr
    found = strictly(done.stdout[done.stdout.index('{"predictions"') :])["predictions"]
    assert found == as_json(scored(folder, lines, tmp_path, []))


def test_mlflow_models_predict_tells_what_is_wrong_in_one_line(
    folder: Path, lines: pd.DataFrame, tmp_path: Path
) -> None:
    lines.drop(columns="ordered_at").assign(channel="secret-4711").to_csv(tmp_path / "lines.csv", index=False)
    done = predicted(folder, tmp_path / "lines.csv", "csv")
    assert done.returncode == 2
    assert "Error: transactions lack columns ['ordered_at']; found [" in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret-4711" not in done.stdout + done.stderr
