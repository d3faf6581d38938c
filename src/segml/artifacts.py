"""What a run leaves in a folder: files appear under their final names all at once, or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from segml.schema import OutputError

STAGING_PREFIX = ".segml-unfinished-"
UNFINISHED = ".unfinished"
"""How the temporary name of a file or folder ends that is being written."""

_OURS: set[str] = set()
"""What this process is writing at the moment."""


@contextmanager
def staged(output: Path) -> Iterator[Path]:
    """Yield a staging folder inside ``output``; on success its entries move into ``output``, else they vanish.

    What an earlier, killed run left behind in its staging folder is removed first.

    Raises
    ------
    OutputError : the folder cannot be made or written
    """
    check_writable(output)
    _remove_leftovers(output)
    staging = Path(tempfile.mkdtemp(prefix=f"{STAGING_PREFIX}{os.getpid()}-", dir=output))
    try:
        with _being_written(staging):
            yield staging
            for entry in sorted(staging.iterdir()):
                _replace(entry, output / entry.name)
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror or error}; give another --output") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_writable(output: Path) -> None:
    """Make the output folder, or raise ``OutputError`` that says why it cannot be used."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except FileExistsError:
        raise OutputError(f"output {output} is a file; a folder is needed") from None
    except OSError as error:
        raise OutputError(f"output folder {output} is not writable: {error.strerror}; give another --output") from None


def check_place(output: Path) -> None:
    """Raise ``OutputError`` where the output folder could not be made or written; it is not made."""
    places = (output.absolute(), *output.absolute().parents)
    there = next(place for place in places if os.path.lexists(place))
    if not there.is_dir():
        raise OutputError(f"output {there} is a file; a folder is needed")
    check_writable(there)


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write one file by way of a temporary name beside it, so that no half of it ever bears the final name."""
    check_writable(path.parent)
    if path.is_dir():
        raise OutputError(f"output {path} is a folder; a file name is needed")
    temporary = path.with_name(f"{STAGING_PREFIX}{os.getpid()}-{path.name}")
    try:
        with _being_written(temporary):
            write(temporary)
            os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def unfinished(target: Path, temporary: Path | None = None) -> Iterator[Path]:
    """Yield a temporary name beside a file or folder; what was written there takes the final name when it is whole.

    It is on the disk before it is named, so that not even a power cut leaves half of it under the final name.
    """
    temporary = temporary if temporary is not None else target.with_name(f"{target.name}{UNFINISHED}")
    remove(temporary)
    try:
        yield temporary
        settle(temporary, target)
    finally:
        remove(temporary)


def settle(temporary: Path, target: Path) -> None:
    """Give a file or folder its final name, once it is on the disk."""
    for path in [*temporary.rglob("*"), temporary]:
        _sync(path)
    os.replace(temporary, target)
    _sync(target.parent)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Bring a file to the disk; folders cannot be opened everywhere, and need not be."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _being_written(place: Path) -> Iterator[None]:
    _OURS.add(place.name)
    try:
        yield
    finally:
        _OURS.discard(place.name)


def _replace(entry: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    os.replace(entry, target)


def _remove_leftovers(output: Path) -> None:
    for leftover in output.glob(f"{STAGING_PREFIX}*"):
        pid = leftover.name.removeprefix(STAGING_PREFIX).split("-")[0]
        # A container gives the same number to one process after the other: what bears our own need not be ours.
        is_left = leftover.name not in _OURS if pid == str(os.getpid()) else pid.isdigit() and not _alive(int(pid))
        if is_left:
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
