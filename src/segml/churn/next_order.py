"""When a customer orders next: an interval from its own rhythm, drawn to that of the base where orders are few.

A customer's gaps between purchases are gamma with a shape (regularity) and a rate of its own; rates vary over the base
as another gamma. Given the gaps so far the next one then follows a scaled beta prime distribution, of which the
silence so far cuts off the beginning. Shape by shrunk variation of gaps, base by maximum likelihood, gaps that still
run included. Fader and Hardie's gamma-gamma model of spend has the same form: http://brucehardie.com/notes/025/

The interval assumes that there is a next order. On Online Retail II it holds in three cases of four, not in four of
five, for some customers leave and the season moves all rhythms (`pytest -m slow tests/churn/test_next_order.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import betainc, betaincinv, betaln

from segml.churn.inputs import KEYS, check_columns

Vector = npt.NDArray[np.float64]

NEEDED = ["purchase_day_count", "gap_mean_days", "gap_cv", "recency_days"]
LEVEL = 0.8
FURTHEST_DAYS = 3650.0
"""An interval ends here at the latest: beyond ten years a date says nothing."""

_PRIOR_GAPS = 5.0
_ENOUGH_TO_FIT = 50_000
_SMALLEST = 1e-300
_SHAPES = (0.2, 50.0)
_LOG_BOUNDS = ((-3.0, 6.0), (-3.0, 12.0))


@dataclass(frozen=True)
class NextOrder:
    """Distribution of the gaps between purchases in one base.

    Attributes
    ----------
    cv_squared : squared variation of a customer's gaps, the mean of the base
    shape, scale_days : of the gamma that rates vary by; the larger the shape, the more alike customers are
    """

    cv_squared: float
    shape: float
    scale_days: float

    @classmethod
    def fit(cls, base: pd.DataFrame) -> NextOrder:
        """Learn from all customers known at one as-of date, in any order; nothing later is needed.

        Parameters
        ----------
        base : columns ``NEEDED``
        """
        check_columns(base, NEEDED, "features")
        known = base[NEEDED].sort_values(NEEDED)
        known = known.iloc[:: 1 + len(known) // _ENOUGH_TO_FIT]
        cv_squared = _mean_cv_squared(known)
        logs = np.log([1.0, max(float(known["recency_days"].median()), 1.0)]) if len(known) else np.zeros(2)
        if len(known):
            found = minimize(
                _unlikelihood, logs, args=(known, 1 / cv_squared), method="Nelder-Mead", bounds=_LOG_BOUNDS
            )
            logs = found.x
        return cls(cv_squared, *(float(value) for value in np.exp(logs)))

    def interval(self, features: pd.DataFrame, level: float = LEVEL) -> pd.DataFrame:
        """Return the central interval of the days until the next order, given that there is one.

        Columns ``from_days`` and ``to_days``, counted from the as-of date, on the index of ``features``.
        """
        gaps = self._predictive(features)
        tails = ((1 + level) / 2, (1 - level) / 2)
        days = [gaps.quantile(gaps.surviving(gaps.silence) * tail) - gaps.silence for tail in tails]
        ends = np.clip(np.nan_to_num(days, nan=FURTHEST_DAYS), 0.0, FURTHEST_DAYS)
        return pd.DataFrame({"from_days": ends[0], "to_days": ends[1]}, index=features.index)

    def place(self, features: pd.DataFrame, days: Vector) -> Vector:
        """Return the probability (n) that the next order comes within so many days (n), given that there is one."""
        gaps = self._predictive(features)
        return np.asarray(1 - gaps.surviving(gaps.silence + days) / gaps.surviving(gaps.silence))

    def _predictive(self, features: pd.DataFrame) -> _Gaps:
        check_columns(features, NEEDED, "features")
        count, total = _gaps_of(features)
        degrees = np.maximum(count - 1, 0)
        squared = features["gap_cv"].fillna(0.0).to_numpy(dtype="float64") ** 2
        cv_squared = (degrees * squared + _PRIOR_GAPS * self.cv_squared) / (degrees + _PRIOR_GAPS)
        regularity = np.clip(1 / cv_squared, *_SHAPES)
        return _Gaps(
            regularity, self.shape + count * regularity, self.scale_days + total, features["recency_days"].to_numpy()
        )


@dataclass(frozen=True)
class _Gaps:
    """Scaled beta prime distributions of the present gap (n each), and how long it has run."""

    regularity: Vector
    shape: Vector
    scale: Vector
    silence: Vector

    def surviving(self, days: Vector) -> Vector:
        """Return the probability of a gap longer than so many days; never quite zero."""
        surviving: Vector = betainc(self.shape, self.regularity, self.scale / (self.scale + days))
        return np.maximum(surviving, _SMALLEST)

    def quantile(self, surviving: Vector) -> Vector:
        """Return the length that gaps exceed with this probability."""
        part = np.maximum(betaincinv(self.shape, self.regularity, surviving), _SMALLEST)
        return np.asarray(self.scale * (1 - part) / part)


def interval_coverage(
    features: pd.DataFrame, labels: pd.DataFrame, scored: pd.Series[bool], *, horizon_days: int, level: float = LEVEL
) -> float:
    """Return how often the next order of scored customers fell into its interval, over all dates of ``features``.

    Orders after the label window are not seen; the Kaplan-Meier estimate over the places in the predicted
    distributions takes account of that. Who never orders again counts as a miss, as far as the window tells. NaN
    without customers.

    Parameters
    ----------
    features : all customers at the dates to test, one row a customer and date
    labels : ``customer_id``, ``as_of`` and ``next_purchase_days`` of these rows
    scored : True where an interval is tested, on the index of ``features``
    horizon_days : length of the label window
    """
    check_columns(labels, [*KEYS, "next_purchase_days"], "labels")
    known = features.assign(is_scored=scored).merge(
        labels[[*KEYS, "next_purchase_days"]], on=KEYS, how="left", validate="1:1"
    )
    places = [_places(base, horizon_days) for _, base in known.groupby("as_of")]
    table = pd.concat(places) if places else pd.DataFrame()
    if table.empty:
        return float("nan")
    place, came = table["place"].to_numpy(), table["came"].to_numpy()
    tail = (1 - level) / 2
    return _kaplan_meier(place, came, tail) - _kaplan_meier(place, came, 1 - tail)


def _places(base: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Return where in its predicted distribution each next order fell, or the window ended; and which of both."""
    rows = base[base["is_scored"]]
    days = rows["next_purchase_days"].fillna(horizon_days).to_numpy(dtype="float64")
    place = NextOrder.fit(base).place(rows, days)
    return pd.DataFrame({"place": place, "came": rows["next_purchase_days"].notna()}, index=rows.index)


