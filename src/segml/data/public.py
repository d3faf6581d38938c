"""A public data set: what is known of it, and how it comes into the folder where such data are kept.

The folder holds ``<file_name>`` once the data set is there. While it is fetched there is also
``<name>.zip.part``, which a later run goes on from, and ``<name>.parquet.part``; the final name appears in one step,
after the content has been checked. An archive that somebody put there by hand as ``<name>.zip`` is taken
instead of a download.
"""

from __future__ import annotations

import errno
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from segml.data.archive import read_member
from segml.data.conversion import Reader, write_parquet
from segml.data.download import Patience, Progress, download
from segml.data.fingerprint import Fingerprint
from segml.schema import DataError

logger = logging.getLogger(__name__)

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LOCK_WAIT_S = 1800.0


@dataclass(frozen=True)
class PublicData:
    """A published data set: where it comes from, how it is read, what it holds and under which terms.

    ``columns`` maps the canonical names of ``segml.schema.TRANSACTIONS`` to the original ones. A checksum or size of
    the archive is None where several archives with the same content are in circulation. ``disk_bytes`` is what the
    folder must have room for while the data set is fetched.
    """

    name: str
    title: str
    url: str
    archive_sha256: str | None
    archive_bytes: int | None
    member: str
    member_sha256: str | None
    member_limit: int
    reader: Reader
    file_name: str
    rows: int
    disk_bytes: int
    fingerprint: Fingerprint
    columns: Mapping[str, str]
    licence: str
    citation: str


def obtain(
    data: PublicData,
    home: Path,
    *,
    url: str | None = None,
    progress: Progress | None = None,
    patience: Patience | None = None,
    lock_wait_s: float = LOCK_WAIT_S,
) -> Path:
    """Return the Parquet file of a data set in ``home``; download it where it is not there.

    A file that is there is used when its content is right, and never overwritten. ``home`` may be read-only then.

    Parameters
    ----------
    url : another address of the same archive
    progress : called with the bytes done and the bytes in all; converting counts as much as downloading
    lock_wait_s : seconds to wait for another process that is fetching the same data set

    Raises
    ------
    DataError : the file there has another content; or the data set cannot be downloaded, checked, read or stored
    """
    target = home / data.file_name
    with _storage_errors(data, home):
        if target.exists():
            return _checked(data, target)
        data.reader.check()
        home.mkdir(parents=True, exist_ok=True)
        with _lock(data, home, lock_wait_s):
            if target.exists():  # another process was faster
                return _checked(data, target)
            by_hand = _by_hand(data, home)
            if by_hand.exists():
                _build_by_hand(data, by_hand, target, progress)
            else:
                _build_from_download(data, url or data.url, target, patience, progress)
    return target


def _checked(data: PublicData, target: Path) -> Path:
    try:
        content = data.fingerprint.identify(target)
    except DataError as error:
        raise DataError(
            f"{error}; so it is not the data set {data.name!r}: move it away, then "
            f"`python -m segml.data fetch {data.name}` downloads the published one"
        ) from error
    logger.info("%s: %s", target, content.title)
    return target


def _by_hand(data: PublicData, home: Path) -> Path:
    return home / f"{data.name}.zip"


def _build_by_hand(data: PublicData, archive: Path, target: Path, progress: Progress | None) -> None:
    try:
        _build(data, archive, target, progress)
    except DataError as error:
        raise DataError(f"{error}; replace {archive}, or take it away and let it be downloaded") from error


def _build_from_download(
    data: PublicData, url: str, target: Path, patience: Patience | None, progress: Progress | None
) -> None:
    part = _by_hand(data, target.parent).with_suffix(".zip.part")
    resumed = part.exists()
    _download(data, url, part, patience, progress)
    try:
        _build(data, part, target, progress)
    except DataError as error:
        part.unlink()
        if not resumed:
            raise DataError(
                f"{url} delivered a wrong file, which has been removed: {error}{_hint(data, part)}"
            ) from error
        logger.warning("%s: %s; what an earlier run left may be of an older file, so it is downloaded anew", url, error)
        _build_from_download(data, url, target, patience, progress)
    else:
        part.unlink()


def _download(data: PublicData, url: str, part: Path, patience: Patience | None, progress: Progress | None) -> None:
    first_half = None if progress is None else lambda done, in_all: progress(done, 2 * in_all)
    limit = data.archive_bytes or data.member_limit
    try:
        download(url, part, limit=limit, expected_bytes=data.archive_bytes, patience=patience, progress=first_half)
    except DataError as error:
        raise DataError(f"{error}{_hint(data, part)}") from error


def _hint(data: PublicData, part: Path) -> str:
    return (
        "; check the network and its proxy settings, or download the file elsewhere, put it at "
        f"{_by_hand(data, part.parent)} and try again"
    )


def _build(data: PublicData, archive: Path, target: Path, progress: Progress | None) -> None:
    """Check the archive, convert its member, check the result, and only then give it the final name."""
    content = read_member(
        archive,
        data.member,
        limit=data.member_limit,
        archive_sha256=data.archive_sha256,
        member_sha256=data.member_sha256,
    )
    size = archive.stat().st_size
    second_half = None if progress is None else lambda share: progress(size + round(size * share), 2 * size)
    draft = target.with_name(f"{target.name}.part")
    try:
        write_parquet(data.reader, content, draft, expected_rows=data.rows, progress=second_half)
        data.fingerprint.identify(draft)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _lock(data: PublicData, home: Path, wait_s: float) -> Iterator[None]:
    lock = FileLock(home / f".{data.name}.lock", timeout=wait_s)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        logger.warning("another process is fetching %s; waiting for it", data.name)
        _wait(lock, data)
    try:
        yield
    finally:
        lock.release()


def _wait(lock: BaseFileLock, data: PublicData) -> None:
    try:
        lock.acquire()
    except Timeout as error:
        raise DataError(
            f"another process has been fetching {data.name} for {lock.timeout:g} seconds (it holds {lock.lock_file}); "
            "end it, or wait and try again"
        ) from error


@contextmanager
def _storage_errors(data: PublicData, home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise DataError(
                f"{home} has no room ({error.strerror or error}): fetching {data.name} needs {data.disk_bytes:,} bytes "
                f"there, {shutil.disk_usage(home).free:,} are free; make room and try again (what was downloaded is "
                "kept), or point SEGML_DATA_HOME at another folder"
            ) from error
        raise DataError(
            f"the folder {home} cannot be read or written ({error.strerror or error}); point SEGML_DATA_HOME at one "
            "that can"
        ) from error
