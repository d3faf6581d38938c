"""The index of studies: a table in ``README.md`` with a row a study file."""

from __future__ import annotations

import re
from pathlib import Path

from segml import artifacts
from segml.experiment.page import cell
from segml.experiment.study import StudyFile, read
from segml.schema import OutputError

README = "README.md"
_HEAD = ["| question | answer | command |", "| --- | --- | --- |"]
_NEW = ["# Experiments", "", "One study a row: the question, what was found, and the command that finds it again.", ""]
_OWN_ROW = re.compile(r"^\|.*`python -m segml\.experiment \S+\.yaml` \|$")


def update(folder: Path) -> int:
    """Bring the rows of the study files of a folder up to date in its README; return how many there are.

    Raises
    ------
    OutputError : there is no such folder, or its README has no table of studies
    ConfigError : a study file is not valid
    """
    if not folder.is_dir():
        raise OutputError(f"{folder} is no folder; give the one that the study files are in")
    studies = rows(folder)
    path = folder / README
    text = path.read_text(encoding="utf-8") if path.is_file() else "\n".join([*_NEW, *_HEAD]) + "\n"
    changed = with_rows(text, studies)
    if changed is None:
        raise OutputError(f"{path} has no table of studies; add one that begins with\n{_HEAD[0]}\n{_HEAD[1]}")
    artifacts.write_file(path, lambda temporary: temporary.write_text(changed, encoding="utf-8"))
    return len(studies)


def with_rows(text: str, studies: list[str]) -> str | None:
    """Return a README with these rows at the end of its table of studies, those of other kinds of study above them.

    None where there is no such table.
    """
    lines = text.splitlines()
    if _HEAD[0] not in lines:
        return None
    start = lines.index(_HEAD[0])
    end = next((place for place in range(start, len(lines)) if not lines[place].startswith("|")), len(lines))
    others = [line for line in lines[start:end] if not _OWN_ROW.match(line)]
    return "\n".join([*lines[:start], *others, *studies, *lines[end:]]) + "\n"


def rows(folder: Path) -> list[str]:
    """Return the rows of the study files of a folder, by name."""
    return [_row(path, read(path)) for path in sorted(folder.glob("*.yaml"))]


def _row(path: Path, told: StudyFile) -> str:
    command = f"`python -m segml.experiment {path.resolve().parent.name}/{path.name}`"
    return f"| [{cell(told.question)}]({path.stem}/results.md) | {cell(told.answer)} | {command} |"
