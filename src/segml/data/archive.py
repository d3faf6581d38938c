"""One member of a zip archive: taken by its name into memory, its size limited, its checksum checked."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path, PurePosixPath

from segml.schema import DataError, did_you_mean


def read_member(
    archive: Path,
    member: str,
    *,
    limit: int,
    archive_sha256: str | None = None,
    member_sha256: str | None = None,
) -> bytes:
    """Return the content of the archive's only file of this name, in whatever folder it lies.

    Nothing is written, so names inside the archive cannot point anywhere.

    Parameters
    ----------
    limit : bytes that the member may have at most
    archive_sha256, member_sha256 : expected checksums; None where none is known (a zip has one of its own, CRC-32)

    Raises
    ------
    DataError : a checksum differs, or the archive is broken, lacks the member or holds too large a one
    """
    if archive_sha256 is not None:
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        _compare(found, archive_sha256, str(archive))
    content = _content(archive, member, limit)
    if member_sha256 is not None:
        _compare(hashlib.sha256(content).hexdigest(), member_sha256, f"{member} in {archive}")
    return content


def _content(archive: Path, member: str, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            info = _find(opened, member, archive)
            with opened.open(info) as file:
                content = file.read(limit + 1)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise DataError(f"{archive} is not a zip archive that can be read: {error}") from error
    if len(content) > limit:
        raise DataError(f"{member} in {archive} is larger than the {limit:,} bytes that are expected")
    return content


def _find(opened: zipfile.ZipFile, member: str, archive: Path) -> zipfile.ZipInfo:
    found = [info for info in opened.infolist() if PurePosixPath(info.filename).name == member]
    if len(found) != 1:
        names = opened.namelist()
        raise DataError(
            f"{archive} must hold one file named {member!r}; it holds {len(found)} among {len(names)} files"
            f"{did_you_mean(member, names) if not found else ''}"
        )
    return found[0]


def _compare(found: str, expected: str, what: str) -> None:
    if found != expected:
        raise DataError(f"{what} has the SHA-256 sum {found}, expected {expected}")
