"""PostgreSQL as the engine: transactions are cleaned, and features computed, where the rows are; only results leave.

What is computed on the way lies in temporary tables and views, which go with the connection. The user needs to read
the source and to create temporary tables, nothing else. To read rows out of the server instead, see
``segml.data.database``.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import ibis
from ibis.expr.types import Table

from segml.data.address import Server, is_database, quote, read_address, read_server, said
from segml.data.postgres_sql import Compiler
from segml.data.server_tables import Family, require_table, selected
from segml.data.source import Pick, Source
from segml.schema import DataError, Kind

NAME = "postgres"
SETTINGS = ("set jit = off",)
"""Compiling some hundred expressions costs more than it saves."""

_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("numeric", "money"), "decimal"),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), "moment"),
    **dict.fromkeys(("bool", "int2", "int4", "int8", "float4", "float8", "text", "varchar"), "plain"),
}
_NUMBERS = ("int2", "int4", "int8", "float4", "float8", "numeric", "money")
_READABLE: Mapping[Kind, Sequence[str]] = {
    "number": _NUMBERS,
    "time": ("date", "timestamp", "timestamptz"),
    "flag": ("bool", *_NUMBERS, "text", "varchar", "bpchar"),
}
_EXAMPLES: Mapping[Kind, str] = {"number": "::numeric", "time": "::timestamp", "flag": "::boolean"}


def connect(url: str) -> Any:
    """Return an Ibis backend on a PostgreSQL server, with which ``features.build`` and others compute there.

    The connection ends with ``backend.disconnect()``, or when the backend is not used any more.

    Parameters
    ----------
    url : ``postgresql://user@host/database``; what follows a ``#`` is left aside

    Raises
    ------
    DataError : no driver, an address that cannot be read, a server that refuses, or a user who may not create
        temporary tables; later on, whatever the server says instead of a result
    """
    if not is_database(url):
        raise DataError(
            "engine.kind: postgres computes in the data base that holds the transactions; data.transactions must be "
            "its address, as postgresql://user@host/database#schema.table"
        )
    server = read_server(url)
    try:
        import psycopg
    except ImportError:
        raise DataError("computing in PostgreSQL needs its driver: pip install 'segml[postgres]'") from None
    with _told(server):
        connection = psycopg.connect(
            server.url, autocommit=True, cursor_factory=_cursor(psycopg.Cursor, server), application_name="segml"
        )
    backend = _backend(connection)
    connection.server_cursor_factory = _cursor(psycopg.ServerCursor, server)
    _require_rights(connection, server)
    for setting in SETTINGS:
        connection.execute(setting)
    return backend


def is_postgres(backend: Any) -> bool:
    """Tell whether an Ibis backend is a PostgreSQL server."""
    return bool(backend.name == NAME)


def ours(table: Table) -> Table:
    """Return a table of Ibis' own backend as one of segml's, on the same connection: it sorts text by code points."""
    backend = table.get_backend()
    if isinstance(backend.compiler, Compiler):
        return table
    view = ibis.util.gen_name("table")
    backend._run_pre_execute_hooks(table)
    with backend.begin() as cursor:
        cursor.execute(f"create temp view {quote(view)} as {backend.compile(table)}")
    return _speaking(backend.con).table(view)


def refer(source: str, backend: Any) -> Source:
    """Return a table or query of the backend's own data base as a source whose rows stay there.

    Raises
    ------
    DataError : an address of another data base, no such table, or (on loading) a column of text where numbers or
        moments are needed
    """
    address = read_address(source)
    _require_same(address, backend)
    with backend.con.cursor() as cursor:
        require_table(cursor, address)
        cursor.execute(f"select * from {address.what} as source limit 0")
        types = {column.name: _type(column, backend.con) for column in cursor.description}
        if len(types) < len(cursor.description):
            raise DataError(
                f"{address.where} has several columns of one name; found {[c.name for c in cursor.description]}"
            )

    def load(picks: Sequence[Pick]) -> Table:
        for pick in picks:
            _require_type(pick, types[pick.source], address.where)
        families = {name: _FAMILIES.get(found, "foreign") for name, found in types.items()}
        view = ibis.util.gen_name("read")
        backend.con.execute(f"create temp view {quote(view)} as {selected(address.what, picks, families)}")
        return backend.table(view)

    return Source(address.where, tuple(types), load, lazy=True)


def hold(expression: Table, backend: Any, kind: str) -> Table:
    """Return an expression as a temporary table that is computed once, with statistics: without, plans go astray."""
    table = backend.create_table(ibis.util.gen_name(kind), obj=expression, temp=True)
    backend.con.execute(f"analyze {quote(table.op().name)}")
    return table


def release(name: str, backend: Any) -> None:
    """Drop a temporary table; one of a connection that broke went with it."""
    if not backend.con.closed:
        backend.drop_table(name, force=True)


def digest(table: Table, length: int) -> str:
    """Return hexadecimal digits over all rows, computed there; the order of rows does not matter, repeats do."""
    backend = table.get_backend()
    rows, total = backend.con.execute(
        "select count(*), sum(('x' || substr(md5(source::text), 1, 16))::bit(64)::bigint::numeric)::text "
        f"from ({backend.compile(table)}) as source"
    ).fetchone()
    words = (str(rows), str(total), ",".join(table.columns))
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:length]


def _backend(connection: Any) -> Any:
    """Return the backend of a connection, which ends, and its temporary tables with it, when the backend does."""
    backend = _speaking(connection)
    weakref.finalize(backend, connection.close)
    return backend


def _speaking(connection: Any) -> Any:
    """Return a backend on a connection, with our SQL."""
    backend = ibis.postgres.from_connection(connection)
    backend.compiler = Compiler()
    return backend


@contextmanager
def _told(server: Server) -> Iterator[None]:
    """Turn what the server says into an error for people, without passwords and our query."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise DataError(f"{server.where}: {said(str(error), server.secrets)}") from None


