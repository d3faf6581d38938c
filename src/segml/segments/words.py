"""Segments in plain words: what is high or low in them against the base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.segments.preprocessing import LogStandardClip

NOTABLE, STRONG = 0.3, 1.2  # standard deviations from the base's mean
ORDINARY = "close to the average"


class Phrase(NamedTuple):
    """How a feature reads at its two ends; of features with one subject only the most telling is named."""

    subject: str
    low: str
    high: str


PHRASES = {
    "recency_days": Phrase("silence", "recent", "long silent"),
    "tenure_days": Phrase("tenure", "young accounts", "old accounts"),
    "order_count": Phrase("frequency", "rare", "frequent"),
    "order_count_365d": Phrase("frequency", "rare", "frequent"),
    "order_count_180d": Phrase("frequency", "rare", "frequent"),
    "order_count_90d": Phrase("frequency", "rare", "frequent"),
    "purchase_day_count": Phrase("frequency", "rare", "frequent"),
    "gap_shrunk_days": Phrase("frequency", "frequent", "rare"),
    "active_month_share": Phrase("steadiness", "patchy", "steady"),
    "gap_cv": Phrase("regularity", "regular", "irregular"),
    "revenue_total": Phrase("revenue", "small revenue", "large revenue"),
    "revenue_365d": Phrase("revenue", "small revenue", "large revenue"),
    "revenue_90d": Phrase("last quarter", "weak last quarter", "strong last quarter"),
    "revenue_90d_to_run_rate": Phrase("trend", "weak trend", "strong trend"),
    "revenue_180d_to_run_rate": Phrase("trend", "weak trend", "strong trend"),
    "order_value_mean": Phrase("order value", "small orders", "large orders"),
    "order_value_cv": Phrase("order variety", "even orders", "uneven orders"),
    "product_count_365d": Phrase("assortment", "narrow assortment", "wide assortment"),
    "category_count_365d": Phrase("categories", "few categories", "many categories"),
    "repeat_product_share": Phrase("repeats", "varied choice", "settled choice"),
    "lines_per_order": Phrase("order size", "short orders", "long orders"),
    "margin_share_365d": Phrase("margin", "low margin", "high margin"),
    "discount_share_365d": Phrase("discount", "little discount", "much discount"),
    "return_share_365d": Phrase("returns", "few returns", "many returns"),
}


class Difference(NamedTuple):
    """One telling difference of a segment from the base, in words and in standard deviations."""

    words: str
    size: float


def differences(sizes: NDArray[np.float64], features: Sequence[str], at_most: int) -> list[Difference]:
    """Return the most telling differences, largest first, one a subject.

    Parameters
    ----------
    sizes : standardised mean differences of a segment from the base, one a feature
    features : their names; a feature without a phrase of its own reads as "high …" or "low …"
    at_most : how many to return; differences under 0.3 standard deviations are never named

    Examples
    --------
    >>> differences(np.array([-1.5, 0.9, 0.1]), ["recency_days", "revenue_365d", "order_value_mean"], 3)
    [Difference(words='very recent', size=-1.5), Difference(words='large revenue', size=0.9)]
    """
    rounded = np.round(np.asarray(sizes, dtype=float), 6)
    told: dict[str, Difference] = {}
    for place in np.argsort(-np.abs(rounded), kind="stable"):
        if abs(rounded[place]) < NOTABLE or len(told) == at_most:
            break
        phrase = _phrase(features[place])
        told.setdefault(phrase.subject, Difference(_words(phrase, rounded[place]), float(rounded[place])))
    return list(told.values())


def told_features(features: pd.DataFrame) -> pd.DataFrame:
    """Return the features that there are phrases for, standardised by ``LogStandardClip`` over these customers."""
    told = [name for name in PHRASES if name in features.columns]
    if not told or features.empty:
        return pd.DataFrame(index=features.index)
    scaled = LogStandardClip().fit_transform(features[told].astype("float64"))
    return pd.DataFrame(scaled, columns=told, index=features.index)


def distinct_names(sizes: NDArray[np.float64], features: Sequence[str]) -> list[str]:
    """Return one name a segment, all different: the two most telling differences, more where two would read alike.

    Segments that read alike even in full are told apart by a number.

    Parameters
    ----------
    sizes : standardised mean differences (segments, features)
    features : names of the features
    """
    for at_most in range(2, len(features) + 1):
        names = [_name(row, features, at_most) for row in sizes]
        if len(set(names)) == len(names):
            return names
    names = [_name(row, features, 2) for row in sizes]
    return [
        name if names.count(name) == 1 else f"{name} ({names[: place + 1].count(name)})"
        for place, name in enumerate(names)
    ]


def _name(sizes: NDArray[np.float64], features: Sequence[str], at_most: int) -> str:
    return ", ".join(difference.words for difference in differences(sizes, features, at_most)) or ORDINARY


def _phrase(feature: str) -> Phrase:
    plain = feature.replace("_", " ")
    return PHRASES.get(feature, Phrase(feature, f"low {plain}", f"high {plain}"))


def _words(phrase: Phrase, size: float) -> str:
    return ("very " if abs(size) >= STRONG else "") + (phrase.high if size > 0 else phrase.low)
