"""Folders for temporary files that vanish with their process, even where that was killed."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from segml.schema import OutputError

_LOCK = "owner.lock"


@dataclass(frozen=True)
class Claim:
    """A folder of this process; the operating system gives up its lock when the process ends, however it ends."""

    folder: Path
    lock: BaseFileLock

    def release(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.release()


def claim(parent: Path | None = None) -> Claim:
    """Make a folder for temporary files, in the system's place for them or another; remove those of dead processes.

    Raises
    ------
    OutputError : the folder cannot be made
    """
    parent = parent if parent is not None else Path(tempfile.gettempdir())
    try:
        parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        return _claimed(parent)
    except OSError as error:
        raise OutputError(
            f"the folder {parent} cannot hold temporary files: {error.strerror or error}; name another under "
            "engine.scratch (--scratch)"
        ) from None


@contextmanager
def temporary(parent: Path | None = None) -> Iterator[Path]:
    """Yield a folder for temporary files; it vanishes at the end, see ``claim``."""
    claimed = claim(parent)
    try:
        yield claimed.folder
    finally:
        claimed.release()


def _claimed(parent: Path) -> Claim:
    """Lock the folder before it bears its final name, so that nobody finds it without an owner."""
    unnamed = Path(tempfile.mkdtemp(prefix=".segml-", dir=parent))
    lock = FileLock(unnamed / _LOCK)
    lock.acquire(timeout=0)
    folder = parent / f"{_prefix()}{unnamed.name.removeprefix('.segml-')}"
    os.rename(unnamed, folder)
    return Claim(folder, lock)


def _sweep(parent: Path) -> None:
    for folder in parent.glob(f"{_prefix()}*"):
        lock = FileLock(folder / _LOCK)
        with suppress(Timeout, OSError):
            lock.acquire(timeout=0)
            Claim(folder, lock).release()


def _prefix() -> str:
    """Return how our folders begin: locks of other hosts cannot be seen on every network file system."""
    return f"segml-{re.sub(r'[^A-Za-z0-9]', '_', platform.node())}-"
