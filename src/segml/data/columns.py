"""Which source column becomes which canonical column: the mapping, and what to say where it does not fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from segml import schema
from segml.data.source import Pick
from segml.schema import DataError, TableSchema, did_you_mean

MAPPING_KEYS = {
    schema.TRANSACTIONS.name: "data.columns",
    schema.CUSTOMERS.name: "data.customer_columns",
    schema.USAGE.name: "data.usage_columns",
    schema.CONTRACTS.name: "data.contract_columns",
    schema.TOUCHES.name: "data.touch_columns",
}
SURVEY_KEY = "data.survey_columns"
SHOWN_NAMES = 30


def resolve(
    table: TableSchema, columns: Mapping[str, str | None], found: Sequence[str], where: str
) -> tuple[Pick, ...]:
    """Return the columns to read, in the order of the schema.

    An explicit mapping wins over a source column that carries the canonical name; names match exactly.

    Parameters
    ----------
    table : what is wanted
    columns : canonical name -> source name; None or absent means the source uses the canonical name, or lacks it
    found : the source's column names

    Raises
    ------
    DataError : with every mapping that leads nowhere and every required column that is missing
    """
    require_unique(found, where)
    mapped = {name: source for name, source in columns.items() if source is not None}
    problems = [*_unknown_keys(table, mapped), *_dangling(table, mapped, found)]
    free = set(found) - set(mapped.values())
    chosen = {
        column.name: mapped.get(column.name, column.name if column.name in free else None) for column in table.columns
    }
    problems += _lacking(table, chosen, found)
    if problems:
        raise DataError("\n".join(f"{table.name} in {where}: {problem}" for problem in problems))
    return tuple(Pick(source, name, table[name].kind) for name, source in chosen.items() if source is not None)


def require_unique(names: Iterable[str], where: str) -> None:
    """Raise ``DataError`` where a column name stands twice; columns without a name do not count."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1 and name)
    if repeated:
        raise DataError(f"{where} has more than one column named {', '.join(map(repr, repeated))}; rename all but one")


def require_same(names: Mapping[str, Sequence[str]], where: str) -> None:
    """Raise ``DataError`` where files, given with their column names, differ in columns; their order may differ."""
    first, *others = names
    for other in others:
        lacks = [name for name in names[first] if name not in names[other]]
        adds = [name for name in names[other] if name not in names[first]]
        if lacks or adds:
            difference = [f"lacks {lacks}"] * bool(lacks) + [f"has {adds} beyond it"] * bool(adds)
            raise DataError(
                f"the files of {where} differ in columns: against {first}, {other} {' and '.join(difference)}"
            )


def listed(names: Sequence[str]) -> str:
    """Return column names for a message, the first ones where they are many.

    >>> listed(["a", "b"])
    "['a', 'b']"
    """
    rest = len(names) - SHOWN_NAMES
    return f"{list(names[:SHOWN_NAMES])}" + (f" and {rest} more" if rest > 0 else "")


def _unknown_keys(table: TableSchema, mapped: Mapping[str, str]) -> list[str]:
    unknown = [name for name in mapped if name not in table.names]
    return [f"{name!r} is not one of its columns{did_you_mean(name, table.names)}" for name in unknown]


def _dangling(table: TableSchema, mapped: Mapping[str, str], found: Sequence[str]) -> list[str]:
    key = MAPPING_KEYS.get(table.name, "the mapping")
    return [
        f"{key} takes {name!r} from {source!r}, which is not there; found {listed(found)}{did_you_mean(source, found)}"
        for name, source in mapped.items()
        if source not in found
    ]


def _lacking(table: TableSchema, chosen: Mapping[str, str | None], found: Sequence[str]) -> list[str]:
    absent = [name for name in table.required if chosen[name] is None]
    missing = [name for name in absent if name in schema.TABLES.get(table.name, table).names]
    problems = [
        f"{SURVEY_KEY} names {name!r}, which is not there; found {listed(found)}{did_you_mean(name, found)}"
        for name in absent
        if name not in missing
    ]
    if missing:
        problems.append(f"lacks columns {missing}; found {listed(found)}{_remedy(table, missing, found)}")
    if table is schema.TRANSACTIONS and not _has_money(chosen):
        problems.append(
            f"needs 'amount', or 'quantity' and 'unit_price'; found {listed(found)}{_remedy(table, ['amount'], found)}"
        )
    if table is schema.USAGE and not any(chosen[name] for name in ("used_at", *schema.USAGE_FIGURES)):
        problems.append(
            f"needs 'used_at' (one row a use), or one of {list(schema.USAGE_FIGURES)} (one row a customer); found "
            f"{listed(found)}{_remedy(table, ['used_at'], found)}"
        )
    return problems


def _has_money(chosen: Mapping[str, str | None]) -> bool:
    return chosen["amount"] is not None or (chosen["quantity"] is not None and chosen["unit_price"] is not None)


def _remedy(table: TableSchema, missing: Sequence[str], found: Sequence[str]) -> str:
    """Return the likely columns, as a question, and what to do with the right ones."""
    hints = {name: did_you_mean(name, found) for name in missing}
    if len(missing) > 1:
        hints = {name: f"{hint[:-1]} for {name!r}?" for name, hint in hints.items() if hint}
    asked = "".join(hints.values()).replace("?; did you mean", ", or")
    key = MAPPING_KEYS.get(table.name)
    return f"{asked or ';'} {f'map it under {key}' if key else 'rename the source column'}"
