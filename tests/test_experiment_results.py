"""What becomes of finished variants: the table, the page, the picture, and the index."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from scored_tables import scored_table as scored
from segml import plots
from segml.description import LENGTH
from segml.experiment import Study, index, load
from segml.experiment.comparison import COLUMNS, comparison
from segml.experiment.kept import Finished, Kept
from segml.experiment.metrics import ETA2
from segml.experiment.page import described, page
from segml.experiment.picture import draw, save
from segml.schema import OutputError
from segml.segments import FoundSegments

REDRAWN = {"resamples": 50, "seed": 0}
EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def finished(noise: float = 1.0, **changes: Any) -> Finished:
    given: dict[str, Any] = {
        "command": "backtest",
        "config_digest": "0123456789ab",
        "data_digest": "feedfacefeedface",
        "source": "demo",
        "as_of": "2025-10-01",
        "dates": ("2025-01-01", "2025-04-01"),
        "metrics": {
            "churn/roc_auc": 0.75,
            "churn/roc_auc_low": 0.7,
            "churn/roc_auc_high": 0.8,
            "data/customers": 900.0,
        },
        "notices": (),
        "customers": 200,
        "seconds": 4.2,
        "versions": {"segml": "0.4", "python": "3.11.7"},
        "run_id": "abc",
        "scored": scored(noise=noise),
        "tested": FoundSegments().tested,
    }
    return Finished(**{**given, **changes})


def segmented(codes: list[int], revenue: list[float]) -> pd.DataFrame:
    names = [f"c{place}" for place in range(len(codes))]
    return pd.DataFrame({"customer_id": names, "segment": codes, "log_revenue": revenue})


@pytest.fixture
def study(tmp_path: Path) -> Study:
    text = """
