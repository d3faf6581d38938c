"""Which files a path, a glob or a folder means, and what kind they are."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from segml.data import remote
from segml.data.remote import RemotePath
from segml.schema import DataError, did_you_mean

FileKind = Literal["parquet", "text", "excel"]
AnyPath = Path | RemotePath

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
SUPPORTED = (
    f"{', '.join(SUFFIXES)}, a folder or glob of these, a Delta folder, each also behind s3://, https:// and the like, "
    "or postgresql://user@host/database#table"
)
LOG = "_delta_log"
UNFINISHED, FINISHED = "_temporary", "_SUCCESS"
"""The folder in which jobs of Spark and Hadoop keep what they have not finished, and the file that they end with."""


@dataclass(frozen=True)
class Files:
    """Data files of one kind, sorted; ``root`` is the folder below which partitions are looked for."""

    where: str
    kind: FileKind
    paths: tuple[AnyPath, ...]
    root: AnyPath

    def relative(self, path: AnyPath) -> PurePath:
        """Return the part of a file's path below the root."""
        if isinstance(path, RemotePath):
            return path.relative_to(self.root)
        return path.relative_to(str(self.root))


def find(source: str) -> Files:
    """Return the data files that a path, a glob or a folder (with its subfolders) means.

    Names that begin with ``.``, ``_`` or ``~`` are marks of other programs, not data.

    Raises
    ------
    DataError : nothing there, an unknown file type, several types at once, or it cannot be reached
    """
    if remote.is_remote(source):
        return _find_remote(remote.locate(source))
    path = Path(source).expanduser()
    if path.is_dir():
        return _of_one_kind(source, _data_files(path, [found for found in path.rglob("*") if found.is_file()]), path)
    if path.exists():
        return _of_one_kind(source, [path], path.parent)
    if glob.has_magic(str(path)):
        return _of_one_kind(source, _matching(path), _fixed_part(path))
    raise DataError(_missing(source, path))


def kind_of(path: PurePath | RemotePath) -> FileKind | None:
    """Return the kind of a data file by its name, None for others.

    >>> kind_of(Path("sales.2020.CSV.gz"))
    'text'
    """
    name = path.name.lower()
    return next((kind for suffix, kind in SUFFIXES.items() if name.endswith(suffix)), None)


@contextmanager
def opening(path: AnyPath) -> Iterator[None]:
    """Turn the operating system's refusal to open or read a file into a ``DataError``."""
    try:
        yield
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None


def on_disk(path: AnyPath) -> Path:
    """Return the file itself, or the copy of a remote one, fetched at the first use."""
    return path.local if isinstance(path, RemotePath) else path


def _find_remote(place: RemotePath) -> Files:
    where = str(place)
    if remote.is_pattern(place):
        root, matches = remote.matching(place)
        return _of_one_kind(where, _unmarked(place, matches), root)
    if remote.is_folder(place):
        return _of_one_kind(where, _data_files(place, remote.files_in(place)), place)
    return _of_one_kind(where, [place], place.parent)


def _data_files(folder: AnyPath, found: Sequence[AnyPath]) -> list[AnyPath]:
    files = Files(str(folder), "parquet", tuple(found), folder)
    relative = {path: files.relative(path) for path in found}
    delta = sorted(str(name).partition(LOG)[0] for name in relative.values() if LOG in name.parts)
    if delta:
        raise DataError(
            f"{folder} holds the Delta table {delta[0]!r}; name its folder itself, as its log tells which rows stand"
        )
    _require_finished(folder, relative.values())
    known = [path for path, name in relative.items() if not _is_mark(name) and kind_of(path)]
    if not known:
        raise DataError(f"the folder {folder} holds no data files; supported: {SUPPORTED}")
    return known


def _require_finished(folder: AnyPath, names: Iterable[PurePath]) -> None:
    """Raise ``DataError`` where Spark or Hadoop has not ended writing: until then rows are missing, or there twice."""
    entries = {name.parts for name in names}
    for parts in entries:
        above = parts[: parts.index(UNFINISHED)] if UNFINISHED in parts else None
        if above is not None and (*above, FINISHED) not in entries:
            written = "/".join([str(folder).rstrip("/"), *above])
            raise DataError(
                f"{written} is being written, or the job that wrote it was killed: it holds {UNFINISHED}, and no "
                f"{FINISHED}; wait for the job or run it again, or name its files, as {written}/*.parquet, to read "
                "those that are there"
            )


def _is_mark(relative: PurePath) -> bool:
    return any(part.startswith((".", "_", "~")) for part in relative.parts)


def _matching(pattern: Path) -> list[AnyPath]:
    matches = map(Path, glob.glob(str(pattern), recursive=True))
    return _unmarked(pattern, [path for path in matches if path.is_file()])


def _unmarked(pattern: AnyPath, matches: Sequence[AnyPath]) -> list[AnyPath]:
    found = [path for path in matches if not _is_mark(PurePath(path.name))]
    if not found:
        raise DataError(f"no file matches {pattern}")
    return found


def _fixed_part(pattern: Path) -> Path:
    return next(parent for parent in pattern.parents if not glob.has_magic(str(parent)))


def _of_one_kind(source: str, paths: Sequence[AnyPath], root: AnyPath) -> Files:
    by_kind: dict[FileKind, list[AnyPath]] = {}
    for path in sorted(paths, key=str):
        by_kind.setdefault(_known_kind(path), []).append(path)
    if len(by_kind) > 1:
        examples = " and ".join(members[0].name for members in by_kind.values())
        raise DataError(
            f"{source} holds files of several types, as {examples}; choose one type, as folder/*.parquet does"
        )
    [(kind, members)] = by_kind.items()
    return Files(source, kind, tuple(members), root)


def _known_kind(path: AnyPath) -> FileKind:
    kind = kind_of(path)
    if kind is None:
        raise DataError(f"{path} is of an unknown type{_hint(path)}; supported: {SUPPORTED}")
    return kind


def _hint(path: AnyPath) -> str:
    return " (save it as .xlsx)" if "".join(path.suffixes[-1:]).lower() in (".xls", ".xlsb", ".xlsm", ".ods") else ""


def _missing(source: str, path: Path) -> str:
    present = next(parent for parent in path.parents if parent.is_dir())
    lacking = path.relative_to(present).parts[0]
    names = sorted(entry.name for entry in present.iterdir())
    if lacking == path.name:
        return f"{source} does not exist{did_you_mean(lacking, names)}"
    return f"{source} does not exist: there is no folder {lacking!r} in {present}{did_you_mean(lacking, names)}"
