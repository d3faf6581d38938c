"""Which decimal mark a column of numbers uses: what the values prove, never a guess."""

from __future__ import annotations

from collections.abc import Sequence

from ibis.expr.types import StringValue, Table

from segml.config import FormatConfig
from segml.data.parse_numbers import Decimal, is_unsure, shows_decimal
from segml.data.source import Pick
from segml.schema import DataError

KEY = "data.format.decimal"


def decimal_marks(texts: Table, picks: Sequence[Pick], format: FormatConfig, where: str) -> dict[str, Decimal]:
    """Return each number column's decimal mark: the configured one, else the one that its values prove.

    Raises
    ------
    DataError : values prove both marks, or none although it matters
    """
    if format.decimal is not None:
        return {pick.name: format.decimal for pick in picks}
    return {pick.name: _proven(_examples(texts[pick.name]), pick, where) for pick in picks}


def _examples(text: StringValue) -> dict[str, str | None]:
    """Return an example of each kind of evidence, None where there is none."""
    spellings = text.name("text").as_table().distinct()  # far fewer than rows
    tests = {".": shows_decimal(spellings.text, "."), ",": shows_decimal(spellings.text, ",")}
    tests["unsure"] = is_unsure(spellings.text)
    found = spellings.aggregate(**{name: spellings.text.min(where=test) for name, test in tests.items()})
    [examples] = found.to_pyarrow().to_pylist()
    return dict(examples)


def _proven(examples: dict[str, str | None], pick: Pick, where: str) -> Decimal:
    point, comma, unsure = examples["."], examples[","], examples["unsure"]
    if point and comma:
        raise DataError(
            f"{where}: column {pick.label} has a decimal point in {point!r} and a decimal comma in {comma!r}; "
            f"set {KEY} to the right one, and what does not fit it counts as unreadable"
        )
    if unsure and not point and not comma:
        raise DataError(
            f"{where}: column {pick.label}: the mark in {unsure!r} may be decimal or part thousands, and no other "
            f'value settles it; set {KEY} to "." or ","'
        )
    return "," if comma else "."
