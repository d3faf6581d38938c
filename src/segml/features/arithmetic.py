"""Arithmetic that gives the same bits for any order of rows, chunking and number of threads."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import pandas as pd

MONEY_SCALE = 6
MONEY = dt.Decimal(38, MONEY_SCALE)
SHORT_MONEY = dt.Decimal(18, MONEY_SCALE)
"""Where all money of a log is less than it holds, sums are the same in it, and cheaper: it is a machine word."""
SQUARE_SCALE = 18
WEIGHT_SCALE = 24


def exact(values: Any, scale: int = MONEY_SCALE) -> Any:
    """Return Ibis numbers as decimals: their sum is exact, where the sum of floats depends on its order.

    The scale says how many digits follow the point; 38 − scale stand before it.
    """
    return values.cast(dt.Decimal(MONEY.precision, scale))


def held(sums: Any) -> Any:
    """Return exact sums in the type in which money is held, ``MONEY``, spelled out: engines have types of their own."""
    return ops.Cast(sums, MONEY).to_expr()


def counted(counts: Any) -> Any:
    """Return sums of whole numbers as int64, spelled out: engines have wider types, which they are slower with."""
    return ops.Cast(counts, dt.int64).to_expr()


def number(values: Any) -> Any:
    """Return Ibis decimals or integers as float64; to be called before any division."""
    return values.cast("float64")


def only(values: Any, condition: Any) -> Any:
    """Return Ibis values where a condition holds, else null.

    Of many aggregates over the same rows, engines compute these in about half the time that they take where each has
    a filter of its own.
    """
    return condition.ifelse(values, None)


def sum_of(values: Any, condition: Any) -> Any:
    """Return the sum of Ibis numbers where a condition holds; zero where it does nowhere."""
    return condition.ifelse(values, 0).sum().fill_null(0)


def exact_sum(values: Any, scale: int = MONEY_SCALE, where: Any = None) -> Any:
    """Return the exact sum of Ibis numbers as float64; each is first rounded to ``scale`` decimals.

    Many digits are added up as whole numbers, and the point is put back at the end: engines turn these into floats in
    a third of the time that they take for decimals.
    """
    if scale <= MONEY_SCALE:
        return number(exact(values, scale).sum(where=where))
    return number(exact(values * 10.0**scale, 0).sum(where=where)) / 10.0**scale


def ratio(numerator: Any, denominator: pd.Series[float]) -> pd.Series[float]:
    """Return numerator / denominator; NaN (unknown) where the denominator is zero, negative or unknown.

    >>> ratio(pd.Series([1.0, 1.0, 1.0]), pd.Series([4.0, 0.0, -2.0])).tolist()
    [0.25, nan, nan]
    """
    quotient: pd.Series[float] = numerator / denominator.where(denominator > 0)
    return quotient
