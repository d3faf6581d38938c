"""Files behind a URL, through fsspec: s3, https, gs, sftp, and whatever else has a package of its own.

Who may read them is the business of those packages and of the environment; what a URL carries of it (a password, a
signature) is used, and never repeated.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO
from urllib.parse import unquote

from segml.schema import DataError

USER = r"[^/]*@|[^/:@]*:(?!\d+/)[^@]*@"  # the second: a password with a bare /
ADDRESS = re.compile(rf"([A-Za-z][A-Za-z0-9+.-]*)://(?:{USER})?([^?#]*)(?:[?#].*)?", re.DOTALL)
PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "sftp": "paramiko", "ssh": "paramiko", "abfs": "adlfs", "az": "adlfs"}
WEB = ("http", "https")
KNOWN = ("s3", "https", "gs", "sftp", "abfs", "postgresql")
CONNECT_S, SILENCE_S = 10, 60
"""How long a web server may take to answer, and to say nothing in the middle."""

NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "DefaultCredentialsError"}
UNREACHED = {
    "ClientConnectionError",
    "EndpointConnectionError",
    "ConnectionError",
    "gaierror",
    "NoValidConnectionsError",
}
REFUSED = "access is denied; check the credentials in the environment, and what they may read"
CREDENTIALS = "no credentials are found; set those of the service in the environment (docs/files.md)"


def is_remote(source: str) -> bool:
    """Tell whether a source is a URL rather than a path."""
    return bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source))


def redact_url(source: str) -> str:
    """Return a source without user, password, signature and other options.

    >>> redact_url("https://anna:s3cret@host/sales.parquet?X-Amz-Signature=abc"), redact_url("sales#1.parquet")
    ('https://host/sales.parquet', 'sales#1.parquet')
    """
    found = ADDRESS.fullmatch(source)
    return f"{found[1]}://{found[2]}" if found else source


@dataclass(frozen=True)
class RemotePath:
    """A file or folder of a file system of fsspec, with as much of a ``Path`` as readers use.

    ``path`` is what the file system calls it, with whatever the address held; ``str()`` is fit for messages.
    """

    system: Any = field(repr=False)
    path: str = field(repr=False)
    shown: str
    known_size: int | None = None

    def __str__(self) -> str:
        return self.shown

    @property
    def name(self) -> str:
        """Last part of the address."""
        return PurePosixPath(self.shown).name

    @property
    def suffixes(self) -> list[str]:
        """Endings of the name."""
        return PurePosixPath(self.shown).suffixes

    def relative_to(self, root: RemotePath | Path) -> PurePosixPath:
        """Return the part of the address below a folder's."""
        return PurePosixPath(self.shown).relative_to(str(root))

    @property
    def parent(self) -> RemotePath:
        """The folder of a file."""
        return RemotePath(self.system, self.path.rpartition("/")[0], self.shown.rpartition("/")[0])

    def below(self, relative: str, size: int | None = None) -> RemotePath:
        """Return a file or folder below this one."""
        return RemotePath(
            self.system, f"{self.path.rstrip('/')}/{relative}", f"{self.shown.rstrip('/')}/{relative}", size
        )

    @cached_property
    def local(self) -> Path:
        """A copy on the disk, fetched at the first use and kept as long as this path."""
        folder = tempfile.mkdtemp(prefix="segml-remote-")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        target = Path(folder) / (self.name or "file")
        with reaching(self):
            self.system.get_file(self.path, str(target))
        return target

    def open(self, mode: str = "rb") -> BinaryIO:
        """Open the copy on the disk."""
        return self.local.open("rb")


def locate(source: str) -> RemotePath:
    """Return what a URL leads to; nothing is asked of the server yet.

    Raises
    ------
    DataError : no such protocol, or its package is not installed
    """
    protocol = source.partition("://")[0].lower()
    shown = redact_url(source)
    try:
        import fsspec
        from fsspec.core import url_to_fs
    except ImportError:
        raise DataError(f"{shown}: reading remote files needs fsspec: pip install 'segml[remote]'") from None
    if protocol in ("file", "local", "memory") or protocol not in fsspec.available_protocols():
        raise DataError(
            f"{protocol}:// addresses cannot be read; known: {', '.join(KNOWN)}, and others that fsspec has"
        )
    try:
        options = _web_options() if protocol in WEB else {}
        system, path = url_to_fs(source, skip_instance_cache=True, use_listings_cache=False, **options)
    except ImportError:
        raise DataError(f"{shown}: {protocol}:// needs {_package(protocol)}") from None
    except Exception as error:  # each file system has errors of its own, and some connect at once
        raise DataError(f"{shown} {_reason(error)}") from None
    return RemotePath(system, path, shown)


