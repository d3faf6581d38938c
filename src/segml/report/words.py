"""How the report writes numbers, money, dates and lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
from babel.dates import format_date

from segml.language import NO_BREAK, _, numerals, spoken
from segml.plots.style import compact, percent, thousands

NOTHING = "–"


def number(value: float) -> str:
    """Return a whole number; a dash where it is unknown."""
    return NOTHING if math.isnan(value) else thousands(value)


def share(value: float) -> str:
    """Return a share as a percentage; a dash where it is unknown."""
    return NOTHING if math.isnan(value) else percent(value)


def decimal(value: float, digits: int = 2) -> str:
    """Return a number with so many digits after the point; a dash where it is unknown."""
    return NOTHING if math.isnan(value) else numerals(f"{value:z.{digits}f}").replace("-", "−")


def money(value: float, currency: str = "") -> str:
    """Return whole money, the sign of its currency where the language spoken puts it.

    >>> money(1234.5, "£"), money(-10, "€"), money(float("nan"))
    ('£1\\u202f234', '−€10', '–')
    >>> from segml.language import speaking
    >>> with speaking("ru"):
    ...     money(1234.5, "£")
    '1\\u202f234\\xa0£'
    """
    return NOTHING if math.isnan(value) else _with_currency(thousands(value), currency)


def short_money(value: float, currency: str = "") -> str:
    """Return money at a glance.

    >>> short_money(31_204_118, "руб.")
    '31\\u202fM\\xa0руб.'
    """
    return NOTHING if math.isnan(value) else _with_currency(compact(value), currency)


def _with_currency(text: str, currency: str) -> str:
    if spoken() == "en" and currency in {"$", "£", "€", "¥"}:
        return f"−{currency}{text[1:]}" if text.startswith("−") else f"{currency}{text}"
    return f"{text}{NO_BREAK}{currency}" if currency else text


def day(moment: pd.Timestamp) -> str:
    """Return a date in words, whatever the machine's language.

    >>> day(pd.Timestamp("2011-12-10"))
    '10\\xa0Dec\\xa02011'
    """
    return format_date(moment, f"d{NO_BREAK}MMM{NO_BREAK}y", locale=spoken())


def interval(low: float, high: float, digits: int = 2) -> str:
    """Return the ends of an interval; nothing where it is unknown."""
    if math.isnan(low) or math.isnan(high):
        return ""
    return _("{low} to {high}").format(low=decimal(low, digits), high=decimal(high, digits))


def listing(items: Sequence[str]) -> str:
    """Return items as people list them.

    >>> listing(["a", "b", "c"]), listing(["a"])
    ('a, b and c', 'a')
    """
    *head, last = items
    return _("{items} and {last}").format(items=", ".join(head), last=last) if head else last


def setting(value: object) -> str:
    """Return a value of the configuration as text.

    >>> setting("demo"), setting(None), setting([0.1, 0.2])
    ('demo', '–', '0.1, 0.2')
    """
    if value is None:
        return NOTHING
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def readable(name: str) -> str:
    """Return a name from code as words."""
    return name.replace("_", " ")
