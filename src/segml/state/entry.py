"""The index of a state folder: which refreshes there are, of which files, with checksums."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from segml import artifacts
from segml.schema import StateError

FORMAT = 1
INDEX = "state.json"

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[\w][\w.-]*$")]
FileName = Annotated[str, Field(pattern=r"^[\w][\w.-]*(/[\w][\w.-]*)?$")]


class Entry(BaseModel):
    """One refresh: its as-of date, its folder under ``refreshes`` with its files, and its model under ``models``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    as_of: date
    folder: Name
    model: Name | None = None
    manifest_sha256: Sha256 | None = None  # of the model
    sha256: dict[FileName, Sha256]


class _Index(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    refreshes: tuple[Entry, ...]
    sha256: Sha256  # of the refreshes


def read_index(folder: Path) -> tuple[Entry, ...]:
    """Return the refreshes of a state folder, the earliest first; none where there is no index yet.

    Raises
    ------
    StateError : the index cannot be read, was changed by hand, or has the format of another version
    """
    path = folder / INDEX
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        _check_format(path, values)
        index = _Index.model_validate_json(json.dumps(values))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        raise _broken(path, f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from None
    if _digest(index.refreshes) != index.sha256:
        raise _broken(path, "its checksum does not fit what it holds: it was changed by hand")
    return index.refreshes


def write_index(folder: Path, refreshes: Sequence[Entry]) -> None:
    """Put the index in place, all at once; from here on these refreshes are what there is."""
    ordered = tuple(sorted(refreshes, key=lambda entry: entry.as_of))
    values = {"format": FORMAT, "refreshes": _plain(ordered), "sha256": _digest(ordered)}
    with artifacts.unfinished(folder / INDEX) as temporary:
        temporary.write_text(json.dumps(values, indent=1, ensure_ascii=False), encoding="utf-8")


def checksums(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file under a folder, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): sha256(path) for path in files}


def check_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Raise ``StateError`` unless the folder holds exactly the files with these checksums."""
    found = checksums(folder)
    missing, other = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    changed = sorted(name for name in set(found) & set(expected) if found[name] != expected[name])
    for names, what in ((missing, "is missing"), (changed, "was changed"), (other, "does not belong there")):
        if names:
            raise StateError(
                f"{folder / names[0]} {what}; what a refresh left must stay as it is: restore the folder from a "
                "backup, or begin anew in another one (--set refresh.state=FOLDER)"
            )


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_format(path: Path, values: Any) -> None:
    found = values.get("format") if isinstance(values, dict) else None
    if not isinstance(found, int):
        raise _broken(path, "it names no format")
    if found != FORMAT:
        raise StateError(
            f"{path} has format {found}, this segml reads format {FORMAT}; install the segml that wrote it, or begin "
            "anew in another folder (--set refresh.state=FOLDER)"
        )


def _digest(refreshes: tuple[Entry, ...]) -> str:
    return hashlib.sha256(json.dumps(_plain(refreshes), sort_keys=True).encode()).hexdigest()


def _plain(refreshes: tuple[Entry, ...]) -> list[dict[str, Any]]:
    return [entry.model_dump(mode="json") for entry in refreshes]


def _broken(path: Path, why: str) -> StateError:
    return StateError(
        f"{path} is no index of refreshes: {why}; restore it from a backup, or begin anew in another folder "
        "(--set refresh.state=FOLDER)"
    )
