"""Labels once more, slowly: a loop over customers and as-of dates, in exact fractions (see ``reference``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from features.reference import DAY, NAN, Line, Lines, purchases, read, revenue, seconds


def outcomes(
    lines: pd.DataFrame, features: pd.DataFrame, horizon_days: int, *, drop: float = 0.5, season_adjusted: bool = False
) -> pd.DataFrame:
    """Return what ``labels.build`` should, on a fresh index."""
    by_customer = read(lines)
    rows = [_outcome(by_customer, row, horizon_days) for row in features.to_dict("records")]
    seasons = _seasons(rows) if season_adjusted else {}
    for row in rows:
        expected = row["run_rate"] * seasons.get(row["as_of"], Fraction(1))
        row["stagnated"] = row["next_revenue"] <= (1 - Fraction(drop)) * expected
        row["lost_revenue"] = max(Fraction(), expected - max(Fraction(), row["next_revenue"]))
    return pd.DataFrame(rows).astype(dict.fromkeys(("next_revenue", "run_rate", "lost_revenue"), "float64"))


def silences(
    lines: pd.DataFrame, features: pd.DataFrame, windows_days: Sequence[int], known_until: pd.Timestamp
) -> pd.DataFrame:
    """Return what ``labels.silence`` should, on a fresh index."""
    by_customer = read(lines)
    rows = [
        {key: row[key] for key in ("customer_id", "as_of")}
        | {f"silent_{days}d": _silent(by_customer, row, days, known_until) for days in windows_days}
        for row in features.to_dict("records")
    ]
    return pd.DataFrame(rows)


def following(by_customer: dict[str, list[Line]], row: dict[Any, Any], days: int) -> list[Line]:
    """Return a customer's lines in the ``days`` from its as-of date on that stood when these were over."""
    start = seconds(row["as_of"])
    end = start + days * DAY
    return [
        line
        for line in by_customer.get(str(row["customer_id"]), [])
        if start <= line.at < end and (line.cancelled is None or line.cancelled >= end)
    ]


def _outcome(by_customer: dict[str, list[Line]], row: dict[Any, Any], days: int) -> dict[str, Any]:
    lines = following(by_customer, row, days)
    return {
        "customer_id": row["customer_id"],
        "as_of": row["as_of"],
        "churned": not purchases(lines),
        "next_revenue": revenue(lines),
        "run_rate": Fraction(row["run_rate_daily"]) * days,
        "next_purchase_days": _first(purchases(lines), row["as_of"]),
    }


def _first(bought: Lines, as_of: pd.Timestamp) -> float:
    return (min(line.at for line in bought) - seconds(as_of)) / DAY if bought else NAN


def _seasons(rows: list[dict[str, Any]]) -> dict[pd.Timestamp, Fraction]:
    came: defaultdict[pd.Timestamp, Fraction] = defaultdict(Fraction)
    usual: defaultdict[pd.Timestamp, Fraction] = defaultdict(Fraction)
    for row in rows:
        came[row["as_of"]] += row["next_revenue"]
        usual[row["as_of"]] += row["run_rate"]
    return {moment: max(came[moment] / usual[moment], Fraction()) for moment in came if usual[moment] > 0}


def _silent(by_customer: dict[str, list[Line]], row: dict[Any, Any], days: int, known_until: pd.Timestamp) -> float:
    if row["as_of"] + pd.Timedelta(days=days) > known_until:
        return NAN
    return float(not purchases(following(by_customer, row, days)))
