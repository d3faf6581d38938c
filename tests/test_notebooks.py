"""The notebooks: what is committed is whole and tidy, and running them gives it again."""

import base64
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

import run
from difference import first_difference, same_picture
from normal_form import KERNEL, OWN, PICTURE, bare_png, normal_form, without_outputs, written
from segml import plots

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
EXPECTED = ("01", "02", "03", "04", "05", "06", "07")
LONGEST_CELL = 15
LARGEST_BYTES = 400_000
A_FOLDER = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|work|Users|var|opt|private)/\w")
A_TRACE_OF_THE_RUN = re.compile(r"\b0x[0-9a-f]{6,}|\b[0-9a-f]{32}\b")

every_notebook = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def load(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def code_of(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def shown(notebook: Any) -> str:
    """All that outputs say, pictures left out."""
    texts = []
    for output in (output for cell in code_of(notebook) for output in cell.outputs):
        texts += [
            output.get("text", ""),
            *(str(part) for kind, part in output.get("data", {}).items() if kind != PICTURE),
        ]
    return "\n".join(texts)


def a_notebook(*sources: str, **metadata: Any) -> Any:
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    return nbformat.v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]


def with_output(data: dict[str, Any], source: str = "x") -> Any:
    notebook = a_notebook(source)
    notebook.cells[0].outputs = [nbformat.v4.new_output("display_data", data)]  # type: ignore[no-untyped-call]
    return normal_form(notebook)


def a_picture(title: str = "a", **metadata: str) -> str:
    figure, ax = plt.subplots(figsize=(2, 1))
    ax.set_title(title)
    sheet = io.BytesIO()
    figure.savefig(sheet, format="png", metadata=metadata)
    plt.close(figure)
    return base64.b64encode(sheet.getvalue()).decode()


class TestWhatIsCommitted:
    def test_all_notebooks_are_there_and_in_the_index(self) -> None:
        index = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
        assert tuple(path.stem[:2] for path in FILES) == EXPECTED
        assert all(f"]({path.name})" in index for path in FILES)

    @every_notebook
    def test_it_is_in_normal_form_and_small(self, path: Path) -> None:
        text, notebook = path.read_text(encoding="utf-8"), load(path)
        assert text == written(normal_form(notebook))
        assert len(text.encode()) < LARGEST_BYTES
        assert {name: notebook.metadata[name] for name in KERNEL} == KERNEL
        nbformat.validate(notebook)

    @every_notebook
    def test_every_cell_ran_in_order_and_none_failed(self, path: Path) -> None:
        cells = code_of(load(path))
        kinds = {output.output_type for cell in cells for output in cell.outputs}
        streams = {output.get("name") for cell in cells for output in cell.outputs}
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        assert "error" not in kinds
        assert "stderr" not in streams
        assert kinds

    @every_notebook
    def test_every_plot_has_its_picture(self, path: Path) -> None:
        for cell in code_of(load(path)):
            pictures = [output for output in cell.outputs if PICTURE in output.get("data", {})]
            assert len(pictures) == ("segml.plots." in cell.source), cell.source

    @every_notebook
    def test_cells_are_short(self, path: Path) -> None:
        lengths = {cell.source: len(cell.source.splitlines()) for cell in code_of(load(path))}
        assert {source: lines for source, lines in lengths.items() if lines >= LONGEST_CELL} == {}

    @every_notebook
    def test_nothing_tells_where_and_when_it_ran(self, path: Path) -> None:
        told = shown(load(path))
        assert A_FOLDER.findall(told) == []
        assert A_TRACE_OF_THE_RUN.findall(told) == []

    @every_notebook
    def test_it_says_what_one_learns_for_whom_how_long_and_where_to_go_next(self, path: Path) -> None:
        notebook = load(path)
        begins, ends = notebook.cells[0].source, notebook.cells[-1].source
        assert re.match(r"# \w.*\n\n\*\*You learn\*\* .*\n\n\*\*For\*\* .* \*\*Runs\*\* ", begins)
        assert "## Where to go next\n\n- " in ends

    @every_notebook
    def test_its_links_lead_somewhere(self, path: Path) -> None:
        prose = "\n".join(cell.source for cell in load(path).cells if cell.cell_type == "markdown")
        targets = [target for target in re.findall(r"\]\(([^)]+)\)", prose) if not target.startswith("http")]
        assert [target for target in targets if not (NOTEBOOKS / target).exists()] == []


class TestNormalForm:
    def test_ids_counts_and_metadata_are_fixed(self) -> None:
        notebook = a_notebook("1\n", "2", kernelspec={"name": "mine", "display_name": "Mine"}, segml={"needs": "cdnow"})
        notebook.cells[0].metadata = {"execution": {"iopub.status.busy": "2026"}, "tags": ["hidden"]}
        found = normal_form(notebook)
        assert [cell.id for cell in found.cells] == ["cell-01", "cell-02"]
        assert [cell.execution_count for cell in found.cells] == [1, 2]
        assert found.cells[0].metadata == {"tags": ["hidden"]}
        assert found.metadata == {**KERNEL, OWN: {"needs": "cdnow"}}

    def test_folders_addresses_and_run_ids_are_taken_out_of_outputs(self, tmp_path: Path) -> None:
        notebook = a_notebook("x")
        places = f"{tmp_path} {tmp_path}/a.csv sqlite:///{tmp_path}/m.db <A at 0x7f12ab34cd>"
        said = f"{places} {'ab' * 16} {'cd' * 16} {'ab' * 16}"
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text=said)]  # type: ignore[no-untyped-call]
        output = normal_form(notebook, [tmp_path]).cells[0].outputs[0]
        assert output.text == ". a.csv sqlite:///m.db <A at 0x…> run-1 run-2 run-1"

    def test_what_is_left_of_a_progress_line_goes(self) -> None:
        assert with_output({"text/plain": "", "text/html": " \n"}).cells[0].outputs == []

    def test_remarks_in_a_picture_go_and_the_drawing_stays(self) -> None:
        plain, remarked = a_picture(), a_picture(Author="somebody", Comment="at noon")
        found = base64.b64decode(with_output({PICTURE: remarked}).cells[0].outputs[0].data[PICTURE])
        assert b"somebody" not in found
        assert found == bare_png(base64.b64decode(plain))

    def test_what_is_no_picture_is_refused(self) -> None:
        with pytest.raises(ValueError, match="a PNG begins with"):
            bare_png(b"GIF89a")

    def test_the_caller_s_notebook_is_not_changed(self) -> None:
        notebook = with_output({"text/plain": "1"})
        before = written(notebook)
        without_outputs(notebook)
        normal_form(notebook)
        assert written(notebook) == before


