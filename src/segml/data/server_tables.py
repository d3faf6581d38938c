"""Tables of a PostgreSQL server: whether they are there, and their columns in types that every engine holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from segml.data.address import Address, quote
from segml.data.source import Pick
from segml.schema import DataError, did_you_mean

Family = Literal["decimal", "moment", "plain", "foreign"]
"""What a column needs: numeric and money have no counterpart of their range, moments may be infinite, and foreign types
(uuid, enumerations, addresses …) are only known as text."""
LISTING = """
    select schema_.nspname || '.' || relation.relname from pg_class as relation
    join pg_namespace as schema_ on schema_.oid = relation.relnamespace
    where relation.relkind in ('r', 'v', 'm', 'p', 'f')
    and schema_.nspname !~ '^pg_' and schema_.nspname <> 'information_schema' order by 1
"""


def require_table(cursor: Any, address: Address) -> None:
    """Raise ``DataError`` where the address names a table that the server does not have."""
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


def selected(what: str, picks: Sequence[Pick], families: Mapping[str, Family]) -> str:
    """Return the query of the picked columns under their canonical names.

    An infinite moment, which no calendar holds, becomes null; a number that stands for a name loses a fraction of
    nothing, so that a customer 7.00 is customer 7.

    Parameters
    ----------
    what : what stands after FROM
    families : name in the source -> its family
    """
    columns = ", ".join(f"{_column(pick, families[pick.source])} as {quote(pick.name)}" for pick in picks)
    return f"select {columns} from {what} as source"


def _column(pick: Pick, family: Family) -> str:
    column = f"source.{quote(pick.source)}"
    match family:
        case "decimal" if pick.kind == "number":
            return f"{column}::numeric::float8"
        case "decimal":
            return f"regexp_replace({column}::numeric::text, '\\.0+$', '')"
        case "moment":
            return f"case when isfinite({column}) then {column} end"
        case "plain":
            return column
        case "foreign":
            return f"{column}::text"
