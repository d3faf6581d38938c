"""Question one: which features, scale and weights at five segments; learnt on one quarter, measured on the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import pandas as pd
from history import HORIZON_DAYS, History, at
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from segml.churn.metrics import with_intervals
from segml.clusters import CustomerScaler, KMeansSegments, revenue_weights
from segml.segments.validity import REVENUE_FIFTHS, RFM_SEGMENTS, eta_squared, simple_rules

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

SEGMENTS = 5
RESAMPLES, SEED = 500, 0
RULES = (REVENUE_FIFTHS, RFM_SEGMENTS)

LISTS = {
    "RFM": ("recency_days", "order_count_365d", "revenue_365d"),
    "RFM, all time": ("recency_days", "order_count", "revenue_total"),
    "RFM, days of purchase": ("recency_days", "purchase_day_count", "revenue_365d"),
    "recency, revenue": ("recency_days", "revenue_365d"),
    "RFM, tenure": ("recency_days", "order_count_365d", "revenue_365d", "tenure_days"),
    "RFM, value of an order": ("recency_days", "order_count_365d", "revenue_365d", "order_value_mean"),
    "RFM, months": ("recency_days", "order_count_365d", "revenue_365d", "active_month_share"),
    "RFM, gap": ("recency_days", "order_count_365d", "revenue_365d", "gap_shrunk_days"),
    "six": (
        "revenue_365d",
        "order_count_365d",
        "order_count_180d",
        "recency_days",
        "active_month_share",
        "gap_shrunk_days",
    ),
    "ten": (
        "recency_days",
        "tenure_days",
        "order_count_365d",
        "gap_shrunk_days",
        "revenue_365d",
        "order_value_mean",
        "product_count_365d",
        "lines_per_order",
        "repeat_product_share",
        "order_value_cv",
    ),
}
WHAT_PEOPLE_DO = "ten · raw z"


@dataclass(frozen=True)
class Scale:
    """How features are brought on one scale; raw z is what most tutorials do."""

    power: str
    clip: float = np.inf
    is_weighted: bool = False

    @property
    def name(self) -> str:
        """What the scale is called in tables."""
        parts = [
            self.power,
            *(["clip 3"] if np.isfinite(self.clip) else []),
            *(["weights"] if self.is_weighted else []),
        ]
        return " · ".join(parts)

    def scaler(self, weights: Mapping[str, float] | None) -> Any:
        """Return the transformer, unfitted."""
        if self.power == "raw z":
            return make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
        return CustomerScaler(power=self.power, clip=self.clip, weights=weights if self.is_weighted else None)


SCALES = (
    *(Scale(*each) for each in product(("log", "yeo-johnson"), (3.0, np.inf), (True, False))),
    Scale("raw z"),
)


def tested(history: History) -> list[str]:
    """Return the dates with a base to learn on, and one before that to weigh by; the last one is the final one."""
    return history.dates[2:]


def weights_before(history: History, day: str, names: Sequence[str]) -> dict[str, float] | None:
    """Return the weights that can be known at a date."""
    base = history.before(day, 1)
    if base is None:
        return None
    until = base.features["as_of"].iloc[0] + pd.Timedelta(days=HORIZON_DAYS)
    return revenue_weights(base.features, base.next_revenue, list(names), horizon_days=HORIZON_DAYS, known_until=until)


def learnt(history: History, day: str, names: Sequence[str], scale: Scale, segments: int) -> KMeansSegments:
    """Return KMeans fitted on the base at a date."""
    base = history.bases[day]
    scaler = scale.scaler(weights_before(history, day, names) if scale.is_weighted else None)
    return KMeansSegments(segments, scaler=scaler).fit(at(base, names))


def groupings(history: History, day: str, scales: Sequence[Scale] = SCALES) -> dict[str, Labels]:
    """Return the segment of each customer at a date, by method; all learnt one quarter before."""
    base, before = history.bases[day], history.dates[history.dates.index(day) - 1]
    found = {
        f"{name} · {scale.name}": learnt(history, before, features, scale, SEGMENTS).predict(at(base, features))
        for (name, features), scale in product(LISTS.items(), scales)
    }
    return {**found, **rules(history, day)}


def rules(history: History, day: str) -> dict[str, Labels]:
    """Return the simple rules beside the methods."""
    known = simple_rules(history.bases[day].features, history.settings.segments)
    return {name: known[name] for name in RULES}


def by_quarter(history: History, found: Mapping[str, Mapping[str, Labels]]) -> pd.DataFrame:
    """Return η² of all methods (rows) by quarter, their mean over all but the last (``earlier``), and the ``final``.

    Ranked by the earlier quarters.
    """
    days = tested(history)
    table = pd.DataFrame(
        {
            day: {name: eta_squared(groups, history.bases[day].log_revenue) for name, groups in found[day].items()}
            for day in days
        }
    ).rename_axis("method")
    table["earlier"], table["final"] = table[days[:-1]].mean(axis=1), table[days[-1]]
    return table.sort_values("earlier", ascending=False, kind="stable")


def with_spread(
    history: History,
    found: Mapping[str, Mapping[str, Labels]],
    names: Sequence[str],
    *,
    rival: str,
    only_scored: bool = False,
) -> pd.DataFrame:
    """Return η² of some methods, earlier and final, and the lead over the rules and a rival, with intervals of 95 %.

    Customers are redrawn, the same ones in all quarters and for all methods, so that differences are paired.
    """
    days = tested(history)
    parts = [_part(history, found, day, names, only_scored) for day in days]
    customers = np.concatenate([part.customers for part in parts])
    places = np.cumsum([0, *(len(part.customers) for part in parts)])

    def statistics(weights: Floats) -> dict[str, Floats]:
        told: dict[str, Floats] = {}
        spans = list(pairwise(places))
        for name in names:
            by_day = [
                _eta(part.codes[name], part.values, weights[:, low:high])
                for part, (low, high) in zip(parts, spans, strict=True)
            ]
            told[f"{name}|earlier"], told[f"{name}|final"] = np.mean(by_day[:-1], axis=0), by_day[-1]
        leads = {
            f"{name}|{period}_minus_{short}": told[f"{name}|{period}"] - told[f"{rule}|{period}"]
            for name in names
            for period in ("earlier", "final")
            for rule, short in ((REVENUE_FIFTHS, "fifths"), (RFM_SEGMENTS, "rfm"), (rival, "default"))
        }
        return told | leads

    figures = with_intervals(statistics, customers, resamples=RESAMPLES, seed=SEED)
    rows: dict[str, dict[str, float]] = {name: {} for name in names}
    for key, value in figures.items():
        name, column = key.rsplit("|", 1)
        rows[name][column] = value
    return pd.DataFrame(rows).T.rename_axis("method")


@dataclass(frozen=True)
class _Part:
    customers: NDArray[Any]
    values: Floats
    codes: dict[str, Labels]


def _part(
    history: History, found: Mapping[str, Mapping[str, Labels]], day: str, names: Sequence[str], only_scored: bool
) -> _Part:
    base = history.bases[day]
    kept = history.scored[day].to_numpy(dtype=bool) if only_scored else np.ones(len(base.features), dtype=bool)
    codes = {name: np.unique(found[day][name][kept], return_inverse=True)[1] for name in names}
    return _Part(base.features["customer_id"].to_numpy()[kept], base.log_revenue[kept], codes)


def _eta(codes: Labels, values: Floats, weights: Floats) -> Floats:
    """Return adjusted η² under each row of weights (b × n), which are how often a customer was drawn."""
    members = np.eye(codes.max() + 1)[codes]
    drawn, count = weights @ members, weights.sum(axis=1)
    # From the middle, so that the difference of two large sums keeps its digits.
    centred = values - values.mean()
    sums = (weights * centred) @ members
    squares = weights @ centred**2
    within = squares - np.divide(sums**2, drawn, out=np.zeros_like(sums), where=drawn > 0).sum(axis=1)
    total = squares - (weights @ centred) ** 2 / count
    groups = (drawn > 0).sum(axis=1)
    return np.asarray(1 - (within / (count - groups)) / (total / (count - 1)))
