"""Remote files as DuckDB reads them: by ranges of bytes, so that columns and row groups not needed stay where they are.

Footers are fetched for all files at once and kept, because one after the other they would cost a round trip each.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import ibis
from fsspec import AbstractFileSystem

from segml.data.remote import RemotePath, reaching, sizes
from segml.schema import DataError

TAIL = 1 << 16
"""Bytes at the end of a file that are fetched first: what Arrow asks for, and most footers are shorter."""

KEPT_TAIL = 1 << 15
"""Bytes at the end of a file that are kept: what DuckDB asks for at every query."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class RangedFile:
    """A remote file of which only the ranges asked for are fetched."""

    def __init__(self, place: RemotePath, size: int, tail: bytes) -> None:
        self.place = place
        self.size = size
        self.tail = tail

    def bytes_of(self, start: int, end: int) -> bytes:
        """Return the bytes of ``[start, end)``."""
        first = self.size - len(self.tail)
        if start >= first:
            return self.tail[start - first : end - first]
        with reaching(self.place):
            found: bytes = self.place.system.cat_file(self.place.path, start=start, end=end)
        return _of_length(found, end - start, self.place)

    def trim(self) -> None:
        """Forget of the tail what is not asked for again."""
        self.tail = self.tail[-KEPT_TAIL:]

    def open(self) -> io.RawIOBase:
        """Return a handle that reads and seeks."""
        return _Handle(self)


class Mount(AbstractFileSystem):  # type: ignore[misc]
    """Ranged files under addresses of our own, which hold neither secrets nor signs that a glob would read."""

    cachable = False

    def __init__(self, files: dict[str, RangedFile]) -> None:
        super().__init__()
        self.protocol = ibis.util.gen_name("segml").replace("_", "")
        self.files = {f"{self.protocol}://{name}": file for name, file in files.items()}

    def open(self, path: str, mode: str = "rb", **options: Any) -> io.RawIOBase:
        """Open a file for reading."""
        return self.files[path].open()

    def size(self, path: str) -> int:
        """Return the bytes of a file."""
        return self.files[path].size

    def exists(self, path: str, **options: Any) -> bool:
        """Tell whether there is such a file."""
        return path in self.files

    def glob(self, path: str, **options: Any) -> list[str]:
        """Return the address itself: names are never patterns here."""
        return [path]

    def modified(self, path: str) -> datetime:
        """Return one moment for all: a mount shows files as they were when it was made."""
        return EPOCH


def ranged(files: Sequence[RemotePath]) -> list[RangedFile]:
    """Return files of one file system with their tails, fetched side by side.

    Raises
    ------
    DataError : a file cannot be reached, or its server sends whole files where a part is asked for
    """
    known = sizes(files)
    starts = [max(size - TAIL, 0) for size in known]
    with reaching(files[0]):
        tails = files[0].system.cat_ranges([file.path for file in files], starts, known, on_error="return")
    return [
        RangedFile(file, size, _tail(tail, size - start, file))
        for file, size, start, tail in zip(files, known, starts, tails, strict=True)
    ]


def _tail(found: bytes | Exception, length: int, place: RemotePath) -> bytes:
    if isinstance(found, Exception):
        with reaching(place):
            raise found
    return _of_length(found, length, place)


def _of_length(found: bytes, length: int, place: RemotePath) -> bytes:
    if len(found) != length:
        raise DataError(
            f"{place}: of {length} bytes asked for {len(found)} came; the server cannot send parts of a file, or the "
            "file changed meanwhile; fetch it, and read it from the disk"
        )
    return found


class _Handle(io.RawIOBase):
    def __init__(self, file: RangedFile) -> None:
        self._file = file
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._file.size}[whence]
        self._position = base + offset
        return self._position

    def read(self, length: int = -1) -> bytes:
        end = self._file.size if length < 0 else min(self._position + length, self._file.size)
        found = self._file.bytes_of(self._position, end) if end > self._position else b""
        self._position += len(found)
        return found
