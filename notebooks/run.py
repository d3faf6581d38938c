"""``python notebooks/run.py``: run the notebooks from a clean state and write what comes out into them.

Each runs top to bottom in a fresh kernel and a fresh folder, with its own MLflow store. On one machine a run that
changes nothing gives the same bytes; ``--check`` writes nothing and says what differs from what is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from difference import first_difference
from normal_form import OWN, head, normal_form, without_outputs, written

FOLDER = Path(__file__).resolve().parent
CELL_TIMEOUT_S = 1800
START_TIMEOUT_S = 300

FIXED = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MATPLOTLIBRC": os.devnull,  # nobody's own style
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
SET_ASIDE = ("MLFLOW_", "IPYTHON", "PYTHONWARNINGS")
"""Variables of the caller that begin so do not reach the notebooks."""


class NotebookError(Exception):
    """A notebook could not be run to its end."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the notebooks that the arguments name; return 1 where one fails or, if asked, differs, else 0."""
    parser = argparse.ArgumentParser(prog="python notebooks/run.py", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="01, 01_data_and_cleaning, …; default: all")
    parser.add_argument("--check", action="store_true", help="write nothing; name the first cell that differs")
    arguments = parser.parse_args(argv)
    try:
        notebooks = chosen(arguments.names)
    except NotebookError as error:
        parser.error(str(error))
    return max([_run(path, is_check=arguments.check) for path in notebooks])


def chosen(names: Sequence[str]) -> list[Path]:
    """Return the notebooks of these names, or of their first characters; all where none is named."""
    there = sorted(FOLDER.glob("*.ipynb"))
    unknown = [name for name in names if not _named(name, there)]
    if unknown:
        raise NotebookError(f"no notebook is called {unknown[0]!r}; there are {', '.join(path.stem for path in there)}")
    return [path for path in there if not names or any(path in _named(name, there) for name in names)]


def _named(name: str, there: Sequence[Path]) -> list[Path]:
    return [path for path in there if path.stem.startswith(Path(name).name.removesuffix(".ipynb"))]


def _run(path: Path, *, is_check: bool) -> int:
    """Run one notebook, say how it went, and return its exit code."""
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    missing = missing_data(notebook)
    if missing:
        print(f"{path.stem}: skipped: {missing}", flush=True)
        return 0
    began = time.monotonic()
    try:
        now = executed(notebook, path.stem)
    except NotebookError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    verdict, code = _checked(notebook, now) if is_check else _kept(path, now)
    print(f"{path.stem}: {verdict} ({time.monotonic() - began:.0f} s)", flush=True)
    return code


def _checked(committed: NotebookNode, now: NotebookNode) -> tuple[str, int]:
    found = first_difference(committed, now)
    return (f"differs: {found}", 1) if found else ("as committed", 0)


def _kept(path: Path, now: NotebookNode) -> tuple[str, int]:
    text = written(now)
    if path.read_text(encoding="utf-8") == text:
        return "unchanged", 0
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    return "written", 0


def missing_data(notebook: NotebookNode) -> str:
    """Return what to do about the public data set that the notebook needs; "" where it is there, or none is needed."""
    needed = notebook.metadata.get(OWN, {}).get("needs")
    if not needed:
        return ""
    from segml.data import catalog

    home = catalog.data_home()
    if (home / catalog.find(needed).file_name).is_file():
        return ""
    return f"{needed} is not in {home}; `python -m segml.data fetch {needed}` brings it, SEGML_DATA_HOME names another"


def executed(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the notebook in normal form with what its cells gave, run in a folder of its own.

    Raises
    ------
    NotebookError : a cell raised, took too long or killed the kernel
    """
    with tempfile.TemporaryDirectory(prefix="segml-notebook-") as place:
        work, aside = Path(place, "work"), Path(place, "aside")
        work.mkdir()
        aside.mkdir()
        clean, begun = without_outputs(notebook), [0]
        client = NotebookClient(
            clean,
            timeout=CELL_TIMEOUT_S,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,  # or what is printed would come in pieces as time has it
            startup_timeout=START_TIMEOUT_S,
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(work)}},
            on_cell_start=lambda cell, cell_index: begun.append(cell_index),
        )
        try:
            client.execute(env=environment(aside))
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise NotebookError(f"{name}: {_blame(clean, begun[-1], error)}") from None
        return normal_form(clean, (work, FOLDER.parent))


def environment(aside: Path) -> dict[str, str]:
    """Return the variables of the kernel: the caller's, but for all that may show in outputs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SET_ASIDE)}
    return {**kept, **FIXED, "IPYTHONDIR": str(aside / "ipython")}


def _blame(notebook: NotebookNode, place: int, error: Exception) -> str:
    """Return which cell failed, and why."""
    why = f"{error.ename}: {error.evalue}" if isinstance(error, CellExecutionError) else str(error)
    return f"cell {place + 1} ({head(notebook.cells[place].source)}) failed: {why}"


if __name__ == "__main__":
    sys.exit(main())