def is_pattern(place: RemotePath) -> bool:
    """Tell whether an address is a glob; in that of a web server the part after ``?`` is not."""
    return bool(re.search(r"[*\[]", place.shown))


def is_folder(place: RemotePath) -> bool:
    """Tell folders from files; to web servers all is alike, so an address that ends like no file's counts as one.

    Raises
    ------
    DataError : nothing there, or it cannot be reached
    """
    with reaching(place):
        kind = place.system.info(place.path)["type"]
    return bool(kind == "directory" or (_is_web(place) and (place.shown.endswith("/") or not place.suffixes)))


def exists(place: RemotePath) -> bool:
    """Tell whether something is there; what may not be seen counts as absent."""
    with reaching(place):
        return bool(place.system.exists(place.path))


def files_in(folder: RemotePath) -> list[RemotePath]:
    """Return all files below a folder, with their sizes where the listing tells them."""
    with reaching(folder):
        found = folder.system.find(folder.path, detail=True)
    return [_found(folder, folder.path, path, facts) for path, facts in found.items()]


def matching(pattern: RemotePath) -> tuple[RemotePath, list[RemotePath]]:
    """Return the folder before the first sign of a glob, and the files that match."""
    fixed = re.split(r"[*\[]", pattern.path)[0].rpartition("/")[0]
    shown = re.split(r"[*\[]", pattern.shown)[0].rpartition("/")[0]
    root = RemotePath(pattern.system, fixed, shown)
    with reaching(pattern):
        found = pattern.system.glob(pattern.path, detail=True)
    files = {path: facts for path, facts in found.items() if facts["type"] == "file"}
    return root, [_found(root, fixed, path, facts) for path, facts in files.items()]


def sizes(files: Sequence[RemotePath]) -> list[int]:
    """Return the size of each file, in bytes; asked of the server where the listing did not tell.

    Raises
    ------
    DataError : a server does not tell
    """
    unknown = [file for file in files if file.known_size is None]
    asked = {}
    if unknown:
        with reaching(unknown[0]):
            asked = dict(zip(unknown, unknown[0].system.sizes([file.path for file in unknown]), strict=True))
    found = [file.known_size if file.known_size is not None else asked[file] for file in files]
    for file, size in zip(files, found, strict=True):
        if size is None:
            raise DataError(f"{file}: the server does not tell the file's size; fetch it, and read it from the disk")
    return [int(size) for size in found if size is not None]


@contextmanager
def reaching(place: RemotePath) -> Iterator[None]:
    """Turn what file systems raise into a ``DataError`` that says what is wrong, and no secret."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # each file system has errors of its own
        raise DataError(f"{place} {_reason(error)}") from None


def _reason(error: BaseException) -> str:
    cause = error.__cause__
    if cause is not None and (isinstance(cause, TimeoutError) or type(cause).__module__.startswith("aiohttp")):
        return _reason(cause)  # to fsspec, whatever a web server does not give is not found
    code = getattr(error, "status", None)
    names = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, FileNotFoundError) or code in (404, 410):
        return "does not exist"
    if isinstance(error, PermissionError) or code in (401, 403) or "AuthenticationException" in names:
        return f"cannot be read: {REFUSED}"
    if isinstance(error, TimeoutError | asyncio.TimeoutError) or any("Timeout" in name for name in names):
        return "cannot be read: the server does not answer in time"
    if NO_CREDENTIALS & names:
        return f"cannot be read: {CREDENTIALS}"
    if UNREACHED & names:
        return "cannot be read: the server cannot be reached; check the address, the network and its proxy settings"
    return f"cannot be read: the server refuses ({type(error).__name__}{f' {code}' if code else ''})"


def _found(root: RemotePath, fixed: str, path: str, facts: dict[str, Any]) -> RemotePath:
    relative = path.removeprefix(fixed).lstrip("/")
    shown = unquote(redact_url(f"x://h/{relative}").removeprefix("x://h/")) if _is_web(root) else relative
    return RemotePath(root.system, path, f"{root.shown.rstrip('/')}/{shown}", facts.get("size"))


def _is_web(place: RemotePath) -> bool:
    return place.shown.partition("://")[0].lower() in WEB


def _package(protocol: str) -> str:
    if protocol in (*WEB, "s3", "s3a"):
        return "its package: pip install 'segml[remote]'"
    return f"a package of its own: {f'pip install {PACKAGES[protocol]}' if protocol in PACKAGES else 'see fsspec'}"


def _web_options() -> dict[str, Any]:
    import aiohttp

    patience = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=SILENCE_S)
    return {"client_kwargs": {"trust_env": True, "timeout": patience}}  # proxies and .netrc, as other programs do
