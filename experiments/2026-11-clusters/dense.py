"""Question three: on which features does HDBSCAN find segments that are neither all noise nor all of the base?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import numpy as np
import pandas as pd
from history import History, at
from methods import weights_before
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from segml.clusters import CustomerScaler, HDBSCANSegments
from segml.segments.past import Earlier
from segml.segments.validity import eta_squared

Labels = NDArray[np.int64]

FEWEST = 2
FEATURES = ("revenue_total", "order_value_mean", "recency_days", "gap_shrunk_days", "tenure_days", "order_intensity")
FEATURE_SETS = (
    *combinations(FEATURES, 2),
    *combinations(FEATURES, 3),
    ("revenue_365d", "recency_days"),
    ("revenue_365d", "recency_days", "gap_shrunk_days"),
    ("revenue_365d", "recency_days", "order_intensity"),
)
CLOSER = (
    ("revenue_365d", "recency_days"),
    ("revenue_365d", "recency_days", "gap_shrunk_days"),
    ("recency_days", "order_intensity"),
    ("revenue_total", "order_value_mean"),
)
"""Feature sets that are looked at more closely; all are among the best on some data."""
CLOSER_SHARE = 0.02
SHARES = (0.01, 0.015, 0.02, 0.03, 0.05, 0.08)
SELECTIONS = ("eom", "leaf")
MOST_NOISE, MOST_SEGMENTS, LEAST_SHARE, LARGEST_SHARE = 0.3, 15, 0.01, 0.8
HALF = 0.5
SAMPLE = 5_000
"""Customers of a base that HDBSCAN sees at most."""

NOISE, ONE_PURCHASE, ASLEEP = -1, 98, 99
YEAR_DAYS = 365
WAY = ["features", "apart", "is_weighted", "min_samples"]
KEYS = [*WAY, "selection", "share"]


@dataclass(frozen=True)
class Way:
    """A way to use HDBSCAN; the size of the smallest segment aside.

    Attributes
    ----------
    features : what it reads
    apart : who is set apart by rule: ``one purchase``, or also those ``asleep``, without a purchase in a year
    min_samples : as in HDBSCAN
    is_weighted : by past rank correlation with later revenue
    """

    features: tuple[str, ...]
    apart: str = "one purchase"
    min_samples: int = 10
    is_weighted: bool = False

    @property
    def name(self) -> str:
        """The features as one text."""
        return " + ".join(self.features)

    def by_rule(self, base: Earlier) -> Labels:
        """Return the number of the rule that sets a customer apart, 0 for all others."""
        rows = base.features
        numbers = np.zeros(len(rows), dtype=np.int64)
        if self.apart == "asleep":
            numbers[(rows["recency_days"] > YEAR_DAYS).to_numpy()] = ASLEEP
        numbers[(rows["purchase_day_count"] <= 1).to_numpy()] = ONE_PURCHASE
        return numbers

    def inputs(self, base: Earlier) -> pd.DataFrame:
        """Return the features of the customers who are not set apart."""
        return at(base, self.features)[self.by_rule(base) == 0]

    def fit(self, history: History, day: str) -> HDBSCANSegments:
        """Return HDBSCAN fitted on the base at a date."""
        weights = weights_before(history, day, self.features) if self.is_weighted else None
        model = HDBSCANSegments(
            50, min_samples=self.min_samples, sample_size=SAMPLE, scaler=CustomerScaler(weights=weights)
        )
        return model.fit(self.inputs(history.bases[day]))

    def labels(self, model: HDBSCANSegments, base: Earlier) -> Labels:
        """Return the segment of all customers of a base; those set apart by rule are segments too."""
        numbers = self.by_rule(base)
        numbers[numbers == 0] = model.predict(self.inputs(base))
        return numbers


def ways() -> list[Way]:
    """Return all ways that are tried."""
    plain = [Way(features) for features in FEATURE_SETS]
    without_asleep = [Way(features, "asleep") for features in FEATURE_SETS if len(features) == FEWEST]
    weighted = [Way(features, is_weighted=True) for features in CLOSER]
    neighbours = [Way(features, min_samples=count) for features, count in product(CLOSER, (5, 25))]
    return plain + without_asleep + weighted + neighbours


def cuts(model: HDBSCANSegments) -> Iterator[tuple[str, float, HDBSCANSegments]]:
    """Yield selection, share of the fitted customers, and the model cut to segments of at least that share."""
    fitted = len(model.fitted_points_)
    for selection, share in product(SELECTIONS, SHARES):
        other: HDBSCANSegments = copy(model).set_params(selection=selection)
        yield selection, share, other.recut(max(5, round(share * fitted)))


def one_pair(history: History, learn: str, day: str, ways: Sequence[Way]) -> pd.DataFrame:
    """Return one row a way and cut, learnt at a date and measured at another on the quarter that followed it."""
    rows = []
    for way in ways:
        for selection, share, cut in cuts(way.fit(history, learn)):
            values = (way.name, way.apart, way.is_weighted, way.min_samples, selection, share)
            rows.append({**dict(zip(KEYS, values, strict=True)), **_figures(way, cut, history.bases[day])})
    return pd.DataFrame(rows).assign(data=history.name, learnt=learn, measured=day)


def _figures(way: Way, cut: HDBSCANSegments, base: Earlier) -> dict[str, float]:
    shares = np.bincount(cut.labels_[cut.labels_ >= 0], minlength=1) / len(cut.labels_)
    return {
        "n_segments": cut.n_clusters_,
        "noise": cut.noise_share_,
        "smallest": float(shares.min()),
        "largest": float(shares.max()),
        "eta2": eta_squared(way.labels(cut, base), base.log_revenue) if _is_worth_measuring(cut) else np.nan,
    }


def _is_worth_measuring(cut: HDBSCANSegments) -> bool:
    return cut.n_clusters_ > 1 and cut.noise_share_ < HALF


def searched(histories: Sequence[tuple[History, int]], ways: Sequence[Way]) -> pd.DataFrame:
    """Return the rows of the last so many pairs of dates of each history; the last pair of each is the final one."""
    tables = []
    for history, pairs in histories:
        dates = list(pairwise(history.dates))[-pairs:]
        tables += [
            one_pair(history, learn, day, ways).assign(is_final=day == history.dates[-1]) for learn, day in dates
        ]
    return pd.concat(tables, ignore_index=True)


def usable(rows: pd.DataFrame) -> pd.Series[bool]:
    """Return whether a cut is one that people could work with."""
    is_few, is_quiet = rows["n_segments"].between(2, MOST_SEGMENTS), rows["noise"] < MOST_NOISE
    return is_few & is_quiet & (rows["smallest"] >= LEAST_SHARE) & (rows["largest"] <= LARGEST_SHARE)


def ranked(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the best cut of each way: on which share of the earlier pairs it is usable, and its figures there.

    Best is what is usable most often over all data, then what tells most.
    """
    earlier = rows[~rows["is_final"]].assign(usable=usable)
    by_data = earlier.groupby([*KEYS, "data"])["usable"].mean().unstack("data").add_prefix("usable · ")
    means = earlier.groupby(KEYS)[["n_segments", "noise", "largest", "eta2"]].mean()
    eta = earlier.groupby([*KEYS, "data"])["eta2"].mean().unstack("data").add_prefix("eta2 · ")
    table = by_data.assign(usable=by_data.mean(axis=1)).join(means).join(eta).reset_index()
    best_first = table.sort_values(["usable", "eta2"], ascending=False, kind="stable")
    return best_first.drop_duplicates(WAY, ignore_index=True)


