"""The state as a folder: one refresh at a time writes it, and replacing the index is what makes a refresh count.

    state.json              which refreshes there are, with the checksums of their files
    refreshes/DATE-NUMBER/  what one refresh left; never changed
    models/NAME/            what decided; refreshes share it

A refresh writes its folder first, then the index. A kill before the index leaves a folder that nothing refers to, and
the next refresh removes it.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path

import pandas as pd
from filelock import FileLock, Timeout

from segml import artifacts, store, windows
from segml.pipeline import Memory, Past, Scorer
from segml.schema import StateError
from segml.state.entry import INDEX, Entry, check_files, checksums, read_index, sha256, write_index
from segml.state.files import read_memory, write_memory

REFRESHES, MODELS, LOCK = "refreshes", "models", ".lock"
_DIGITS = 16


class State:
    """What earlier refreshes left, and where this one is kept; from ``opened``.

    Attributes
    ----------
    folder : where it lies
    entries : the refreshes that count, the earliest first
    """

    def __init__(self, folder: Path, entries: tuple[Entry, ...]) -> None:
        self.folder = folder
        self.entries = entries
        self._memories: dict[str, Memory] = {}
        self._scorers: dict[str, Scorer] = {}

    def past(self, as_of: pd.Timestamp) -> Past:
        """Return what the refreshes before an as-of date left."""
        return Past(tuple(self.read(entry) for entry in self.before(as_of)))

    def make_ready(self, as_of: pd.Timestamp | None) -> None:
        """Read what ``past`` will return, of all refreshes where the date is not known yet.

        Raises
        ------
        StateError : what the refreshes left is not whole, or there is one after the date
        ModelError : the model of one of them cannot be read here
        """
        for entry in self.entries if as_of is None else self.before(as_of):
            self.read(entry)

    def before(self, as_of: pd.Timestamp) -> tuple[Entry, ...]:
        """Return the refreshes before an as-of date, the latest first; one of that very date will give way.

        Raises
        ------
        StateError : there is one after it; a refresh cannot be put before those that rest on it
        """
        later = [entry for entry in self.entries if windows.before(as_of, _moment(entry))]
        if later:
            raise StateError(
                f"{self.folder} holds a refresh of {later[-1].as_of}, later than {as_of.date()}; refreshes go forward: "
                "give a later --as-of, or another folder (--set refresh.state=FOLDER)"
            )
        return tuple(entry for entry in reversed(self.entries) if windows.before(_moment(entry), as_of))

    def read(self, entry: Entry) -> Memory:
        """Return what a refresh left.

        Raises
        ------
        StateError : a file is missing, was changed or cannot be read
        """
        if entry.folder not in self._memories:
            folder = self.folder / REFRESHES / entry.folder
            try:
                check_files(folder, entry.sha256)
                self._memories[entry.folder] = read_memory(folder, _moment(entry), self._scorer(entry))
            except OSError as error:
                raise StateError(f"{folder} cannot be read: {error.strerror or error}") from error
        return self._memories[entry.folder]

    def keep(self, memory: Memory) -> None:
        """Make a refresh count; one of the same date gives way to it."""
        try:
            entry = self._written(memory)
            others = [kept for kept in self.entries if kept.as_of != entry.as_of]
            write_index(self.folder, [*others, entry])
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        self.entries = read_index(self.folder)
        _remove_leftovers(self.folder, self.entries)

    def _written(self, memory: Memory) -> Entry:
        model, manifest = _keep_model(self.folder / MODELS, memory)
        folder = _free_name(self.folder / REFRESHES, memory.as_of.date())
        with artifacts.unfinished(folder) as temporary:
            temporary.mkdir(parents=True)
            write_memory(memory, temporary)
            made = checksums(temporary)
        return Entry(as_of=memory.as_of.date(), folder=folder.name, model=model, manifest_sha256=manifest, sha256=made)

    def _scorer(self, entry: Entry) -> Scorer | None:
        if entry.model is None:
            return None
        if entry.model not in self._scorers:
            folder = self.folder / MODELS / entry.model
            self._scorers[entry.model] = store.load(folder, manifest_sha256=entry.manifest_sha256)
        return self._scorers[entry.model]


@contextmanager
def opened(folder: Path) -> Iterator[State]:
    """Yield the state in a folder, made where there is none; no other process gets it meanwhile.

    What a killed refresh left behind is removed. A folder that was made here goes again where nothing was kept.

    Raises
    ------
    StateError : another refresh is at work there, the index is not whole, or the folder cannot be written
    """
    made = [place for place in (folder, *folder.absolute().parents) if not place.exists()]
    lock = _locked(folder)
    try:
        entries = read_index(folder)
        _remove_leftovers(folder, entries)
        yield State(folder, entries)
    finally:
        if made and not (folder / INDEX).exists():
            _remove_made(made)
        lock.release()


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise StateError(
            f"another refresh is at work on {folder}; wait for it, or give another folder (--set refresh.state=FOLDER)"
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    return lock


def _remove_made(folders: list[Path]) -> None:
    """Remove a state folder without an index, and those above it that were made with it and hold nothing else."""
    artifacts.remove(folders[0])
    with suppress(OSError):  # one that is not empty stays
        for folder in folders[1:]:
            folder.rmdir()


def _keep_model(models: Path, memory: Memory) -> tuple[str | None, str | None]:
    """Write the model unless it is there; return the name of its folder, and the checksum of its manifest."""
    if memory.scorer is None:
        return None, None
    kept = models / memory.model
    if memory.model and (kept / store.MANIFEST).is_file():
        return kept.name, sha256(kept / store.MANIFEST)
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models, prefix=".new-") as place:
        written = Path(place) / "model"
        written.mkdir()
        manifest = store.save(memory.scorer, written)
        kept = models / (memory.model or manifest[:_DIGITS])
        artifacts.settle(written, kept)
    return kept.name, manifest


def _free_name(refreshes: Path, day: date) -> Path:
    refreshes.mkdir(parents=True, exist_ok=True)
    names = (refreshes / f"{day}-{number}" for number in itertools.count(1))
    return next(name for name in names if not name.exists())


def _remove_leftovers(folder: Path, entries: tuple[Entry, ...]) -> None:
    """Remove what the index does not refer to."""
    referred: dict[str, set[str | None]] = {
        REFRESHES: {entry.folder for entry in entries},
        MODELS: {entry.model for entry in entries},
    }
    for place, names in referred.items():
        for path in (folder / place).glob("*"):
            if path.name not in names:
                artifacts.remove(path)


def _moment(entry: Entry) -> pd.Timestamp:
    return windows.as_timestamp(entry.as_of)


def _unwritable(folder: Path, error: OSError) -> StateError:
    return StateError(
        f"{folder}, where refreshes are kept, cannot be written: {error.strerror or error}; give another folder "
        "(--set refresh.state=FOLDER)"
    )
