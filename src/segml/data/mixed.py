"""Columns of Python objects, one type or several, made into Arrow columns of one type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segml.data.source import Pick
from segml.schema import DataError, Kind


def to_arrow(values: Iterable[Any], pick: Pick) -> pa.Array:
    """Return values of one type as that type, and of several types as text that parses back to the same values.

    Raises
    ------
    DataError : text that is not Unicode
    """
    cells = [None if _is_missing(value) else value for value in values]
    present = [cell for cell in cells if cell is not None]
    try:
        if _is_of_one_type(present):
            return pa.array(cells)
    except (pa.ArrowException, OverflowError):
        pass  # such as integers beyond 64 bits: text holds them
    except UnicodeEncodeError:
        raise DataError(f"column {pick.label} holds text that is not Unicode") from None
    return pa.array([None if cell is None else spell(cell, pick.kind) for cell in cells], pa.string())


def spell(cell: Any, kind: Kind) -> str:
    """Return a value as text that reads back exactly, whichever decimal mark the text beside it uses.

    >>> spell(13085.0, "text"), spell(12.5, "number"), spell(True, "flag"), spell(date(2020, 1, 31), "time")
    ('13085', '125e-1', 'true', '2020-01-31')
    """
    if isinstance(cell, bool | np.bool_):
        return str(cell).lower()
    if isinstance(cell, date):  # a datetime is a date too
        return cell.isoformat()
    return _spell_number(Decimal(str(cell)), kind) if _is_number(cell) else str(cell)


def _spell_number(number: Decimal, kind: Kind) -> str:
    if not number.is_finite():
        return str(number)
    if number == number.to_integral_value():
        return str(int(number))
    sign, digits, exponent = number.as_tuple()
    return f"{'-' * sign}{''.join(map(str, digits))}e{exponent}" if kind == "number" else str(number)


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and value != value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool)


def _is_of_one_type(present: Sequence[Any]) -> bool:
    if all(map(_is_number, present)):
        return True
    if len(set(map(type, present))) > 1:
        return False
    return len({value.tzinfo is None for value in present if isinstance(value, datetime)}) <= 1
