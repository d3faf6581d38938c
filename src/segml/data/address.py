"""Addresses of PostgreSQL servers: where to connect, what to read there, and what messages may show of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

from segml.data.remote import redact_url
from segml.schema import DataError

URL = re.compile(
    r"postgres(?:ql)?://(?:(?P<user>[^:@/?#]*)(?::(?P<password>[^@/?#]*))?@)?"
    r"(?P<host>(?:\[[0-9a-fA-F:.%]+\]|[\w.%-]*)(?::\d+)?(?:,[\w.-]+(?::\d+)?)*)"
    r"(?P<path>/[^@/?#]*)?(?:\?(?P<options>[^@#]*))?(?:#(?P<what>.*))?",
    re.DOTALL,
)
QUERY = re.compile(r"\s*(select|with|table|values)[\s(*]", re.IGNORECASE)
NAME = re.compile(r'(?:"(?:[^"]|"")+"|[^".\s@]+)')
TABLE = re.compile(rf"\s*{NAME.pattern}(?:\.{NAME.pattern})?\s*")
SECRETS = ("password", "sslpassword")
BROKEN = re.compile(
    r"server closed the connection|terminating connection|connection (?:is|was) (?:closed|lost)|Connection reset|"
    r"could not (?:send|receive) data|SSL SYSCALL|system is (?:shutting down|starting up|in recovery mode)"
)
"""What servers and drivers say of a connection that was there."""
SHOWN_QUERY = 60
CONNECT_TIMEOUT_S = 10


@dataclass(frozen=True)
class Server:
    """Where to connect; ``where`` is fit for messages, ``url`` is not."""

    url: str
    where: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Address(Server):
    """Where to connect and what to read: ``what`` stands after FROM, and ``table`` is its name where it is one."""

    what: str
    table: str | None


def is_database(source: str) -> bool:
    """Tell whether a source names a database server rather than files."""
    return source.startswith(("postgresql://", "postgres://"))


def redact(source: str) -> str:
    """Return a source as messages, logs and the tracking store may show it: without passwords and options.

    >>> redact("postgresql://reader:secret@db.example/sales?sslmode=require#public.orders")
    'postgresql://reader@db.example/sales#public.orders'
    >>> redact("sales.parquet")
    'sales.parquet'
    """
    if not is_database(source):
        return redact_url(source)
    parts = URL.fullmatch(source)
    return _where(parts) if parts and _names_rows(parts["what"] or "") else "postgresql://…"


def read_server(source: str) -> Server:
    """Return where an address, with or without a table, leads.

    Raises
    ------
    DataError : the address cannot be read
    """
    parts = _parts(source)
    return Server(_with_timeout(source.partition("#")[0]), _server(parts), _secrets(parts))


def read_address(source: str) -> Address:
    """Return what the address of a table or query says.

    Raises
    ------
    DataError : the address cannot be read, or names neither a table nor a query
    """
    parts = _parts(source)
    if not _names_rows(parts["what"] or ""):
        raise DataError(
            "the postgresql:// address must end in a table, as #orders or #sales.orders, or a query, as #select …"
        )
    server = read_server(source)
    return Address(server.url, _where(parts), server.secrets, *_relation(parts["what"]))


def _parts(source: str) -> re.Match[str]:
    parts = URL.fullmatch(source)
    if not parts:
        raise DataError(
            "the database address cannot be read; expected postgresql://user@host:5432/database#schema.table, where "
            "/ # @ : within the user name or password are written %2F %23 %40 %3A"
        )
    return parts


def _secrets(parts: re.Match[str]) -> tuple[str, ...]:
    """Return the passwords as they are written and as they are meant."""
    options = parse_qsl(parts["options"] or "")
    found = [parts["password"] or "", *(value for name, value in options if name in SECRETS)]
    return tuple({spelling for secret in found for spelling in (secret, unquote(secret)) if spelling})


def _with_timeout(url: str) -> str:
    if "connect_timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT_TIMEOUT_S}"


def _server(parts: re.Match[str]) -> str:
    user = f"{parts['user']}@" if parts["user"] else ""
    return f"postgresql://{user}{parts['host']}{parts['path'] or ''}"


def _where(parts: re.Match[str]) -> str:
    what = " ".join(parts["what"].split())
    shown = what if len(what) <= SHOWN_QUERY else what[:SHOWN_QUERY] + "…"
    return f"{_server(parts)}#{shown}"


def _names_rows(what: str) -> bool:
    """Tell whether this is a query or a table, and not, say, the rest of a password with a bare #."""
    return bool(QUERY.match(what) or TABLE.fullmatch(what))


def _relation(what: str) -> tuple[str, str | None]:
    """Return what stands after FROM, and the table's name where it is one."""
    if QUERY.match(what):
        return f"({what.strip().rstrip(';')}\n)", None  # on a line of its own, after a comment perhaps
    names = [name.strip('"').replace('""', '"') for name in NAME.findall(what)]
    return ".".join(map(quote, names)), ".".join(names)


def quote(name: str) -> str:
    """Return a name as SQL writes it.

    >>> print(quote('the "best" lines'))
    "the ""best"" lines"
    """
    return '"' + name.replace('"', '""') + '"'


def said(message: str, secrets: Sequence[str]) -> str:
    """Return the server's own words without passwords, our query and the arrow below it, and what to do."""
    for secret in secrets:
        message = message.replace(secret, "***")
    words = " ".join(re.split(r"\nLINE |Query was:|\. SQLSTATE", message)[0].split())
    if not BROKEN.search(words):
        return words
    return f"{words.rstrip('.')}; the connection broke: see that the server runs, and start the same again"
