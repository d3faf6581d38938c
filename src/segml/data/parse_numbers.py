"""Numbers as people write them: ``1 234,50 ₽``, ``(1,234.50)``, ``−5``, ``12.5-``, ``USD 3'000``.

Thousands must stand in groups of three; what is not certainly a number is not one.
"""

from __future__ import annotations

from typing import Literal

import ibis
from ibis.expr.types import BooleanValue, FloatingValue, StringValue

from segml.data.parse_text import BLANK

Decimal = Literal[".", ","]

_MINUS = "[-−–]"
_GAP = rf"(?:{BLANK}|['’`´])"  # blanks and apostrophes between thousands
_UNITS = rf"(?:{BLANK}|\p{{L}}+\.?|\p{{Sc}})*"
_HEAD = r"[1-9]\d{0,2}"  # what may stand before a thousands separator
_EXPONENT = r"(?:[eE][-+]?\d+)?"
_NEGATIVE = rf"^\D*(?:{_MINUS}|\()|{_MINUS}\D*$"
_UNSURE = rf"^{_HEAD}[.,]\d{{3}}$"
# Words that multiply: dropping them like a currency would change the value a thousandfold, unseen.
_SCALES = "k|к|m|b|mn|mln|mio|mil|bn|mrd|tsd|keur|meur|kusd|musd|lakh|crore|тыс|млн|млрд|тр"
_SCALED = rf"(?i)\d{BLANK}*(?:{_SCALES}|т\.{BLANK}*р)(?:\PL|$)"


def number(text: StringValue, decimal: Decimal) -> FloatingValue:
    """Return the numbers that text spells with this decimal mark, null for other text.

    Currency signs and other letters before and after, thousands separators, and a minus before, after or as
    parentheses are understood.
    """
    plain = r"^-?\d+(?:\.\d+)?$" if decimal == "." else r"^-?\d+$"
    return ibis.ifelse(text.re_search(plain), text.try_cast("float64"), _spelled(text, decimal))


def shows_decimal(text: StringValue, decimal: Decimal) -> BooleanValue:
    """Tell where text is a number only if this is the decimal mark.

    For a point: ``12.50``, ``0.125``, ``1,234.5`` and ``1,234,567``, but not ``1.234``.
    """
    other = _other(decimal)
    grouped = rf"{_HEAD}(?:\{other}\d{{3}})+|{_HEAD}(?:{_GAP}\d{{3}})+|\d*"
    certain = rf"^(?:(?:{grouped})\{decimal}\d+|{_HEAD}(?:\{other}\d{{3}}){{2,}}){_EXPONENT}$"
    return _body(text).re_search(certain) & ~is_unsure(text)


def is_unsure(text: StringValue) -> BooleanValue:
    """Tell where text is a number with either decimal mark, but not the same one: ``1,234``."""
    return _body(text).re_search(_UNSURE)


def _spelled(text: StringValue, decimal: Decimal) -> FloatingValue:
    digits = _body(text).re_replace(rf"{_GAP}|\{_other(decimal)}", "").replace(decimal, ".")
    is_valid = text.re_search(_valid(decimal)) & ~text.re_search(_SCALED)
    size = ibis.ifelse(is_valid, digits, ibis.null("string")).try_cast("float64")
    return size * ibis.ifelse(text.re_search(_NEGATIVE), -1, 1)


def _valid(decimal: Decimal) -> str:
    thousands = rf"{_HEAD}(?:(?:{_GAP}\d{{3}})+|(?:\{_other(decimal)}\d{{3}})+)"
    body = rf"(?:(?:{thousands}|\d+)(?:\{decimal}\d+)?|\{decimal}\d+){_EXPONENT}"
    before = rf"{_UNITS}(?:{_MINUS}|\+)?{_UNITS}{body}{_UNITS}"
    after = rf"{_UNITS}{body}{_UNITS}{_MINUS}{_UNITS}"
    around = rf"{_UNITS}\({_UNITS}{body}{_UNITS}\){_UNITS}"
    return f"^(?:{before}|{after}|{around})$"


def _body(text: StringValue) -> StringValue:
    """Return digits and separators: text without units, signs and parentheses at its ends."""
    start = text.re_replace(rf"^(?:{BLANK}|\p{{L}}+\.?|\p{{Sc}}|{_MINUS}|[+(])+", "")
    return start.re_replace(rf"(?:{BLANK}|\p{{L}}+\.?|\p{{Sc}}|{_MINUS}|\))+$", "")


def _other(decimal: Decimal) -> Decimal:
    return "," if decimal == "." else "."
