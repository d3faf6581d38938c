"""The folder in which a feature table is built piece by piece, so that a stopped build goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from segml.artifacts import UNFINISHED, remove, unfinished
from segml.schema import OutputError

LINES, SPILL = "lines", "spill"
"""Folders for the lines by bucket, and for what does not fit into memory."""
_LOCK, _MANIFEST = "lock", "manifest.json"


@dataclass(frozen=True)
class WorkFolder:
    """A folder with the pieces of one build; a piece under its final name is whole."""

    path: Path
    buckets: int

    @property
    def lines(self) -> Path:
        """The lines by bucket, once all of them are there."""
        return self.path / LINES

    @property
    def spill(self) -> Path:
        """What does not fit into the data base's memory."""
        return self.path / SPILL

    def run(self, bucket: int) -> Path:
        """Return where the aggregates of a bucket go."""
        return self.path / f"bucket-{bucket:05d}.arrow"

    def name_for(self, output: Path) -> Path:
        """Return a temporary name beside the output that no build with another work folder uses."""
        return output.with_name(f".{output.name}.{_digits(self.path.absolute())}{UNFINISHED}")

    def missing(self) -> list[int]:
        """Return the buckets whose aggregates are not there yet."""
        return [bucket for bucket in range(self.buckets) if not self.run(bucket).exists()]


def beside(output: Path, scratch: Path | None = None) -> Path:
    """Return the work folder of an output file: beside it, or in a folder for temporary files.

    >>> beside(Path("out/features.parquet")).as_posix()
    'out/.features.parquet.building'
    """
    if scratch is None:
        return output.parent / f".{output.name}.building"
    return scratch / f".{output.name}-{_digits(output.absolute())}.building"


@contextmanager
def opened(path: Path, build: Mapping[str, Any] | None, buckets: int) -> Iterator[WorkFolder]:
    """Yield the work folder of a build; it vanishes in the end, and stays where finished buckets are worth keeping.

    Buckets that the same build, stopped, left behind are found again, with their number; those of another are removed.

    Parameters
    ----------
    build : what tells this build from others, as JSON has it; None: nothing that is there is used
    buckets : into how many buckets the customers are to be split if nothing is there yet

    Raises
    ------
    OutputError : another process works there, or the folder cannot be made
    """
    lock = _locked(path)
    try:
        work = WorkFolder(path, _continued(path, build) or _begun(path, build, buckets))
        try:
            yield work
        except BaseException:
            _keep_finished(work)
            raise
        shutil.rmtree(path, ignore_errors=True)
    finally:
        lock.release()


def _locked(path: Path) -> FileLock:
    lock = FileLock(path / _LOCK)
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise OutputError(
            f"the same output is being built by another process, in {path}; wait for it, or give another --output"
        ) from None
    except OSError as error:
        raise OutputError(
            f"the folder {path}, in which to build, cannot be made: {error.strerror or error}; give another --output, "
            "or a folder under engine.scratch (--scratch)"
        ) from None
    return lock


def _continued(path: Path, build: Mapping[str, Any] | None) -> int | None:
    """Return the number of buckets of the same build that was stopped; None where there is none."""
    if build is None:
        return None
    try:
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return int(manifest["buckets"]) if manifest["build"] == build else None


def _begun(path: Path, build: Mapping[str, Any] | None, buckets: int) -> int:
    for entry in path.iterdir():
        if entry.name != _LOCK:
            remove(entry)
    with unfinished(path / _MANIFEST) as temporary:
        temporary.write_text(json.dumps({"build": build, "buckets": buckets}, indent=2), encoding="utf-8")
    return buckets


def _keep_finished(work: WorkFolder) -> None:
    """Remove what a stopped build cannot use again: everything, where no bucket is finished."""
    remove(work.spill)
    if len(work.missing()) == work.buckets:
        remove(work.path)


def _digits(path: Path) -> str:
    """Return eight hexadecimal digits that tell a path from others."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:8]
