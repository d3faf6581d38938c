"""A table or query of a PostgreSQL server, read through ADBC.

A source is one string: the server's URL, ``#``, and a table or a query, taken as they stand::

    postgresql://reader@db.example/sales#public.order_lines
    postgresql://reader@db.example/sales#select * from order_lines where region = 'North'

In the URL, characters such as ``/ # @ :`` of the user name or password are percent-encoded. A password is better
kept in ``~/.pgpass`` or ``PGPASSWORD``, which the server's own library reads; no message repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

import pyarrow as pa
from ibis.expr.types import Table

from segml.data.frames import store
from segml.data.source import Pick, Source
from segml.schema import DataError, did_you_mean

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
SHOWN_QUERY = 60
CONNECT_TIMEOUT_S = 10
LISTING = """
    select schema_.nspname || '.' || relation.relname from pg_class as relation
    join pg_namespace as schema_ on schema_.oid = relation.relnamespace
    where relation.relkind in ('r', 'v', 'm', 'p', 'f')
    and schema_.nspname !~ '^pg_' and schema_.nspname <> 'information_schema' order by 1
"""


@dataclass(frozen=True)
class Address:
    """Where to connect and what to read; ``where`` is fit for messages, ``url`` is not."""

    url: str
    where: str
    what: str
    table: str | None
    secrets: tuple[str, ...]


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
        return source
    parts = URL.fullmatch(source)
    return _where(parts) if parts and _names_rows(parts["what"] or "") else "postgresql://…"


def open_database(source: str, backend: Any) -> Source:
    """Return a table or query of a PostgreSQL server as a source.

    Raises
    ------
    DataError : no driver, an address that cannot be read, a server that refuses, no such table
    """
    address = _address(source)
    with _cursor(address) as cursor:
        _require_table(cursor, address)
        cursor.execute(f"select * from {address.what} as source limit 0")
        fields = cursor.fetch_arrow_table().schema

    def load(picks: Sequence[Pick]) -> Table:
        columns = ", ".join(f"{_plain(fields.field(pick.source), pick)} as {_quote(pick.name)}" for pick in picks)
        with _cursor(address) as cursor:
            cursor.execute(f"select {columns} from {address.what} as source")
            return store(cursor.fetch_arrow_table(), backend, address.where)

    return Source(address.where, tuple(fields.names), load)


def _address(source: str) -> Address:
    parts = URL.fullmatch(source)
    if not parts:
        raise DataError(
            "the database address cannot be read; expected postgresql://user@host:5432/database#schema.table, where "
            "/ # @ : within the user name or password are written %2F %23 %40 %3A"
        )
    if not _names_rows(parts["what"] or ""):
        raise DataError(
            "the postgresql:// address must end in a table, as #orders or #sales.orders, or a query, as #select …"
        )
    options = parse_qsl(parts["options"] or "")
    secrets = [parts["password"] or "", *(value for name, value in options if name in SECRETS)]
    spellings = {spelling for secret in secrets for spelling in (secret, unquote(secret)) if spelling}
    what, table = _relation(parts["what"])
    return Address(_with_timeout(source.partition("#")[0]), _where(parts), what, table, tuple(spellings))


def _with_timeout(url: str) -> str:
    if "connect_timeout=" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}connect_timeout={CONNECT_TIMEOUT_S}"


def _where(parts: re.Match[str]) -> str:
    user = f"{parts['user']}@" if parts["user"] else ""
    what = " ".join(parts["what"].split())
    shown = what if len(what) <= SHOWN_QUERY else what[:SHOWN_QUERY] + "…"
    return f"postgresql://{user}{parts['host']}{parts['path'] or ''}#{shown}"


def _names_rows(what: str) -> bool:
    """Tell whether this is a query or a table, and not, say, the rest of a password with a bare #."""
    return bool(QUERY.match(what) or TABLE.fullmatch(what))


def _relation(what: str) -> tuple[str, str | None]:
    """Return what stands after FROM, and the table's name where it is one."""
    if QUERY.match(what):
        return f"({what.strip().rstrip(';')}\n)", None  # on a line of its own, after a comment perhaps
    names = [name.strip('"').replace('""', '"') for name in NAME.findall(what)]
    return ".".join(map(_quote, names)), ".".join(names)


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _cursor(address: Address) -> Iterator[Any]:
    try:
        from adbc_driver_manager.dbapi import Error
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise DataError("reading from PostgreSQL needs its driver: pip install 'segml[postgres]'") from None
    try:
        with dbapi.connect(address.url) as connection, connection.cursor() as cursor:
            cursor.execute("set transaction read only")
            yield cursor
    except Error as error:
        raise DataError(f"{address.where}: {_said(str(error), address.secrets)}") from None


def _said(message: str, secrets: Sequence[str]) -> str:
    """Return the server's own words without passwords, our query and the arrow below it."""
    for secret in secrets:
        message = message.replace(secret, "***")
    return " ".join(re.split(r"\nLINE |Query was:|\. SQLSTATE", message)[0].split())


def _require_table(cursor: Any, address: Address) -> None:
    if address.table is None:
        return
    literal = address.what.replace("'", "''")
    cursor.execute(f"select to_regclass('{literal}') is null")
    if not cursor.fetchone()[0]:
        return
    cursor.execute(LISTING)
    tables = [name for (name,) in cursor.fetchall()]
    known = [*tables, *(name.removeprefix("public.") for name in tables if name.startswith("public."))]
    raise DataError(
        f"{address.where}: there is no table {address.table!r}; found {tables}{did_you_mean(address.table, known)}"
    )


def _plain(field: pa.Field, pick: Pick) -> str:
    """Return the column as a type that Arrow holds: numeric and money arrive as text or cents otherwise."""
    column = f"source.{_quote(pick.source)}"
    metadata = field.metadata or {}
    found = metadata.get(b"POSTGRESQL:type", metadata.get(b"ADBC:postgresql:typname"))
    if found in (b"numeric", b"money") and pick.kind == "number":
        return f"{column}::numeric::float8"
    is_foreign = isinstance(field.type, pa.BaseExtensionType) or found == b"money"
    return f"{column}::text" if is_foreign else column