def closer(histories: Sequence[History]) -> pd.DataFrame:
    """Return how the closer sets fare at the final pair of dates of each history, and how they come back."""
    rows = []
    for history, features, apart in product(histories, CLOSER, ("one purchase", "asleep")):
        way = Way(features, apart)
        learn, day = history.dates[-2:]
        figures = _figures(way, cut_at(way.fit(history, learn)), history.bases[day])
        back = comes_back(history, learn, way, "eom", CLOSER_SHARE)
        rows.append({"data": history.name, "features": way.name, "apart": apart, **figures, **back})
    return pd.DataFrame(rows)


def cut_at(model: HDBSCANSegments) -> HDBSCANSegments:
    """Return the model with segments of at least 2 % of the customers."""
    return model.recut(max(5, round(CLOSER_SHARE * len(model.fitted_points_))))


def who(history: History, days: Sequence[str]) -> pd.DataFrame:
    """Return, by closer set, date and segment, how often and when its customers bought: what set them apart."""
    return pd.concat([_who(history, day, Way(features)) for features in CLOSER for day in days], ignore_index=True)


def _who(history: History, day: str, way: Way) -> pd.DataFrame:
    base = history.bases[day]
    numbers = way.labels(cut_at(way.fit(history, day)), base)
    rows = base.features.assign(segment=numbers)[numbers < ONE_PURCHASE]
    groups = rows.groupby("segment")
    table = groups.agg(customers=("customer_id", "size"), order_count=("order_count", "median"))
    ends = {
        f"{name}_{percent:02d}": groups[name].quantile(percent / 100)
        for name in ("order_count", "recency_days")
        for percent in (5, 95)
    }
    without = groups["revenue_365d"].agg(lambda money: (money <= 0).mean())
    table = table.assign(**ends, without_revenue_365d=without).reset_index()
    table.insert(0, "features", way.name)
    table.insert(1, "date", day)
    return table


def comes_back(
    history: History, day: str, way: Way, selection: str, share: float, *, resamples: int = 6, seed: int = 0
) -> dict[str, float]:
    """Return how two clusterings agree: of bootstrap samples, and of as many different customers drawn once each.

    A bootstrap sample repeats customers, and repeats are dense; 63 % drawn without repeats hold as many different ones.
    ``with_noise`` counts noise as a segment; the others leave it out.
    """
    inputs = way.inputs(history.bases[day])
    inputs = inputs.sample(min(len(inputs), SAMPLE), random_state=seed).sort_index()
    rng, count = np.random.default_rng(seed), len(inputs)
    draws = {
        "bootstrap": [rng.integers(0, count, count) for _ in range(resamples)],
        "subsample": [rng.permutation(count)[: round(0.632 * count)] for _ in range(resamples)],
    }
    found = {}
    for name, samples in draws.items():
        labels = [_again(inputs.iloc[np.sort(rows)], way, selection, share).predict(inputs) for rows in samples]
        pairs = list(zip(labels, labels[1:] + labels[:1], strict=True))
        found[f"agreement_{name}"] = float(np.mean([_rand(*pair) for pair in pairs]))
        found[f"with_noise_{name}"] = float(np.mean([adjusted_rand_score(*pair) for pair in pairs]))
    return found


def _again(sample: pd.DataFrame, way: Way, selection: str, share: float) -> HDBSCANSegments:
    least = max(5, round(share * len(sample)))
    return HDBSCANSegments(least, min_samples=way.min_samples, selection=selection).fit(sample)


def _rand(one: Labels, other: Labels) -> float:
    known = (one != NOISE) & (other != NOISE)
    return float(adjusted_rand_score(one[known], other[known])) if known.any() else 0.0
