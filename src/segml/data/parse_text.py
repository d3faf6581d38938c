"""Text and yes-or-no columns: blanks taken off, numbers that stand for names written as people write them."""

from __future__ import annotations

import ibis
from ibis.expr.types import BooleanValue, StringValue, Value

BLANK = "[\\s\u00a0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"
"""Any blank, as a regular expression of every engine: no-break, narrow, thin and zero-width ones too."""

MISSING_WORDS = ("nan", "nat", "null", "none", "<na>", "n/a", "#n/a", "-", "–", "—")
"""What programs and people write, in lower case, where a number, date or flag is not known."""

FIRST_VISIBLE, LAST_VISIBLE = ord("!"), ord("~")
"""Among the characters of ASCII, which are no blanks."""

YES = ("true", "yes", "1", "да")
NO = ("false", "no", "0", "нет")
LARGEST_EXACT = 2**53  # beyond it a float64 skips integers


def text(column: Value) -> StringValue:
    """Return a column as text without blanks around it; empty text, NaN and infinity become null.

    Whole floats are written without a point: 13085.0 is customer "13085".
    """
    kind = column.type()
    if kind.is_string():
        return _trimmed(column)
    if kind.is_floating():
        known = ibis.ifelse(column.isnan() | column.isinf(), ibis.null(kind), column)
        whole = ibis.ifelse(known.abs() < LARGEST_EXACT, known, ibis.null(kind)).cast("int64")
        return ibis.ifelse(whole == known, whole.cast("string"), known.cast("string"))
    if kind.is_decimal():
        return column.cast("string").re_replace(r"\.0+$", "")
    return column.cast("string")


def value_text(column: Value) -> StringValue:
    """Return the text of a cell that should hold a value; words for "not known" become null."""
    found = text(column)
    return ibis.ifelse(found.lower().isin(MISSING_WORDS), ibis.null("string"), found)


def flag(text: StringValue) -> BooleanValue:
    """Return yes or no, null for other text."""
    word = text.lower()
    return ibis.cases((word.isin(YES), True), (word.isin(NO), False))


def _trimmed(text: StringValue) -> StringValue:
    """Return text without blanks around it: patterns are dear, and few texts need them."""
    first, last = text.ascii_str(), text.right(1).ascii_str()
    shows = first.between(FIRST_VISIBLE, LAST_VISIBLE) & last.between(FIRST_VISIBLE, LAST_VISIBLE)
    return ibis.ifelse(shows, text, text.re_replace(f"^{BLANK}+|{BLANK}+$", "").nullif(""))
