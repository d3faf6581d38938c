"""A table or query of a PostgreSQL server, streamed through ADBC into the data base of this process.

A source is one string: the server's URL, ``#``, and a table or a query, taken as they stand::

    postgresql://reader@db.example/sales#public.order_lines
    postgresql://reader@db.example/sales#select * from order_lines where region = 'North'

In the URL, characters such as ``/ # @ :`` of the user name or password are percent-encoded. A password is better
kept in ``~/.pgpass`` or ``PGPASSWORD``, which the server's own library reads; no message repeats it.

To compute at the server instead, see ``segml.data.postgres``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import ibis
import pyarrow as pa
from ibis.expr.types import Table

from segml.data import postgres
from segml.data.address import Address, is_database, read_address, redact, said
from segml.data.engine import hold_batches
from segml.data.frames import store
from segml.data.server_tables import Family, require_table, selected
from segml.data.source import Pick, Source
from segml.data.window import Window
from segml.schema import DataError

__all__ = ["is_database", "open_database", "redact"]


def open_database(source: str, backend: Any, window: Window | None = None) -> Source:
    """Return a table or query of a PostgreSQL server as a source.

    Where the backend is such a server itself, rows stay there (``segml.data.postgres.refer``). DuckDB takes them in
    batches of some megabytes and keeps them, in files where they exceed its memory limit; for another backend they are
    gathered in memory.

    Parameters
    ----------
    window : what the server leaves out already: rows whose ``ordered_at`` surely lies outside

    Raises
    ------
    DataError : no driver, an address that cannot be read, a server that refuses, no such table
    """
    if postgres.is_postgres(backend):
        return postgres.refer(source, backend)
    address = read_address(source)
    with _cursor(address) as cursor:
        require_table(cursor, address)
        cursor.execute(f"select * from {address.what} as source limit 0")
        fields = cursor.fetch_arrow_table().schema

    def load(picks: Sequence[Pick]) -> Table:
        query = selected(address.what, picks, {name: _family(fields.field(name)) for name in fields.names})
        with _cursor(address) as cursor:
            cursor.execute(_narrowed(query, picks, fields, window) if window is not None else query)
            return _kept(cursor.fetch_record_batch(), backend, address)

    return Source(address.where, tuple(fields.names), load)


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
        raise DataError(f"{address.where}: {said(str(error), address.secrets)}") from None


def _family(field: pa.Field) -> Family:
    metadata = field.metadata or {}
    found = metadata.get(b"POSTGRESQL:type", metadata.get(b"ADBC:postgresql:typname"))
    if found in (b"numeric", b"money"):
        return "decimal"
    if isinstance(field.type, pa.BaseExtensionType):
        return "foreign"
    return "moment" if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type) else "plain"


def _narrowed(query: str, picks: Sequence[Pick], fields: pa.Schema, window: Window) -> str:
    """Return the query of the rows that may lie in the window."""
    time = next((pick for pick in picks if pick.name == "ordered_at"), None)
    if time is None:
        return query
    picked = ibis.table(ibis.Schema.from_pyarrow(pa.schema([fields.field(time.source).with_name(time.name)])), "picked")
    return f"with picked as ({query}) {ibis.to_sql(window.narrow(picked, time.name), dialect='postgres')}"


def _kept(reader: pa.RecordBatchReader, backend: Any, address: Address) -> Table:
    """Return the rows as a table of the backend; what the server says when it breaks off is passed on."""
    try:
        if backend.name == "duckdb":
            return hold_batches(reader, reader.schema, backend, "frame")
        return store(reader.read_all(), backend, address.where)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DataError(f"{address.where}: {said(str(error), address.secrets)}") from None