def _kaplan_meier(times: Vector, came: npt.NDArray[np.bool_], until: float) -> float:
    """Return the share that outlasts a time, where those that did not come were lost sight of (Kaplan, Meier 1958)."""
    ends, place = np.unique(times, return_inverse=True)
    events, leaving = np.bincount(place, weights=came), np.bincount(place)
    at_risk = leaving[::-1].cumsum()[::-1]
    return float(np.prod(1 - events[ends <= until] / at_risk[ends <= until]))


def _gaps_of(features: pd.DataFrame) -> tuple[Vector, Vector]:
    """Return number and sum of the gaps between purchase days."""
    count = (features["purchase_day_count"] - 1).clip(lower=0).to_numpy(dtype="float64")
    return count, count * features["gap_mean_days"].fillna(0.0).to_numpy(dtype="float64")


def _mean_cv_squared(known: pd.DataFrame) -> float:
    """Return the squared variation of gaps, weighted by how many tell it; 1, as of a Poisson process, where none do."""
    told = known[known["gap_cv"].notna()]
    degrees = told["purchase_day_count"] - 2
    if not degrees.sum() > 0:
        return 1.0
    mean = float((degrees * told["gap_cv"] ** 2).sum() / degrees.sum())
    return float(np.clip(mean, 1 / _SHAPES[1], 1 / _SHAPES[0]))


def _unlikelihood(logs: Vector, known: pd.DataFrame, regularity: float) -> float:
    """Return minus the log likelihood of the sums of gaps, and of the silences that follow them."""
    shape, scale = np.exp(logs)
    count, total = _gaps_of(known)
    some = (count > 0) & (total > 0)
    order, relative = count[some] * regularity, total[some] / scale
    gaps = (order - 1) * np.log(relative) - (order + shape) * np.log1p(relative) - betaln(order, shape) - np.log(scale)
    silence = _Gaps(
        np.full(len(known), regularity), shape + count * regularity, scale + total, known["recency_days"].to_numpy()
    )
    return -float(gaps.sum() + np.log(silence.surviving(silence.silence)).sum())
