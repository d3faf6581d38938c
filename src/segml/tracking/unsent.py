"""What could not be sent: the record beside its files, with checksums, until ``python -m segml.upload`` sends it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from segml import artifacts
from segml.config import without_secrets
from segml.schema import TrackingError
from segml.tracking.record import Record

UNSENT = "unsent.json"
VERSION = 1
_LOCK = ".unsent.lock"


@dataclass(frozen=True)
class Unsent:
    """A record, the run that it was for, and when that began and ended (milliseconds)."""

    record: Record
    run_id: str
    key: str
    uri: str
    started_at: int
    ended_at: int


def leave(unsent: Unsent, folder: Path) -> None:
    """Write ``unsent.json`` into the folder, all at once; passwords in the store's address are left out."""
    content = {
        "version": VERSION,
        "run_id": unsent.run_id,
        "key": unsent.key,
        "uri": without_secrets(unsent.uri),
        "started_at": unsent.started_at,
        "ended_at": unsent.ended_at,
        "record": unsent.record.to_dict(),
        "files": {name: _digest(folder / name) for name in _files(unsent.record, folder)},
    }
    text = json.dumps({**content, "sha256": _checksum(content)}, indent=1, ensure_ascii=False)
    artifacts.write_file(folder / UNSENT, lambda path: path.write_text(text, encoding="utf-8"))


@contextmanager
def taken_up(folder: Path) -> Iterator[Unsent]:
    """Yield what could not be sent from a folder, kept from other processes meanwhile; it goes when the block succeeds.

    Raises
    ------
    TrackingError : another process is sending it, or see ``read_unsent``
    """
    lock = _locked(folder)
    try:
        yield read_unsent(folder)
        (folder / UNSENT).unlink()
        (folder / _LOCK).unlink(missing_ok=True)
    finally:
        lock.release()


def read_unsent(folder: Path) -> Unsent:
    """Return what could not be sent from a folder.

    Raises
    ------
    TrackingError : there is none, it is none of ours, or it or its files were changed since
    """
    path = folder / UNSENT
    content = _content(path)
    if content.get("version") != VERSION:
        raise TrackingError(
            f"{path} has version {content.get('version')}, this segml reads version {VERSION}; send it with the segml "
            "that wrote it"
        )
    stated = content.pop("sha256", None)
    if stated != _checksum(content):
        raise TrackingError(f"{path} is not as it was written: its checksum does not fit; it is not sent")
    _check_files(folder, content.pop("files"))
    del content["version"]
    return Unsent(**{**content, "record": Record.from_dict(content["record"])})


def _locked(folder: Path) -> FileLock:
    if not (folder / UNSENT).exists():
        raise _nothing_in(folder)
    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise TrackingError(f"another upload of {folder} is at work; nothing was sent by this one") from None
    except OSError as error:
        raise TrackingError(f"{folder} cannot be written ({error.strerror or error}); it is not sent") from None
    return lock


def _nothing_in(folder: Path) -> TrackingError:
    return TrackingError(
        f"{folder} holds no {UNSENT}: there is nothing to send, or it was sent; give the folder that the message of "
        "the failed command named"
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _nothing_in(path.parent) from None
    except (OSError, ValueError) as error:
        raise TrackingError(f"{path} cannot be read ({error}); it is not sent") from None
    if not isinstance(content, dict) or not {"version", "sha256"} <= set(content):
        raise TrackingError(f"{path} was not written by segml; it is not sent")
    return content


def _check_files(folder: Path, digests: dict[str, str]) -> None:
    changed = [name for name, digest in digests.items() if _digest(folder / name) != digest]
    if changed:
        raise TrackingError(
            f"{len(changed)} file(s) in {folder} are not as the run wrote them, {changed[0]} among them; "
            "nothing is sent"
        )


def _files(record: Record, folder: Path) -> list[str]:
    places = [folder / name for name in (*record.files, record.model) if name]
    return [path.relative_to(folder).as_posix() for place in places for path in _below(place)]


def _below(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    return sorted(path for path in place.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return "missing"


def _checksum(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