class TestDifference:
    def test_equal_notebooks_do_not_differ(self) -> None:
        assert first_difference(with_output({"text/plain": "1"}), with_output({"text/plain": "1"})) is None

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            (lambda: with_output({"text/plain": "a\nc"}), "output 1, text/plain: committed 'b', now 'c'"),
            (lambda: with_output({"text/plain": "a\nb"}, "y"), "source: committed 'x', now 'y'"),
            (lambda: with_output({"text/html": "a\nb"}), "output 1, text/plain: committed 'a', now 'None'"),
            (lambda: normal_form(a_notebook("x")), "output 1 did not come out, but is committed"),
        ],
    )
    def test_the_first_cell_that_differs_is_named(self, change: Callable[[], Any], told: str) -> None:
        found = first_difference(with_output({"text/plain": "a\nb"}), change())
        assert found is not None
        assert found.startswith("cell 1 (")
        assert found.endswith(told)

    def test_another_number_of_cells_is_told(self) -> None:
        assert first_difference(a_notebook("x"), a_notebook("x", "y")) == "1 cells are committed, 2 came out"

    def test_pictures_are_compared_by_what_one_sees(self) -> None:
        assert same_picture(a_picture("a"), a_picture("a", Comment="another file"))
        assert not same_picture(a_picture("a"), a_picture("b"))
        told = first_difference(with_output({PICTURE: a_picture("a")}), with_output({PICTURE: a_picture("b")}))
        assert told == "cell 1 (x): output 1, image/png: the picture looks different"


class TestRunning:
    def test_a_name_or_its_beginning_chooses(self) -> None:
        assert [path.stem[:2] for path in run.chosen(["03", "01_data_and_cleaning"])] == ["01", "03"]
        assert run.chosen([]) == FILES
        with pytest.raises(run.NotebookError, match=r"no notebook is called '99'; there are 01_data"):
            run.chosen(["99"])

    def test_data_that_are_not_there_are_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SEGML_DATA_HOME", str(tmp_path))
        needs = a_notebook(segml={"needs": "cdnow"})
        assert "`python -m segml.data fetch cdnow` brings it" in run.missing_data(needs)
        (tmp_path / "cdnow_master.parquet").touch()
        assert run.missing_data(needs) == ""
        assert run.missing_data(a_notebook()) == ""

    def test_nothing_of_the_caller_s_environment_shows(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")
        monkeypatch.setenv("OMP_NUM_THREADS", "8")
        monkeypatch.setenv("SEGML_DATA_HOME", "/data")
        found = run.environment(tmp_path)
        assert "MLFLOW_TRACKING_URI" not in found
        assert (found["OMP_NUM_THREADS"], found["SEGML_DATA_HOME"]) == ("1", "/data")

    def test_the_house_style_leaves_interactive_drawing_on_where_a_figure_switched_it_on(self) -> None:
        with mpl.rc_context({"interactive": False}):
            with plots.house_style():
                mpl.interactive(True)
            assert mpl.is_interactive()

    @pytest.mark.slow
    def test_a_cell_that_raises_is_named(self) -> None:
        with pytest.raises(
            run.NotebookError, match=r"mine: cell 2 \(1 / 0\) failed: ZeroDivisionError: division by zero"
        ):
            run.executed(a_notebook("a = 1", "1 / 0", "a"), "mine")

    @pytest.mark.slow
    def test_a_run_starts_from_an_empty_folder_and_repeats_to_the_byte(self) -> None:
        look = "import os, pathlib\nprint(os.listdir(), pathlib.Path.cwd(), object())"
        plot = (
            "import pandas, segml\n"
            "sizes = pandas.DataFrame({'segment': ['a'], 'customer_share': [1.0], 'revenue_share': [1.0]})\n"
            "segml.plots.plot_segments(sizes);"
        )
        notebook = a_notebook(look, plot)
        found = run.executed(notebook, "mine")
        assert found.cells[0].outputs[0].text == "[] . <object object at 0x…>\n"
        assert PICTURE in found.cells[1].outputs[0].data
        assert written(run.executed(found, "mine")) == written(found)


@pytest.mark.slow
@every_notebook
def test_running_it_gives_what_is_committed(path: Path, request: pytest.FixtureRequest) -> None:
    """Texts by the byte, pictures by what one sees: ``run.py`` itself gives equal bytes on one machine."""
    environment = dict(os.environ)
    if load(path).metadata.get(OWN, {}).get("needs"):
        environment["SEGML_DATA_HOME"] = str(request.getfixturevalue("shared_data"))
    command = [sys.executable, str(NOTEBOOKS / "run.py"), path.stem, "--check"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
