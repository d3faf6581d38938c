"""How features are made of order lines, written down before there are any lines, and followed on an engine.

Writing a recipe down and spelling it in SQL takes half a second, as long as computing the features of some thousand
customers; a recipe can be remembered and followed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
from ibis.expr.types import Table

from segml.data.engine import hold, release, to_table
from segml.features.arithmetic import MONEY, SHORT_MONEY
from segml.features.dates import DATES, AsOfDates, Keep
from segml.features.snapshots import LINE_TYPES

LINES = "segml_lines"
AS_OF = "SEGML_AS_OF()"
"""How the place of the date in a recipe for any one is spelled."""

MONEY_COLUMNS = ("amount", "margin", "discount")
SHORT_MOST = 0.5 * 10 ** (SHORT_MONEY.precision - SHORT_MONEY.scale)
"""Half of what the short type holds: the amounts are rounded, and their sum is one of floats."""


@dataclass(frozen=True)
class Recipe:
    """Tables that are computed one after the other and held, and the result.

    They know the order lines, the dates and each other by name only: in their expressions stand places for them.
    """

    held: dict[str, Table]
    result: Table

    @cached_property
    def spelled(self) -> dict[str, str]:
        """The tables in DuckDB's SQL; the result is ``""``."""
        tables = {**self.held, "": self.result}
        return {name: str(ibis.to_sql(rows, dialect="duckdb")) for name, rows in tables.items()}

    @cached_property
    def done_after(self) -> dict[str, list[str]]:
        """The held tables that nothing needs any more once a held table is made."""
        last_uses = {name: name for name in self.held}
        for name, rows in {**self.held, "": self.result}.items():
            last_uses |= dict.fromkeys(_places(rows).keys() & self.held.keys(), name)
        return {name: [held for held, last in last_uses.items() if last == name] for name in self.held}


def write(result: Callable[[Table, Keep], Table]) -> Recipe:
    """Write a recipe down: what ``result`` makes of typed order lines; what it keeps is held."""
    held: dict[str, Table] = {}

    def keep(rows: Table, kind: str) -> Table:
        name = f"segml_{len(held)}_{kind}"
        held[name] = rows
        return ibis.table(rows.schema(), name=name)

    made = result(ibis.table(LINE_TYPES, name=LINES), keep)
    return Recipe(held, made)


@contextmanager
def follow(recipe: Recipe, lines: Table, dates: AsOfDates) -> Iterator[Table]:
    """Give the result made of typed order lines, not computed yet; what is held on the way is released at the end.

    Parameters
    ----------
    dates : those that the recipe is written for, or the one where it is written for any; such a recipe can be followed
        where it ``is_spelled``
    """
    backend: Any = lines.get_backend()
    with ExitStack() as held:
        if is_spelled(lines):
            yield _on_duckdb(recipe, lines, dates, backend, held)
        else:
            yield _on_server(recipe, lines, dates, backend, held)


def is_spelled(lines: Table) -> bool:
    """Tell whether a recipe is followed by its SQL where the lines are."""
    return bool(lines.get_backend().name == "duckdb")


def _on_server(recipe: Recipe, lines: Table, dates: AsOfDates, backend: Any, held: ExitStack) -> Table:
    """Name the tables one by one; a server may put off computing them, so none is released before the end."""

    def ours(table: Table) -> Table:
        held.callback(release, table, backend)
        return table

    found = {LINES: lines, DATES: ours(to_table(dates.rows, backend))}
    for name, rows in recipe.held.items():
        found[name] = ours(hold(_filled(rows, found), backend, name))
    return _filled(recipe.result, found)


def _places(rows: Table) -> dict[str, Any]:
    """Return the places of the tables that an expression knows by name only, by their names."""
    return {place.name: place for place in rows.op().find(ops.UnboundTable)}


def _filled(rows: Table, found: dict[str, Table]) -> Table:
    """Return an expression with tables in the places that bear their names."""
    places = {place: found[name].op() for name, place in _places(rows).items()}
    filled: Table = rows.op().replace(places).to_expr()
    return filled


def _on_duckdb(recipe: Recipe, lines: Table, dates: AsOfDates, backend: Any, held: ExitStack) -> Table:
    """Run the SQL that was spelled before, with names, a date and a type of this run's own in the places."""
    run = ibis.util.gen_name("run")
    own = {f'"{place}"': f'"{run}_{place}"' for place in (LINES, DATES, *recipe.held)}
    own[AS_OF] = f"TIMESTAMP '{dates.moments[0]}'"

    def make(kind: str, name: str, sql: str) -> None:
        for place, filled in own.items():
            sql = sql.replace(place, filled)
        backend.raw_sql(f'CREATE TEMP {kind} "{run}_{name}" AS {sql}')
        held.callback(backend.raw_sql, f'DROP {kind} IF EXISTS "{run}_{name}"')

    make("VIEW", LINES, _sql_of(lines, backend, held))
    make("TABLE", DATES, _values(dates))
    if _is_short(f"{run}_{LINES}", backend):
        own[_spelled(MONEY)] = _spelled(SHORT_MONEY)
    for name in recipe.held:
        make("TABLE", name, recipe.spelled[name])
        for done in recipe.done_after[name]:
            backend.raw_sql(f'DROP TABLE "{run}_{done}"')
    make("VIEW", "result", recipe.spelled[""])
    namespace = ops.Namespace(catalog="temp", database="main")
    return ops.DatabaseTable(f"{run}_result", recipe.result.schema(), backend, namespace).to_expr()


def _sql_of(lines: Table, backend: Any, held: ExitStack) -> str:
    """Return SQL that reads the lines; those that lie in Python's memory are brought to the engine first."""
    if lines.op().find(ops.InMemoryTable):
        lines = hold(lines, backend, "lines")
        held.callback(release, lines, backend)
    return str(backend.compile(lines))


def _is_short(lines: str, backend: Any) -> bool:
    """Tell whether all money of the lines together fits into the short type, so that no sum of theirs exceeds it."""
    sums = " + ".join(f"coalesce(sum(abs({name})), 0)" for name in MONEY_COLUMNS)
    total = backend.raw_sql(f'SELECT {sums} FROM "{lines}"').fetchone()[0]
    return bool(total < SHORT_MOST)


def _spelled(kind: dt.Decimal) -> str:
    return f"DECIMAL({kind.precision}, {kind.scale})"


def _values(dates: AsOfDates) -> str:
    rows = ", ".join(f"({row['as_of_s']}::BIGINT, {row['place']}::SMALLINT)" for row in dates.rows.to_pylist())
    return f"SELECT * FROM (VALUES {rows}) AS dates(as_of_s, place)"