question: Does it | pay?
answer: Yes.
variants: {plain: , direct: {churn.model: direct}, other: {churn.spacing_days: 60}}
metrics: [churn/roc_auc, data/customers]
"""
    (tmp_path / "pays.yaml").write_text(text, encoding="utf-8")
    return load(
        tmp_path / "pays.yaml", ["tracking.uri=postgresql://me:s3cret@db/x", "data.customers=postgresql://me:pa55@db/x"]
    )


@pytest.fixture
def found() -> dict[str, list[Finished]]:
    better = {"churn/roc_auc": 0.85, "churn/roc_auc_low": 0.8, "churn/roc_auc_high": 0.9, "data/customers": 800.0}
    return {"plain": [finished(2.0)], "direct": [finished(0.3, metrics=better, notices=("few dates",))]}


def test_a_finished_variant_is_found_again_by_command_configuration_and_data(tmp_path: Path) -> None:
    kept = Kept(tmp_path / "study")
    assert kept.find("backtest", "0123456789ab") is None
    kept.keep(finished(tested=segmented([1, 2], [0.5, 1.5])))
    again = kept.find("backtest", "0123456789ab", "feedfacefeedface")
    assert again is not None
    pd.testing.assert_frame_equal(again.scored, finished().scored)
    pd.testing.assert_frame_equal(again.tested, segmented([1, 2], [0.5, 1.5]))
    tables = {"scored": again.scored, "tested": again.tested}
    assert vars(again) == vars(finished()) | tables
    assert kept.find("train", "0123456789ab", "feedfacefeedface") is None
    assert kept.find("backtest", "0123456789ab", "0000000000000000") is None
    assert (tmp_path / "study" / "variants" / ".gitignore").read_text() == "*\n"


def test_a_spoilt_file_is_named(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.keep(finished())
    (tmp_path / "variants" / "0123456789ab.json").write_text("{")
    with pytest.raises(
        OutputError, match=r"0123456789ab\.json cannot be read .*; remove it, and the variant runs anew"
    ):
        kept.find("backtest", "0123456789ab")


def test_the_table_has_a_row_a_variant_and_metric_with_paired_differences(found: dict[str, list[Finished]]) -> None:
    made = comparison(found, "plain", ["churn/roc_auc", "data/customers"], **REDRAWN)
    assert list(made.columns) == list(COLUMNS)
    assert list(zip(made["variant"], made["metric"], strict=True)) == [
        ("plain", "churn/roc_auc"),
        ("plain", "data/customers"),
        ("direct", "churn/roc_auc"),
        ("direct", "data/customers"),
    ]
    plain, _, direct, customers = made.to_dict("records")
    assert (plain["value"], plain["low"], plain["high"], plain["customers"], plain["snapshots"]) == (
        0.75, 0.7, 0.8, 200, 400,
    )  # fmt: skip
    assert np.isnan(plain["difference"])
    assert 0 < direct["difference_low"] < direct["difference"] < direct["difference_high"]
    assert customers["difference"] == -100
    assert np.isnan(customers["difference_low"])


def test_without_the_reference_there_are_no_differences(found: dict[str, list[Finished]]) -> None:
    made = comparison({"direct": found["direct"]}, "plain", ["churn/roc_auc"], **REDRAWN)
    assert made["value"].tolist() == [0.85]
    assert made["difference"].isna().all()


def test_over_seeds_values_are_means_with_intervals_of_their_own() -> None:
    runs = [finished(metrics={"churn/roc_auc": value, "data/customers": 10.0}) for value in (0.7, 0.8)]
    made = comparison({"plain": runs}, "plain", ["churn/roc_auc", "data/customers"], **REDRAWN).to_dict("records")
    assert made[1]["value"] == 10.0
    assert made[0]["seeds"] == 2
    assert made[0]["low"] < made[0]["value"] < made[0]["high"]


def test_found_segments_are_compared_on_the_customers_of_the_tested_period() -> None:
    rng = np.random.default_rng(0)
    revenue = [float(value) for value in np.repeat([0.0, 5.0], 50) + rng.normal(0, 0.5, 100)]
    telling, blind = [0] * 50 + [1] * 50, [0, 1] * 50
    found = {
        name: [finished(metrics={ETA2: value}, tested=segmented(codes, revenue))]
        for name, codes, value in (("blind", blind, 0.0), ("telling", telling, 0.9))
    }
    row = comparison(found, "blind", [ETA2], **REDRAWN).iloc[1]
    assert row["difference_low"] > 0.8
    found["telling"] = [replace(found["telling"][0], tested=segmented(telling, revenue[::-1]))]
    row = comparison(found, "blind", [ETA2], **REDRAWN).iloc[1]
    assert row["difference"] == pytest.approx(0.9)
    assert np.isnan(row["difference_low"])


def test_the_page_tells_question_answer_figures_and_what_was_run(
    study: Study, found: dict[str, list[Finished]]
) -> None:
    made = comparison(found, "plain", study.metrics, **REDRAWN)
    text = page(study, made, found, {"other": "no rows\nat all"}, resamples=50)
    assert text.startswith("# pays\n\nDoes it | pay?\n\n**Answer.** Yes.\n\n![")
    assert "| plain (reference) | .750 [.700, .800] |  | 900 |  | 200 |" in text
    assert "| direct | .850 [.800, .900] | **+." in text
    assert "| 800 | −100 | 200 |" in text
    assert "- **other** is not in the table: no rows at all" in text
    assert "test dates 2025-01-01, 2025-04-01; data demo (feedfacefeedface); versions segml 0.4, python 3.11.7." in text
    assert "| direct | `churn.model: direct` |" in text
    assert "- direct: few dates" in text
    told = f"{study.path.parent.name}/pays.yaml --set 'data.customers=postgresql://me:…@db/x'\n"
    assert f"```\npython -m segml.experiment {told}```" in text


def test_the_run_of_a_study_is_described_by_a_narrow_table_a_metric(
    study: Study, found: dict[str, list[Finished]]
) -> None:
    made = comparison(found, "plain", study.metrics, **REDRAWN)
    text = described(study, made, found, {"other": "no rows"}, resamples=50)
    assert text.startswith("Does it | pay?\n\n**Answer.** Yes.\n\n#### **churn/roc_auc**\n\n| variant&emsp; |")
    assert "| direct&emsp; | .850 \\[.800, .900\\]&emsp; | +." in text
    assert " \\* |" in text, "the difference is clear"
    assert "with a star where its interval leaves out zero" in text
    assert "other** is not in the table: no rows" in text
    assert "```\npython -m segml.experiment " in text
    many = {f"way {number} with a long name": found["direct"] for number in range(99)}
    assert len(described(study, made, many, {}, resamples=50)) <= LENGTH


def test_the_picture_shows_every_figure_and_its_interval(study: Study, found: dict[str, list[Finished]]) -> None:
    made = comparison(found, "plain", study.metrics, **REDRAWN)
    figure = draw(made, "plain", study.metrics)
    assert [ax.get_title(loc="left") for ax in figure.axes] == [
        "churn/roc_auc", "difference to plain", "data/customers", "difference to plain",
    ]  # fmt: skip
    points = [np.asarray(part.get_offsets()).tolist() for part in figure.axes[0].collections[1:]]
    assert points == [[[0.85, 1.0]], [[0.75, 0.0]]]


def test_the_picture_is_the_same_bytes_each_time(
    study: Study, found: dict[str, list[Finished]], tmp_path: Path
) -> None:
    made = comparison(found, "plain", study.metrics, **REDRAWN)
    for name in ("one.png", "two.png"):
        save(draw(made, "plain", study.metrics), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_a_forest_plot_shows_points_intervals_and_the_line_where_nothing_differs() -> None:
    data = pd.DataFrame(
        {
            "name": ["reference", "$better$", "no interval"],
            "value": [0.0, 0.2, -0.1],
            "low": [np.nan, 0.1, np.nan],
            "high": [np.nan, 0.3, np.nan],
            "is_reference": [True, False, False],
        }
    )
    before = data.copy()
    ax = plots.plot_forest(data, Figure(layout="constrained").add_subplot(), line=0.0)
    intervals, others, reference = ax.collections
    assert [np.asarray(path.vertices).tolist() for path in intervals.get_paths()] == [[[0.1, 1.0], [0.3, 1.0]]]
    assert np.asarray(others.get_offsets()).tolist() == [[0.2, 1.0], [-0.1, 2.0]]
    assert np.asarray(reference.get_offsets()).tolist() == [[0.0, 0.0]]
    assert list(np.asarray(ax.lines[0].get_xdata())) == [0.0, 0.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["reference", "$better$", "no interval"]
    pd.testing.assert_frame_equal(data, before)


def test_the_index_has_a_row_a_study_and_leaves_the_others_alone(tmp_path: Path) -> None:
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "b.yaml").write_text(
        "question: Which | one?\nanswer: |\n  This\n  one.\nvariants: {a: }", encoding="utf-8"
    )
    assert index.update(folder) == 1
    row = "| [Which \\| one?](b/results.md) | This one. | `python -m segml.experiment experiments/b.yaml` |"
    lines = (folder / "README.md").read_text(encoding="utf-8").splitlines()
    assert lines[-1] == row
    other = "| [By hand](hand/README.md) | no | `python hand/study.py` |"
    (folder / "README.md").write_text("\n".join([*lines[:-1], row.replace("This", "That"), other, "", "After."]) + "\n")
    index.update(folder)
    assert (folder / "README.md").read_text(encoding="utf-8").splitlines()[-4:] == [other, row, "", "After."]


def test_an_index_without_a_table_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(OutputError, match=r"README\.md has no table of studies; add one that begins with"):
        index.update(tmp_path)
    with pytest.raises(OutputError, match="is no folder"):
        index.update(tmp_path / "nowhere")


def test_the_index_of_the_project_is_true() -> None:
    text = (EXPERIMENTS / "README.md").read_text(encoding="utf-8")
    assert index.with_rows(text, index.rows(EXPERIMENTS)) == text, "run: python -m segml.experiment --index experiments"
