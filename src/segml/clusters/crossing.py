"""Segments at two dates: who went from which to which, in customers and in money."""

from __future__ import annotations

import math

import pandas as pd

SEGMENT = "segment"
_ENDS = {"segment_then": "from", "segment_now": "to"}


def side_by_side(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Return one row a customer of either date, sorted: each column with ``_then`` and ``_now``; null where not there.

    Parameters
    ----------
    then, now : the same columns, indexed by customer, each once
    """
    both = then.add_suffix("_then").join(now.add_suffix("_now"), how="outer")
    return both.sort_index()


def crossed(both: pd.DataFrame) -> pd.DataFrame:
    """Return ``from, to, customers`` and the money then and now, one row a pair of segments that occurs, sorted.

    ``from`` is null for customers who were not there then, ``to`` for those who are not now; they come last. Sums of
    money are correctly rounded, and so the same in any order of rows; unknown money counts as none.

    Parameters
    ----------
    both : ``segment_then``, ``segment_now`` and columns of money, one row a customer, as ``side_by_side`` gives them

    Examples
    --------
    >>> then = pd.DataFrame({"segment": ["A", "A"], "revenue": [9.0, 2.0]}, index=["anna", "ben"])
    >>> now = pd.DataFrame({"segment": ["A", "B"], "revenue": [8.0, 1.0]}, index=["anna", "ben"])
    >>> print(crossed(side_by_side(then, now)).to_string(index=False))
    from to  customers  revenue_then  revenue_now
       A  A          1           9.0          8.0
       A  B          1           2.0          1.0
    """
    money = [column for column in both.columns if column not in _ENDS]
    pairs = both.groupby(list(_ENDS), dropna=False, sort=True)
    sums = {column: (column, exact_sum) for column in money}
    table = pairs.size().rename("customers").to_frame()
    if sums and len(both):
        table = table.join(pairs.agg(**sums))
    return table.reindex(columns=["customers", *money]).reset_index().rename(columns=_ENDS)


def flows(migration: pd.DataFrame) -> pd.DataFrame:
    """Return ``segment, then, now, stayed, came, left, new, gone``: customers of each segment, sorted.

    ``then = stayed + left + gone`` and ``now = stayed + came + new``.

    Parameters
    ----------
    migration : ``from, to, customers``, as ``crossed`` gives them
    """
    origin, goal, customers = (migration[name] for name in ("from", "to", "customers"))
    segments = sorted({*origin.dropna(), *goal.dropna()})
    is_move = (origin != goal).fillna(False) & origin.notna() & goal.notna()
    rows = []
    for segment in segments:
        was, is_now = (origin == segment).fillna(False), (goal == segment).fillna(False)
        groups = (was, is_now, was & is_now, is_now & is_move, was & is_move, is_now & origin.isna(), was & goal.isna())
        rows.append((segment, *(int(customers[group].sum()) for group in groups)))
    return pd.DataFrame(rows, columns=["segment", "then", "now", "stayed", "came", "left", "new", "gone"])


def share_kept(migration: pd.DataFrame) -> float:
    """Return, of the customers there at both dates, the share in the same segment; NaN where there are none."""
    there = migration.dropna(subset=["from", "to"])
    customers = int(there["customers"].sum())
    kept = there.loc[(there["from"] == there["to"]).astype(bool), "customers"].sum()
    return float(kept) / customers if customers else math.nan


def exact_sum(values: pd.Series[float]) -> float:
    """Return the sum, the same in any order of rows; unknown values count as none."""
    return math.fsum(values.dropna())
