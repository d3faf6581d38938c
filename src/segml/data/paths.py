"""Which files a path, a glob or a folder means, and what kind they are."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from segml.schema import DataError, did_you_mean

FileKind = Literal["parquet", "text", "excel"]

SUFFIXES: dict[str, FileKind] = {
    ".parquet": "parquet",
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".csv.gz": "text",
    ".tsv.gz": "text",
    ".txt.gz": "text",
    ".xlsx": "excel",
}
SUPPORTED = f"{', '.join(SUFFIXES)}, a folder or glob of these, or postgresql://user@host/database#table"


@dataclass(frozen=True)
class Files:
    """Data files of one kind, sorted; ``root`` is the folder below which partitions are looked for."""

    where: str
    kind: FileKind
    paths: tuple[Path, ...]
    root: Path


def find(source: str) -> Files:
    """Return the data files that a path, a glob or a folder (with its subfolders) means.

    Names that begin with ``.``, ``_`` or ``~`` are marks of other programs, not data.

    Raises
    ------
    DataError : nothing there, an unknown file type, or several types at once
    """
    if "://" in source:
        raise DataError(f"{source.partition('://')[0]}:// addresses cannot be read; supported: {SUPPORTED}")
    path = Path(source).expanduser()
    if path.is_dir():
        return _of_one_kind(source, _in_folder(path), path)
    if path.exists():
        return _of_one_kind(source, [path], path.parent)
    if glob.has_magic(str(path)):
        return _of_one_kind(source, _matching(path), _fixed_part(path))
    raise DataError(_missing(source, path))


def kind_of(path: Path) -> FileKind | None:
    """Return the kind of a data file by its name, None for others.

    >>> kind_of(Path("sales.2020.CSV.gz"))
    'text'
    """
    name = path.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Turn the operating system's refusal to open or read a file into a ``DataError``."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def _in_folder(folder: Path) -> list[Path]:
    if (folder / "_delta_log").is_dir():
        raise DataError(f"{folder} is a Delta table, whose files hold removed rows too; write it out as plain Parquet")
    found = [path for path in folder.rglob("*") if path.is_file() and not _is_mark(path.relative_to(folder))]
    if not any(kind_of(path) for path in found):
        raise DataError(f"the folder {folder} holds no data files; supported: {SUPPORTED}")
    return [path for path in found if kind_of(path)]


def _is_mark(relative: Path) -> bool:
    return any(part.startswith((".", "_", "~")) for part in relative.parts)


def _matching(pattern: Path) -> list[Path]:
    matches = map(Path, glob.glob(str(pattern), recursive=True))
    found = [path for path in matches if path.is_file() and not _is_mark(Path(path.name))]
    if not found:
        raise DataError(f"no file matches {pattern}")
    return found


def _fixed_part(pattern: Path) -> Path:
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def _of_one_kind(source: str, paths: list[Path], root: Path) -> Files:
    by_kind: dict[FileKind, list[Path]] = {}
    for path in sorted(paths):
        by_kind.setdefault(_known_kind(path), []).append(path)
    if len(by_kind) > 1:
        examples = " and ".join(members[0].name for members in by_kind.values())
        raise DataError(
            f"{source} holds files of several types, as {examples}; choose one type, as folder/*.parquet does"
        )
    [(kind, members)] = by_kind.items()
    return Files(source, kind, tuple(members), root)


def _known_kind(path: Path) -> FileKind:
    kind = kind_of(path)
    if kind is None:
        raise DataError(f"{path} is of an unknown type{_hint(path)}; supported: {SUPPORTED}")
    return kind


def _hint(path: Path) -> str:
    return " (save it as .xlsx)" if path.suffix.lower() in (".xls", ".xlsb", ".xlsm", ".ods") else ""


def _missing(source: str, path: Path) -> str:
    present = next(parent for parent in path.parents if parent.is_dir())
    lacking = path.relative_to(present).parts[0]
    names = sorted(entry.name for entry in present.iterdir())
    if lacking == path.name:
        return f"{source} does not exist{did_you_mean(lacking, names)}"
    return f"{source} does not exist: there is no folder {lacking!r} in {present}{did_you_mean(lacking, names)}"
