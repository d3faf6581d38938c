"""What people see in a notebook: a real kernel runs cells, and the outputs that would be stored are looked at."""

import os
import re
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from segml import plots

pytestmark = pytest.mark.slow

ONE_LINERS = [line.strip() for line in (plots.__doc__ or "").splitlines() if line.strip().startswith("plot_")]
"""As the documentation has them."""

CELLS = {
    "prepare": """
print("before")
import segml
data = segml.prepare("demo", settings={
    "demo.customers": 200, "churn.boosting.max_iter": 20, "churn.bootstrap": 20, "churn.max_snapshots": 4,
    "segments.clusters.bootstrap": 4, "segments.clusters.candidates": ["kmeans"],
    "segments.clusters.kmeans.most_k": 4, "segments.interval_resamples": 10,
})
print("after")""",
    "data": "data",
    "ledger": "data.ledger",
    "train": "training = data.train()\ntraining",
    "near miss in a module": "segml.prepar",
    "near miss in an object": "data.feature()",
    "near miss in the configuration": "data.config.churn.bootsrap",
    "wrong input": "segml.prepare(data.to_pandas().drop(columns='amount').drop(columns='quantity'))",
    "a command": """
from segml.data.__main__ import main
main(["check", "--set", "demo.customers=50"]);""",
    **{line: f"ax = segml.plots.{line}" for line in ONE_LINERS},
}


@pytest.fixture(scope="module")
def outputs() -> dict[str, list[Any]]:
    """The outputs of each cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS.values()]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    as_people_have_it = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", allow_errors=True)
    client.execute(env=as_people_have_it)
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def shown(outputs: list[Any]) -> list[Any]:
    """Return the outputs that show something: a line of progress that has vanished leaves an empty one."""
    return [output for output in outputs if output.get("data", {"": ""})]


def test_progress_leaves_nothing_and_what_was_printed_stays(outputs: dict[str, list[Any]]) -> None:
    kinds = [output.output_type for output in outputs["prepare"]]
    assert kinds == ["stream", "display_data", "stream"]
    assert [output.text for output in shown(outputs["prepare"])] == ["before\n", "after\n"]
    assert [output.output_type for output in shown(outputs["train"])] == ["execute_result"]


@pytest.mark.parametrize("cell", ["data", "ledger", "train"])
def test_objects_show_html_and_text(outputs: dict[str, list[Any]], cell: str) -> None:
    (result,) = shown(outputs[cell])
    assert set(result.data) == {"text/html", "text/plain"}
    assert "<table>" in result.data["text/html"]
    assert "customers" in result.data["text/plain"]


def test_a_command_prints_its_lines_as_one_text(outputs: dict[str, list[Any]]) -> None:
    printed = [output for output in shown(outputs["a command"]) if output.get("name") != "stderr"]
    assert {output.output_type for output in printed} == {"stream"}
    text = "".join(output.text for output in printed)
    assert text.index("Cleaning ledger") < text.index("lines and money in = kept + taken away")


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("near miss in a module", "AttributeError: module 'segml' has no attribute 'prepar'; did you mean 'prepare'?"),
        ("near miss in an object", "'Dataset' object has no attribute 'feature'; did you mean 'features'?"),
        ("near miss in the configuration", "no attribute 'bootsrap'; did you mean 'bootstrap'?"),
        ("wrong input", "DataError: transactions in the given table: needs 'amount', or 'quantity' and 'unit_price'"),
    ],
)
def test_an_error_says_once_what_was_meant(outputs: dict[str, list[Any]], cell: str, message: str) -> None:
    (error,) = shown(outputs[cell])
    trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    assert message in trace.splitlines()[-1]
    assert trace.lower().count("did you mean") <= 1


@pytest.mark.parametrize("cell", ONE_LINERS)
def test_a_documented_line_draws_one_picture(outputs: dict[str, list[Any]], cell: str) -> None:
    (picture,) = outputs[cell]
    assert picture.output_type == "display_data", picture.get("traceback", picture)
    assert "image/png" in picture.data
