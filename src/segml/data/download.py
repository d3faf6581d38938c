"""One file over HTTP: resumed where it broke off, tried again with growing waits, never larger than expected."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from segml.schema import DataError

logger = logging.getLogger(__name__)

CHUNK_BYTES = 16 * 1024
BUSY = {408, 425, 429, 500, 502, 503, 504}
BROKEN = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is in all."""


@dataclass(frozen=True)
class Patience:
    """How often to try without receiving anything new, how long to wait in between, and how long for an answer."""

    tries: int = 4
    first_wait_s: float = 1.0
    connect_timeout_s: float = 10.0
    read_timeout_s: float = 60.0


class _BrokenTransferError(Exception):
    """The transfer ended early, or the server is busy: worth another try."""


def download(
    url: str,
    part: Path,
    *,
    limit: int,
    expected_bytes: int | None = None,
    patience: Patience | None = None,
    progress: Progress | None = None,
) -> None:
    """Download a file to ``part``, going on from what is already there.

    The caller checks the content: what a run before this one left may be of an older file on the server.

    Parameters
    ----------
    part : the file to write; kept when the transfer breaks, so that the next call goes on from there
    limit : bytes that the file may have at most
    expected_bytes : the size of the file where it is known
    progress : called with bytes done and bytes in all (``limit`` where nobody knows)

    Raises
    ------
    DataError : the server cannot be reached, refuses, keeps breaking off, or offers a file of another size
    OSError : ``part`` cannot be written
    """
    patience = patience if patience is not None else Patience()
    with requests.Session() as session:
        transfer = _Transfer(session, url, part, limit, expected_bytes, patience, progress)
        furthest, failures = transfer.size, 0
        while not transfer.is_complete:
            try:
                transfer.attempt()
            except _BrokenTransferError as error:
                failures = 1 if transfer.size > furthest else failures + 1
                furthest = max(furthest, transfer.size)
                logger.warning("%s: %s", url, error)
                if failures >= patience.tries:
                    raise DataError(_gave_up(transfer, error, failures)) from error
                time.sleep(patience.first_wait_s * 2 ** (failures - 1))
            else:
                return


def _gave_up(transfer: _Transfer, error: Exception, failures: int) -> str:
    kept = f"; the first {transfer.size:,} bytes are kept in {transfer.part}" if transfer.size else ""
    return f"{transfer.url} cannot be downloaded: {error} (tried {failures} times{kept})"


@dataclass
class _Transfer:
    """One file on its way; remembers by which mark the server knows this version of it."""

    session: requests.Session
    url: str
    part: Path
    limit: int
    expected_bytes: int | None
    patience: Patience
    progress: Progress | None
    version: str | None = None

    @property
    def size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    @property
    def is_complete(self) -> bool:
        return self.expected_bytes is not None and self.size == self.expected_bytes

    def attempt(self) -> None:
        """Ask for what is missing and write it down."""
        timeout = (self.patience.connect_timeout_s, self.patience.read_timeout_s)
        try:
            with self.session.get(self.url, headers=self._headers(), stream=True, timeout=timeout) as response:
                self._receive(response)
        except BROKEN as error:
            raise _BrokenTransferError(_reason(error)) from error
        except requests.RequestException as error:
            raise DataError(f"{self.url} cannot be downloaded: {error}") from error

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self.size:
            headers["Range"] = f"bytes={self.size}-"
            if self.version is not None:
                headers["If-Range"] = self.version
        return headers

    def _receive(self, response: requests.Response) -> None:
        offset, total = self.size, _total_bytes(response)
        match response.status_code:
            case 200:
                self._write(response, 0, total)
            case 206 if self._continues(response, offset):
                self._write(response, offset, total)
            case 416 if total == offset:
                return
            case 206 | 416:
                self.part.unlink(missing_ok=True)
                raise _BrokenTransferError("the file on the server has changed in between")
            case status if status in BUSY:
                raise _BrokenTransferError(f"the server answered {status} {response.reason}")
            case status:
                raise DataError(f"{self.url} cannot be downloaded: the server answered {status} {response.reason}")

    def _continues(self, response: requests.Response, offset: int) -> bool:
        same_version = self.version is None or _version(response) in (None, self.version)
        return same_version and response.headers.get("Content-Range", "").startswith(f"bytes {offset}-")

    def _write(self, response: requests.Response, offset: int, total: int | None) -> None:
        if total is not None and (total > self.limit or self.expected_bytes not in (None, total)):
            raise self._wrong_size(f"{total:,}")
        self.version = _version(response)
        in_all = total or self.expected_bytes
        done = self._append(response, offset, in_all or self.limit)
        if done > self.limit:
            self.part.unlink()
            raise self._wrong_size(f"more than {self.limit:,}")
        if in_all is not None and done < in_all:
            raise _BrokenTransferError(f"the transfer ended after {done:,} of {in_all:,} bytes")

    def _append(self, response: requests.Response, offset: int, in_all: int) -> int:
        done = offset
        with self.part.open("ab" if offset else "wb") as file:
            for chunk in response.iter_content(CHUNK_BYTES):
                done += len(chunk)
                if done > self.limit:
                    break
                file.write(chunk)
                file.flush()  # what is here outlives the process
                if self.progress is not None:
                    self.progress(done, in_all)
        return done

    def _wrong_size(self, found: str) -> DataError:
        expected = f"at most {self.limit:,}" if self.expected_bytes is None else f"{self.expected_bytes:,}"
        return DataError(f"{self.url} offers a file of {found} bytes, expected {expected}: it is not the published one")


def _total_bytes(response: requests.Response) -> int | None:
    """Return the size of the whole file as the answer states it; None where it does not."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return None
    if response.status_code in (206, 416):
        stated = re.fullmatch(r"bytes .+/(\d+)", response.headers.get("Content-Range", ""))
        return int(stated.group(1)) if stated else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def _version(response: requests.Response) -> str | None:
    """Return a mark that changes with the file: a strong ETag, else the date of change (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _reason(error: requests.RequestException) -> str:
    """Return the innermost cause in words: urllib3 wraps it several times over."""
    cause = error.args[0] if error.args else error
    cause = getattr(cause, "reason", cause)
    if isinstance(cause, Exception) and cause.args and isinstance(cause.args[0], str):
        cause = cause.args[0]
    return str(cause).rpartition("): ")[2] or str(cause)
