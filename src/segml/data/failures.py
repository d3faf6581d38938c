"""What a full disk or too little memory means, in words that tell how to go on."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from segml.schema import DataError, OutputError

_FULL = re.compile(
    r"No space left|Could not write (all|file)|File too large|max_temp_directory_size|quota", re.IGNORECASE
)
_WRAPPED = re.compile(r"DataError: (.*?)\n\nAt:", re.DOTALL)
_FULL_NUMBERS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def explained(place: Path | None, memory_bytes: int | None, disk_bytes: int | None = None) -> Iterator[None]:
    """Turn what DuckDB or the system say about a full disk or too little memory into an error of the user's.

    What a reader of remote files says while DuckDB runs a query arrives as DuckDB's; it is unwrapped.

    Parameters
    ----------
    place : the folder with temporary files; None is the system's
    memory_bytes : the limit of memory; None is that of DuckDB itself
    disk_bytes : what temporary files take, about, where that is known

    Raises
    ------
    OutputError : the disk is full
    DataError : the memory is too little, or a remote file cannot be read any more
    """
    try:
        yield
    except duckdb.Error as error:
        wrapped = _WRAPPED.search(str(error))
        if wrapped:
            raise DataError(wrapped[1]) from error
        if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException) and _FULL.search(str(error)):
            raise _disk_is_full(place, disk_bytes) from error
        if isinstance(error, duckdb.OutOfMemoryException):
            raise _memory_is_short(memory_bytes) from error
        raise
    except OSError as error:
        if error.errno in _FULL_NUMBERS:
            raise _disk_is_full(place, disk_bytes) from error
        raise


@contextmanager
def writable(target: Path) -> Iterator[None]:
    """Turn the system's refusal to write a file into an error of the user's; a full disk is told by ``explained``."""
    if target.is_dir():
        raise OutputError(f"output {target} is a folder; a file name is needed")
    try:
        yield
    except OSError as error:
        if error.errno in _FULL_NUMBERS:
            raise
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from error


def _disk_is_full(place: Path | None, disk_bytes: int | None) -> OutputError:
    place = place if place is not None else Path(tempfile.gettempdir())
    there = next(folder for folder in (place, *place.parents) if folder.is_dir())
    needed = f"some {disk_bytes / 1e6:,.1f} MB are needed for temporary files, " if disk_bytes is not None else ""
    return OutputError(
        f"the disk of {there} is full: {needed}{shutil.disk_usage(there).free / 1e6:,.1f} MB are free; make room, or "
        "name a folder on another disk under engine.scratch (--scratch); buckets of features that were finished are "
        "kept in the folder .NAME.building, and used when the same is started again"
    )


def _memory_is_short(memory_bytes: int | None) -> DataError:
    found = f"{memory_bytes / 1e6:,.0f} MB of memory are" if memory_bytes is not None else "the memory is"
    return DataError(
        f"{found} too little, even with files for what does not fit: the lines of "
        "one customer stay together; give more under engine.memory_limit (--memory-limit), or set threads to 1"
    )
