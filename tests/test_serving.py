"""The registered model: raw transactions in, the decisions of the training run out, or a message."""

import ast
import json
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException
from mlflow.pyfunc.model import PythonModelContext
from pandas.testing import assert_frame_equal

import segml
from model_folder import changed, copied, registered, resealed, scorer_of, with_versions
from segml import config, pipeline, score, serving, store
from segml.actions import DECISIONS
from segml.data.simulate import simulate
from segml.schema import TRANSACTIONS, InputError, ModelError
from segml.serving_model import DecisionModel
from support import SMALL

pytestmark = pytest.mark.filterwarnings("ignore:.*:FutureWarning")

AS_OF = {"as_of": "2025-12-01"}
CUSTOMERS = 40
SECRET = "secret-4711"
NO_CONTEXT = PythonModelContext({}, {})  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def folder(small_training: pipeline.Training, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("artefact") / "model"
    serving.save(small_training.scorer, place)
    return place


@pytest.fixture(scope="module")
def model(folder: Path) -> Any:
    """The model as MLflow loads it."""
    import mlflow

    return mlflow.pyfunc.load_model(str(folder))


@pytest.fixture(scope="module")
def lines(small_training: pipeline.Training) -> pd.DataFrame:
    """Order lines of some customers, as a table that needs no customer cards."""
    table: pd.DataFrame = small_training.prepared.lines.to_pyarrow().to_pandas()
    chosen = sorted(table["customer_id"].unique())[:CUSTOMERS]
    standing = table[table["cancelled_at"].isna() & table["customer_id"].isin(chosen)]
    return standing.drop(columns="cancelled_at").sample(frac=1.0, random_state=0)


@pytest.fixture(scope="module")
def expected(model: Any, lines: pd.DataFrame) -> pd.DataFrame:
    decisions: pd.DataFrame = model.predict(lines, params=AS_OF)
    return decisions


@pytest.fixture
def run_id(folder: Path, store: config.TrackingConfig, monkeypatch: pytest.MonkeyPatch) -> str:
    """The run of a registered model ``segml``, version 1, champion."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", str(store.uri))
    return registered(folder, str(store.uri))


def test_the_model_decides_from_transactions_alone(expected: pd.DataFrame, small_training: pipeline.Training) -> None:
    trained = small_training.decided.decisions
    assert list(expected.columns) == [name for name in trained.columns if name in expected.columns]
    assert list(expected.columns)[: len(DECISIONS)] == list(DECISIONS)
    assert {"abc_xyz", "price_behaviour"} < set(expected.columns), "schemes that transactions alone can serve are on"
    assert expected["customer_id"].is_unique
    assert set(expected["as_of"]) == {pd.Timestamp("2025-12-01")}
    assert expected["p_churn"].notna().any()


def test_a_folder_and_the_training_run_agree(folder: Path, small_training: pipeline.Training) -> None:
    again = pipeline.score(small_training.prepared, serving.load(str(folder)))
    assert_frame_equal(again.decisions, small_training.decided.decisions, check_exact=True)


def times(spell: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda lines: lines.assign(ordered_at=lines["ordered_at"].dt.strftime(spell))


def loose(lines: pd.DataFrame) -> pd.DataFrame:
    """As programs send lines: any order, ISO text, columns of nulls, columns that nobody asked for."""
    nulls = lines.sort_values(["customer_id", "ordered_at"]).assign(cost=None, currency=None, exchange_rate=np.nan)
    return times("%Y-%m-%dT%H:%M:%S")(nulls).assign(remark="x")


def typed(lines: pd.DataFrame) -> pd.DataFrame:
    """As notebooks hold lines: zones, categories, nullable whole numbers."""
    kinds = {"channel": "category", "category": "category", "quantity": "Int64"}
    return lines.assign(ordered_at=lines["ordered_at"].dt.tz_localize("UTC")).astype(kinds)


SAME: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "as programs send them": loose,
    "as notebooks hold them": typed,
    "as Python objects": lambda lines: lines.astype(object).where(lines.notna(), None),
    "with ISO times in UTC": times("%Y-%m-%d %H:%M:%SZ"),
}


@pytest.mark.parametrize("alike", SAME.values(), ids=SAME)
def test_the_same_lines_in_another_spelling_get_the_same_decisions(
    alike: Callable[[pd.DataFrame], pd.DataFrame], model: Any, lines: pd.DataFrame, expected: pd.DataFrame
) -> None:
    given = alike(lines)
    before = given.copy(deep=True)
    assert_frame_equal(model.predict(given, params=AS_OF), expected, check_exact=True)
    assert_frame_equal(given, before, check_exact=True)


@pytest.mark.parametrize("kind", ["int64", "float64"])
def test_customers_may_be_numbered(
    kind: Literal["int64", "float64"], model: Any, lines: pd.DataFrame, expected: pd.DataFrame
) -> None:
    numbers = {name: 1000 + place for place, name in enumerate(expected["customer_id"])}
    given = lines.assign(customer_id=lines["customer_id"].map(numbers).astype(kind))
    numbered = expected.assign(customer_id=[str(number) for number in numbers.values()])
    assert_frame_equal(model.predict(given, params=AS_OF), numbered, check_exact=True, check_dtype=False)


def test_times_without_a_clock_are_midnights(model: Any, lines: pd.DataFrame) -> None:
    days = lines.assign(ordered_at=lines["ordered_at"].dt.normalize())
    as_text = model.predict(times("%Y-%m-%d")(lines), params=AS_OF)
    assert_frame_equal(as_text, model.predict(days, params=AS_OF), check_exact=True)


WRONG: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "a column under another name": (
        lambda lines: lines.rename(columns={"ordered_at": "order_date"}),
        r"^transactions lack columns \['ordered_at'\]; found \['customer_id', 'order_id'",
    ),
    "no money": (lambda lines: lines.drop(columns=["amount"]), "needs 'amount', or 'quantity' and 'unit_price'"),
    "numbers for times": (lambda lines: lines.assign(ordered_at=12.5), "'ordered_at': .* values are not ISO 8601"),
    "words for times": (lambda lines: lines.assign(ordered_at="soon"), "'ordered_at': .* are not ISO 8601"),
    "words for money": (lambda lines: lines.assign(amount="much"), "'amount': none of its .* values can be read"),
    "nested money": (
        lambda lines: lines.assign(amount=pd.Series([{"a": 1}] * len(lines), lines.index)),
        "'amount' is of type struct",
    ),
    "no rows": (lambda lines: lines.iloc[:0], "has no rows"),
    "no table": (lambda lines: "hello", r"lack columns \['customer_id', 'ordered_at'\]; found \[\]"),
    "endless money": (lambda lines: lines.assign(amount=np.inf), r"bad_amount took .* \(100.0%\)"),
    "money beyond belief": (lambda lines: lines.assign(amount=1e300), r"bad_amount took .* \(100.0%\)"),
    "returns only": (lambda lines: lines.assign(amount=-1.0), "cleaning leaves none|no purchase is left"),
    "all cancelled": (lambda lines: undone(lines.head(3)), "cleaning leaves none of 6 lines: cancellations took 6"),
}


def undone(lines: pd.DataFrame) -> pd.DataFrame:
    back = lines.assign(amount=-lines["amount"], quantity=-lines["quantity"], margin=-lines["margin"])
    return pd.concat([lines, back], ignore_index=True)


@pytest.mark.parametrize(("spoil", "told"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_scored_is_told_in_words(
    spoil: Callable[[pd.DataFrame], Any], told: str, model: Any, lines: pd.DataFrame
) -> None:
    given = spoil(lines.assign(channel=SECRET))
    with pytest.raises(InputError, match=told) as caught:
        model.predict(given)
    assert isinstance(caught.value, MlflowException)
    assert caught.value.error_code == "BAD_REQUEST"
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("as_of", "told"),
    [
        ("01.12.2025", "the parameter as_of is '01.12.2025'; it must be a date of the form YYYY-MM-DD"),
        ("2035-12-01", "as-of date 2035-12-01 lies outside the data"),
        ("2005-12-01", "as-of date 2005-12-01 lies outside the data"),
    ],
)
def test_a_moment_that_cannot_be_looked_back_from_is_told(
    as_of: str, told: str, model: Any, lines: pd.DataFrame
) -> None:
    with pytest.raises(InputError, match=told):
        model.predict(lines, params={"as_of": as_of})


def test_the_words_of_an_error_stay_whatever_a_server_puts_before_them(model: Any, lines: pd.DataFrame) -> None:
    with pytest.raises(InputError) as caught:
        model.predict(lines.drop(columns="ordered_at"))
    words = str(caught.value)
    caught.value.message = f"Failed to predict data '{lines}'. \nError: {words}"  # type: ignore[attr-defined]
    assert json.loads(caught.value.serialize_as_json())["message"] == words  # type: ignore[attr-defined]


def test_a_model_reads_iso_times_however_its_training_files_spelt_them(
    lines: pd.DataFrame, expected: pd.DataFrame, small_training: pipeline.Training
) -> None:
    scorer = small_training.scorer
    spelling = config.FormatConfig(date_format="%d.%m.%Y", decimal=",")
    data = scorer.config.data.model_copy(update={"format": spelling})
    model = DecisionModel()
    model.scorer = replace(scorer, config=scorer.config.model_copy(update={"data": data}))
    found = model.predict(NO_CONTEXT, times("%Y-%m-%dT%H:%M:%S")(lines), AS_OF)
    assert_frame_equal(found, expected, check_exact=True)


def test_a_bug_is_told_without_values(lines: pd.DataFrame, small_training: pipeline.Training) -> None:
    broken = DecisionModel()
    broken.scorer = pipeline.Scorer(small_training.scorer.config, None, SECRET, pd.Timestamp("2026-01-01"))  # type: ignore[arg-type]
    with pytest.raises(MlflowException, match="this is a bug in segml, not in your data: AttributeError") as caught:
        broken.predict(NO_CONTEXT, lines)
    assert caught.value.error_code == "INTERNAL_ERROR"
    assert SECRET not in str(caught.value)


def test_one_customer_is_scored(model: Any, lines: pd.DataFrame) -> None:
    chosen = lines["customer_id"].iloc[0]
    decisions = model.predict(lines[lines["customer_id"] == chosen])
    assert list(decisions["customer_id"]) == [chosen]


def test_the_example_is_a_request_that_works(folder: Path, model: Any) -> None:
    text = (folder / "serving_input_example.json").read_text(encoding="utf-8")
    request = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    table = request["dataframe_split"]
    decisions = model.predict(pd.DataFrame(table["data"], columns=table["columns"]), params=request["params"])
    assert len(decisions) == serving.EXAMPLE_CUSTOMERS
    assert len(table["data"]) < 100


def test_the_signature_names_all_columns_and_their_meaning(model: Any) -> None:
    assert model.metadata.get_input_schema().input_names() == list(TRANSACTIONS.names)
    assert model.metadata.signature.outputs.input_names() == list(DECISIONS)
    told = model.metadata.metadata["segml"]["columns"]
    assert list(told) == sorted(TRANSACTIONS.names)
    assert told["customer_id"] == "text, required: the buying company"


def test_the_folder_names_nothing_of_the_machine_that_trained(folder: Path) -> None:
    described = "".join(path.read_text(encoding="utf-8") for path in folder.iterdir() if path.is_file())
    assert str(Path(segml.__file__).parent) not in described
    assert "/tmp" not in described


def test_requirements_are_pinned_and_name_the_python(folder: Path) -> None:
    asked = (folder / "requirements.txt").read_text(encoding="utf-8").split()
    assert asked == [f"{name}=={metadata.version(name)}" for name in serving.REQUIRED]
    assert f"python: {store.versions(config.Config())['python']}" in (folder / "python_env.yaml").read_text()


def files_within(path: Path) -> Iterator[bytes]:
    """The content of a file, and of the members of an archive."""
    yield path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            yield from map(archive.read, archive.namelist())


def test_no_file_of_the_model_is_a_pickle(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".joblib"}]
    streams = [content for path in files for content in files_within(path)]
    assert not [content[:20] for content in streams if content[:1] == b"\x80"], "a pickle of protocol 2 and later"
    arrays = [content for content in streams if content[:6] == b"\x93NUMPY"]
    assert arrays
    assert not [content[:128] for content in arrays if b"'O'" in content[:128] or b"|O" in content[:128]]


def test_the_model_loads_where_pickles_are_forbidden(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    mlflow.pyfunc.load_model(str(folder))


def test_loading_for_our_own_commands_runs_nothing_of_the_folder(folder: Path, tmp_path: Path) -> None:
    evil = copied(folder, tmp_path)
    (evil / "serving_entry.py").write_text(f"open({str(tmp_path / 'it_ran')!r}, 'w')")
    (evil / "code" / "segml" / "__init__.py").write_text("raise SystemExit('it ran')")
    assert serving.load(str(evil)).config == serving.load(str(folder)).config
    assert not (tmp_path / "it_ran").exists()


def test_a_changed_manifest_is_refused_by_both_ways_of_loading(folder: Path, tmp_path: Path) -> None:
    import mlflow

    tampered = copied(folder, tmp_path)
    changed(scorer_of(tampered), trained_at="2020-01-01T00:00:00")
    for load in (serving.load, mlflow.pyfunc.load_model):
        with pytest.raises(ModelError, match=r"manifest\.json is not the file that was saved"):
            load(str(tampered))


def test_changed_code_is_refused_where_it_would_run(folder: Path, tmp_path: Path) -> None:
    import mlflow

    tampered = copied(folder, tmp_path)
    with (tampered / "code" / "segml" / "windows.py").open("a") as file:
        file.write("\n# a hand-made change\n")
    with pytest.raises(ModelError, match=r"the code in .* is not what was saved with the model"):
        mlflow.pyfunc.load_model(str(tampered))


def test_a_model_of_another_segml_says_whose_code_scores(folder: Path, tmp_path: Path) -> None:
    import mlflow

    other = copied(folder, tmp_path)
    with_versions(scorer_of(other), segml="0.0.9")
    resealed(other)
    told = rf"trained with segml 0\.0\.9 and scores with segml {segml.__version__}"
    with pytest.warns(store.ModelWarning, match=told):
        mlflow.pyfunc.load_model(str(other))


def test_a_registered_model_is_found_by_run_version_and_alias(run_id: str, folder: Path) -> None:
    uris = (f"runs:/{run_id}/model", "models:/segml/1", "models:/segml@champion")
    configs = [serving.load(uri).config for uri in uris]
    assert configs == [serving.load(str(folder)).config] * 3
    assert len({serving.identity(uri) for uri in (*uris, str(folder))}) == 1


@pytest.mark.parametrize(
    ("uri", "meant"),
    [
        ("models:/segml@champion", "models:/segml/1"),
        ("models:/segml@nobody", "models:/segml@nobody"),
        ("models:/segml/1", "models:/segml/1"),
        ("a@folder/model", "a@folder/model"),
    ],
)
def test_an_alias_is_pinned_to_the_version_that_it_stands_for(uri: str, meant: str, run_id: str) -> None:
    assert serving.pinned(uri) == meant


@pytest.mark.parametrize("uri", ["models:/segml@nobody", "models:/segml/7"])
def test_a_wrong_alias_or_version_names_those_that_exist(uri: str, run_id: str) -> None:
    for look in (serving.load, serving.identity):
        with pytest.raises(ModelError, match=r"; registered are the versions 1, @champion \(1\)"):
            look(uri)


def test_a_wrong_name_is_told(run_id: str) -> None:
    with pytest.raises(ModelError, match="no model 'sgml' is registered there; give a folder that training left"):
        serving.load("models:/sgml/1")


def test_what_is_no_model_is_explained(tmp_path: Path, store: config.TrackingConfig) -> None:
    with pytest.raises(ModelError, match="holds no segml model: its MLmodel tells no checksum"):
        serving.load(str(tmp_path))
    with pytest.raises(ModelError, match=r"cannot be loaded .*; give a folder that training left"):
        serving.load(str(tmp_path / "nowhere"))


def test_the_score_command_writes_the_decisions_of_the_training_run(
    small_training: pipeline.Training, folder: Path, store: config.TrackingConfig, tmp_path: Path
) -> None:
    world = simulate(config.load(None, SMALL).demo)
    world.transactions.to_parquet(tmp_path / "orders.parquet")
    extra = {name: getattr(world, name) for name in ("customers", "usage", "contracts", "touches")}
    for name, table in extra.items():
        table.to_parquet(tmp_path / f"{name}.parquet")
    overrides = [
        f"tracking.uri={store.uri}",
        f"data.transactions={tmp_path / 'orders.parquet'}",
        *(f"data.{name}={tmp_path / f'{name}.parquet'}" for name in extra),
    ]
    arguments = ["--model", str(folder), "--output", str(tmp_path / "decisions.parquet")]
    assert score.main([*arguments, *(part for value in overrides for part in ("--set", value))]) == 0
    written = pd.read_parquet(tmp_path / "decisions.parquet")
    assert_frame_equal(written, small_training.decided.decisions, check_dtype=False, check_exact=True)


def test_the_score_command_learns_of_other_versions(folder: Path, tmp_path: Path) -> None:
    other = copied(folder, tmp_path)
    with_versions(scorer_of(other), segml="0.0.9")
    resealed(other)
    scorer, remarks = score._load(str(other))
    assert scorer.config == serving.load(str(folder)).config
    assert ["trained with segml 0.0.9 and scores with segml" in remark for remark in remarks] == [True]


def test_the_score_command_names_the_formats_it_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert score.main(["--model", "nowhere", "--output", "decisions.docx"]) == 2
    assert "must end in .parquet or .csv; found '.docx'" in capsys.readouterr().err


def imported_at_once(module: str) -> Iterator[str]:
    """The modules that a module imports while it is imported itself."""
    tree = ast.parse(Path(str(import_module(module).__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (name for alias in node.names if (name := f"{node.module}.{alias.name}") in sys.modules)


def packages_of_the_served_model() -> set[str]:
    """The packages that loading the model imports, as far as our own code asks for them."""
    seen, waiting = set(), ["segml.serving_model"]
    while waiting:
        module = waiting.pop()
        seen.add(module)
        waiting += [name for name in imported_at_once(module) if name.startswith("segml") and name not in seen]
    return {name.partition(".")[0] for module in seen for name in imported_at_once(module)} - {"segml"}


def test_a_served_model_asks_for_all_packages_that_its_code_imports() -> None:
    distributions = metadata.packages_distributions()
    needed = {distributions[name][0].lower() for name in packages_of_the_served_model() if name in distributions}
    brought_by_mlflow = {"mlflow-skinny", "mlflow-tracing", "click"}
    assert needed <= {name.lower() for name in serving.REQUIRED} | brought_by_mlflow
    assert "scikit-learn" in needed


def test_a_served_model_imports_nothing_that_draws() -> None:
    assert not packages_of_the_served_model() & {"matplotlib", "jinja2", "IPython"}
