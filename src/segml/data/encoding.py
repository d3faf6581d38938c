"""How a text file is encoded: a byte-order mark decides, else the configuration, else UTF-8 where that is true."""

from __future__ import annotations

import codecs
import encodings.aliases
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from segml.data.paths import AnyPath, on_disk, opening
from segml.schema import ConfigError, DataError, did_you_mean

KEY = "data.format.encoding"
CHUNK = 1 << 20
GZIP_MARK = b"\x1f\x8b"
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class TextFile:
    """A text file whose every byte decodes; ``quotes`` counts its double quotes."""

    path: AnyPath
    is_gzip: bool
    encoding: str
    quotes: int

    def open(self) -> gzip.GzipFile | io.BufferedReader:
        """Return the file's bytes, decompressed."""
        return _open(self.path, self.is_gzip)


def examine(path: AnyPath, configured: str | None) -> TextFile:
    """Return how to decode a plain or gzipped text file, after decoding all of it once.

    Raises
    ------
    DataError : not text, a broken gzip file, or bytes that the encoding does not know
    ConfigError : ``configured`` is no encoding
    """
    encoding = _known(configured) if configured is not None else "utf-8"
    with opening(path), on_disk(path).open("rb") as file:
        is_gzip = file.read(2) == GZIP_MARK
    head = next(_chunks(path, is_gzip), b"")
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), None)
    if marked is None:
        _require_text(path, head, encoding)
        _require_not_utf8(path, is_gzip, encoding)
    chosen = marked or encoding
    try:
        return TextFile(path, is_gzip, chosen, _decode(path, is_gzip, chosen).quotes)
    except _UndecodableError as error:
        raise DataError(f"{path}, line {error.line}, {_remedy(chosen, error.chunk)}") from None


@dataclass(frozen=True)
class _Decoded:
    quotes: int
    is_ascii: bool


class _UndecodableError(Exception):
    def __init__(self, line: int, chunk: bytes) -> None:
        super().__init__(line)
        self.line = line
        self.chunk = chunk


def _known(configured: str) -> str:
    try:
        return codecs.lookup(configured).name
    except LookupError:
        known = sorted(alias.replace("_", "-") for alias in encodings.aliases.aliases)
        raise ConfigError(f"{KEY}: {configured!r} is not an encoding{did_you_mean(configured, known)}") from None


def _open(path: AnyPath, is_gzip: bool) -> gzip.GzipFile | io.BufferedReader:
    file = on_disk(path)
    return gzip.open(file, "rb") if is_gzip else file.open("rb")


def _chunks(path: AnyPath, is_gzip: bool) -> Iterator[bytes]:
    try:
        with opening(path), _open(path, is_gzip) as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (EOFError, zlib.error):
        raise DataError(f"{path} is not a readable gzip file: it is cut off or damaged; fetch it again") from None


def _decode(path: AnyPath, is_gzip: bool, encoding: str) -> _Decoded:
    decoder = codecs.getincrementaldecoder(encoding)()
    quotes, line, is_ascii = 0, 1, True
    for chunk in chain(_chunks(path, is_gzip), [b""]):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            raise _UndecodableError(line + error.object[: error.start].count(b"\n"), error.object) from None
        quotes, line, is_ascii = quotes + text.count('"'), line + text.count("\n"), is_ascii and text.isascii()
    return _Decoded(quotes, is_ascii)


def _require_text(path: AnyPath, head: bytes, encoding: str) -> None:
    if b"\0" in head and not encoding.startswith(("utf-16", "utf-32")):
        raise DataError(
            f"{path} is not a text file: it holds zero bytes; if it is UTF-16 without a byte-order mark, "
            f"set {KEY}: utf-16-le"
        )


def _require_not_utf8(path: AnyPath, is_gzip: bool, encoding: str) -> None:
    """Text in another encoding is hardly ever valid UTF-8 by chance; reading UTF-8 as that garbles it unseen."""
    if encoding.startswith("utf"):
        return
    try:
        is_utf8 = not _decode(path, is_gzip, "utf-8").is_ascii
    except _UndecodableError:
        return
    if is_utf8:
        raise DataError(f"{path} is UTF-8, and {encoding} would garble it; remove {KEY}, or convert the file")


def _remedy(encoding: str, chunk: bytes) -> str:
    if encoding != "utf-8":
        return f"is not {encoding}; set {KEY} to the file's encoding"
    guess = _likely_encoding(chunk)
    return f"is not UTF-8; probably {guess}; set {KEY}: {guess}"


def _likely_encoding(chunk: bytes) -> str:
    """Cyrillic words are runs of high bytes; in western European text accented letters stand alone."""
    runs = re.findall(rb"[\x80-\xff]+", chunk)
    return "windows-1251" if sum(map(len, runs)) >= 2 * len(runs) else "windows-1252"
