"""Content of a Parquet file as a few exact figures, so that a copy is known by what it holds, not by its bytes.

Two files with the same rows have the same figures, whatever the order of their rows, their compression or
their writer. Every figure is an exact integer or a text: money is counted in ten-thousandths, and the digest
of the rows adds up the first 60 bits of each row's MD5 (RFC 1321), which no version of the engine can change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from segml.data.engine import connect
from segml.schema import DataError, first_line

ENGINE_TYPES = {
    pa.large_string(): "VARCHAR",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.timestamp("us"): "TIMESTAMP",
}
MOST_DIFFERENCES = 5


@dataclass(frozen=True)
class Content:
    """One content that is accepted; a figure may be off by its slack where it is not known more exactly."""

    title: str
    figures: Mapping[str, int | str]
    slack: Mapping[str, int] = field(default_factory=dict)

    def differences(self, found: Mapping[str, int | str]) -> list[str]:
        """Return in words how the figures found differ from this content."""
        return [
            f"{name}: found {found[name]}, expected {wanted}"
            for name, wanted in self.figures.items()
            if not _agree(found[name], wanted, self.slack.get(name, 0))
        ]


def _agree(found: int | str, wanted: int | str, slack: int) -> bool:
    if isinstance(found, int) and isinstance(wanted, int):
        return abs(found - wanted) <= slack
    return found == wanted


@dataclass(frozen=True)
class Fingerprint:
    """How to tell a file by its content: its columns, the SQL of each figure, and what is accepted."""

    types: Mapping[str, pa.DataType]
    measures: Mapping[str, str]
    accepted: tuple[Content, ...]

    def identify(self, path: Path) -> Content:
        """Return which accepted content the file holds.

        Raises
        ------
        DataError : the file cannot be read, or holds something else; the message says what differs
        """
        try:
            differences = self._column_differences(path)
            found = {} if differences else self.measure(path)
        except duckdb.Error as error:
            raise DataError(f"{path} cannot be read as Parquet: {first_line(error)}") from error
        if not differences:
            by_content = [(content.differences(found), content) for content in self.accepted]
            differences, nearest = min(by_content, key=lambda pair: len(pair[0]))
            if not differences:
                return nearest
        raise DataError(f"{path} has another content than expected: {_listed(differences)}")

    def measure(self, path: Path) -> dict[str, int | str]:
        """Return the figures of a file."""
        columns = ", ".join(self.measures.values())
        row = _query(f"SELECT {columns} FROM read_parquet(?)", path)[0]
        return dict(zip(self.measures, row, strict=True))

    def _column_differences(self, path: Path) -> list[str]:
        found = {name: kind for name, kind, *_ in _query("DESCRIBE SELECT * FROM read_parquet(?)", path)}
        wanted = {name: ENGINE_TYPES[kind] for name, kind in self.types.items()}
        return [
            f"column {name!r}: found {found.get(name, 'none')}, expected {wanted.get(name, 'none')}"
            for name in [*wanted, *(found.keys() - wanted.keys())]
            if found.get(name) != wanted.get(name)
        ]


def rows(column: str | None = None, value: str | None = None) -> str:
    """Return the SQL that counts all rows, or those where a text column has a value."""
    return "count(*)" if column is None else f"count(*) FILTER ({_quoted(column)} = '{value}')"


def distinct(column: str) -> str:
    """Return the SQL that counts the distinct values of a column."""
    return f"count(DISTINCT {_quoted(column)})"


def missing(column: str) -> str:
    """Return the SQL that counts the empty cells of a column."""
    return f"count(*) - count({_quoted(column)})"


def first(column: str) -> str:
    """Return the SQL of the earliest moment of a column, as text."""
    return f"CAST(min({_quoted(column)}) AS VARCHAR)"


def last(column: str) -> str:
    """Return the SQL of the latest moment of a column, as text."""
    return f"CAST(max({_quoted(column)}) AS VARCHAR)"


def total(column: str) -> str:
    """Return the SQL of the sum of an integer column."""
    return f"sum({_quoted(column)})"


def total_money(column: str, times: str | None = None) -> str:
    """Return the SQL of the exact sum of a money column in ten-thousandths, each times an integer column if given."""
    factor = "" if times is None else f" * CAST({_quoted(times)} AS HUGEINT)"
    return f"sum({_ten_thousandths(column)}{factor})"


def row_digest(types: Mapping[str, pa.DataType]) -> str:
    """Return the SQL of a digest over all cells that does not depend on the order of rows."""
    cells = ", ".join(_cell(name, kind) for name, kind in types.items())
    row = f"md5(concat_ws(chr(31), {cells}))"
    return f"CAST(sum(CAST('0x' || substr({row}, 1, 15) AS UBIGINT)) AS VARCHAR)"


def _cell(name: str, kind: pa.DataType) -> str:
    """Return the SQL of a cell as text; the unit and record separators keep cells and gaps apart."""
    if pa.types.is_timestamp(kind):
        value = f"epoch_us({_quoted(name)})"
    elif pa.types.is_floating(kind):
        value = _ten_thousandths(name)
    else:
        value = _quoted(name)
    return f"coalesce(CAST({value} AS VARCHAR), chr(30))"


def _ten_thousandths(column: str) -> str:
    return f"TRY_CAST(round({_quoted(column)} * 10000) AS BIGINT)"


def _quoted(column: str) -> str:
    return f'"{column}"'


def _query(sql: str, path: Path) -> list[tuple[Any, ...]]:
    backend = connect()
    try:
        return list(backend.con.execute(sql, [str(path)]).fetchall())
    finally:
        backend.disconnect()


def _listed(differences: list[str]) -> str:
    more = len(differences) - MOST_DIFFERENCES
    return "; ".join(differences[:MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
