"""An export as two tables of PostgreSQL, brought up to date in one transaction: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd

from segml.crm.changes import Changes, changes
from segml.crm.schema import CRM_SCHEMA, SHAPES, Export, Shape, Type, shaped
from segml.data.address import Address, quote, read_address, said
from segml.schema import OutputError

if TYPE_CHECKING:
    import psycopg

_TYPES: dict[Type, str] = {
    "text": "text",
    "whole": "bigint",
    "number": "double precision",
    "day": "date",
    "flag": "boolean",
}
_MARK = "segml CRM export, schema "
"""How the comment of our tables begins."""


def upsert(export: Export, address: str) -> Changes:
    """Bring the tables of a data base up to date, and return what changed in them.

    The tables are named after the end of the address: ``#crm.segml`` means ``crm.segml_customers`` and
    ``crm.segml_tasks``. They are made where they are not there. Rows that are not in the export any more get
    ``is_active = false`` and stay. Two exports at once wait for each other.

    Raises
    ------
    DataError : the address cannot be read
    OutputError : no driver, a server that refuses, or tables that are not ours or of another schema; nothing is changed
    """
    target = _target(address)
    with _connected(target) as connection, connection.transaction():
        _run(connection, "select pg_advisory_xact_lock(hashtext(%s))", target.what)
        found = changes(export, _present(connection, target))
        for shape in SHAPES:
            _create(connection, _table(target, shape), shape)
            _fill(connection, _table(target, shape), shape, export[shape.name])
        return found


def check(address: str) -> None:
    """Raise what ``upsert`` would raise, as far as that can be told before there is anything to write."""
    target = _target(address)
    with _connected(target) as connection:
        for shape in SHAPES:
            _is_there(connection, _table(target, shape), target)


def preview(export: Export, address: str) -> Changes:
    """Return what ``upsert`` would change now; nothing is written, made or locked.

    Raises
    ------
    DataError, OutputError : as ``upsert`` does
    """
    target = _target(address)
    with _connected(target) as connection:
        connection.read_only = True
        with connection.transaction():
            return changes(export, _present(connection, target))


def _target(address: str) -> Address:
    target = read_address(address)
    if target.table is None:
        raise OutputError(f"{target.where}: name tables to write, as #crm.segml, rather than a query")
    return target


def _table(target: Address, shape: Shape) -> str:
    """Return the name of a table as SQL writes it."""
    return f'{target.what[:-1]}_{shape.name}"'


@contextmanager
def _connected(target: Address) -> Iterator[psycopg.Connection]:
    """Yield a connection whose errors are for people, without passwords and our statements."""
    try:
        import psycopg
    except ImportError:
        raise OutputError("writing to PostgreSQL needs its driver: pip install 'segml[postgres]'") from None
    try:
        with psycopg.connect(target.url, application_name="segml") as connection:
            yield connection
    except psycopg.Error as error:
        raise OutputError(f"{target.where}: {said(str(error), target.secrets)}; nothing was changed") from None


def _run(connection: psycopg.Connection, statement: str, *values: Any) -> Any:
    # Names of tables and columns are quoted by us; values are parameters.
    return connection.execute(statement, values or None)


def _present(connection: psycopg.Connection, target: Address) -> Export | None:
    """Return what the tables hold; None where there are none."""
    there = [shape for shape in SHAPES if _is_there(connection, _table(target, shape), target)]
    if not there:
        return None
    if len(there) < len(SHAPES):
        lone = f"{target.table}_{there[0].name}"
        raise OutputError(f"{target.where}: {lone} is there without the other table; drop it, or name other tables")
    return Export(**{shape.name: _read(connection, _table(target, shape), shape) for shape in SHAPES})


def _is_there(connection: psycopg.Connection, table: str, target: Address) -> bool:
    """Tell whether a table is there, and refuse one that is not ours, or of another version."""
    query = "select to_regclass(%s) is not null, obj_description(to_regclass(%s), 'pg_class')"
    is_there, comment = _run(connection, query, table, table).fetchone()
    if is_there and comment != f"{_MARK}{CRM_SCHEMA}":
        what = f"is of schema {comment.removeprefix(_MARK)}" if str(comment).startswith(_MARK) else "is not ours"
        raise OutputError(
            f"{target.where}: the table {table} {what}, and this segml writes schema {CRM_SCHEMA}; rename or drop it, "
            "or name other tables"
        )
    return bool(is_there)


def _read(connection: psycopg.Connection, table: str, shape: Shape) -> pd.DataFrame:
    columns = ", ".join(map(quote, shape.columns))
    rows = _run(connection, f"select {columns} from {table}").fetchall()
    return shaped(pd.DataFrame(rows, columns=list(shape.columns)), shape)


def _create(connection: psycopg.Connection, table: str, shape: Shape) -> None:
    if _run(connection, "select to_regclass(%s) is not null", table).fetchone()[0]:
        return
    columns = ", ".join(f"{quote(name)} {_TYPES[kind]}{_null(kind)}" for name, kind in shape.columns.items())
    _run(connection, f"create table {table} ({columns}, primary key ({quote(shape.key)}))")
    _run(connection, f"comment on table {table} is '{_MARK}{CRM_SCHEMA}'")


def _null(kind: Type) -> str:
    return "" if kind in ("number", "day") else " not null"


def _fill(connection: psycopg.Connection, table: str, shape: Shape, rows: pd.DataFrame) -> None:
    """Put the rows in, over those of the same key; others become inactive."""
    staged, key = quote(f"segml_{shape.name}_now"), quote(shape.key)
    columns = ", ".join(map(quote, shape.columns))
    _run(connection, f"create temp table {staged} (like {table}) on commit drop")
    with connection.cursor().copy(f"copy {staged} ({columns}) from stdin") as copy:
        for row in _plain(rows, shape).itertuples(index=False, name=None):
            copy.write_row(row)
    values = ", ".join(f"{quote(name)} = excluded.{quote(name)}" for name in shape.columns if name != shape.key)
    _run(
        connection,
        f"insert into {table} ({columns}) select {columns} from {staged} on conflict ({key}) do update set {values}",
    )
    _run(
        connection,
        f"update {table} set is_active = false where is_active and {key} not in (select {key} from {staged})",
    )


def _plain(rows: pd.DataFrame, shape: Shape) -> pd.DataFrame:
    """Return values as the driver takes them."""
    days = [name for name, kind in shape.columns.items() if kind == "day"]
    plain = rows.assign(**{name: rows[name].dt.strftime("%Y-%m-%d") for name in days}).astype("object")
    return plain.where(plain.notna(), None)