def _cursor(base: Any, server: Server) -> Any:
    """Return the kind of cursor whose errors are for people."""

    class Cursor(base):  # type: ignore[misc]
        def execute(self, *arguments: Any, **options: Any) -> Any:
            with _told(server):
                return super().execute(*arguments, **options)

        def executemany(self, *arguments: Any, **options: Any) -> Any:
            with _told(server):
                return super().executemany(*arguments, **options)

        def fetchmany(self, *arguments: Any, **options: Any) -> Any:
            with _told(server):
                return super().fetchmany(*arguments, **options)

    return Cursor


def _require_rights(connection: Any, server: Server) -> None:
    query = "select has_database_privilege(current_database(), 'TEMP'), current_user, current_database()"
    may_create, user, database = connection.execute(query).fetchone()
    if not may_create:
        grant = f"grant temporary on database {quote(database)} to {quote(user)}"
        raise DataError(
            f"{server.where}: user {user!r} may not create temporary tables, without which nothing can be computed "
            f"there; {grant}, or set engine.kind: duckdb"
        )


def _require_same(server: Server, backend: Any) -> None:
    from psycopg.conninfo import conninfo_to_dict

    info = backend.con.info
    found = {"host": info.host, "port": str(info.port), "dbname": info.dbname}
    wanted = {key: str(value) for key, value in conninfo_to_dict(server.url).items() if key in found}
    if any(found[key] != value for key, value in wanted.items()):
        raise DataError(
            f"{server.where} is not the data base that computes (engine.kind: postgres), {info.dbname} on {info.host}:"
            f"{info.port}; name tables of one data base, or set engine.kind: duckdb"
        )


def _type(column: Any, connection: Any) -> str:
    known = connection.adapters.types.get(column.type_code)
    return str(known.name) if known is not None else "?"


def _require_type(pick: Pick, found: str, where: str) -> None:
    if pick.kind in _READABLE and found not in _READABLE[pick.kind]:
        cast = f"#select {quote(pick.source)}{_EXAMPLES[pick.kind]}, …"
        raise DataError(
            f"{where}: column {pick.label} is of type {found}; PostgreSQL itself must hold it as {pick.kind}: cast it "
            f"in a query, as {cast}, or set engine.kind: duckdb, which reads text"
        )
