"""Segments in plain words: what is high or low in them against the base."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.clusters import CustomerScaler
from segml.language import N_, _, speaking

NOTABLE, STRONG = 0.3, 1.2  # standard deviations from the base's mean
ORDINARY = N_("close to the average")
NO_CLEAR_SEGMENT = N_("no clear segment")
ONE_PURCHASE = N_("one purchase only")


class Phrase(NamedTuple):
    """How a feature reads at its two ends; of features with one subject only the most telling is named."""

    subject: str
    low: str
    high: str


PHRASES = {
    "recency_days": Phrase("silence", N_("recent"), N_("long silent")),
    "tenure_days": Phrase("tenure", N_("young accounts"), N_("old accounts")),
    "order_count": Phrase("frequency", N_("rare"), N_("frequent")),
    "order_count_365d": Phrase("frequency", N_("rare"), N_("frequent")),
    "order_count_180d": Phrase("frequency", N_("rare"), N_("frequent")),
    "order_count_90d": Phrase("frequency", N_("rare"), N_("frequent")),
    "purchase_day_count": Phrase("frequency", N_("rare"), N_("frequent")),
    "gap_shrunk_days": Phrase("frequency", N_("frequent"), N_("rare")),
    "active_month_share": Phrase("steadiness", N_("patchy"), N_("steady")),
    "gap_cv": Phrase("regularity", N_("regular"), N_("irregular")),
    "revenue_total": Phrase("revenue", N_("small revenue"), N_("large revenue")),
    "revenue_365d": Phrase("revenue", N_("small revenue"), N_("large revenue")),
    "revenue_90d": Phrase("last quarter", N_("weak last quarter"), N_("strong last quarter")),
    "revenue_90d_to_run_rate": Phrase("trend", N_("weak trend"), N_("strong trend")),
    "revenue_180d_to_run_rate": Phrase("trend", N_("weak trend"), N_("strong trend")),
    "order_value_mean": Phrase("order value", N_("small orders"), N_("large orders")),
    "order_value_cv": Phrase("order variety", N_("even orders"), N_("uneven orders")),
    "product_count_365d": Phrase("assortment", N_("narrow assortment"), N_("wide assortment")),
    "category_count_365d": Phrase("categories", N_("few categories"), N_("many categories")),
    "repeat_product_share": Phrase("repeats", N_("varied choice"), N_("settled choice")),
    "lines_per_order": Phrase("order size", N_("short orders"), N_("long orders")),
    "margin_share_365d": Phrase("margin", N_("low margin"), N_("high margin")),
    "discount_share_365d": Phrase("discount", N_("little discount"), N_("much discount")),
    "return_share_365d": Phrase("returns", N_("few returns"), N_("many returns")),
}

_KNOWN = {ORDINARY, NO_CLEAR_SEGMENT, ONE_PURCHASE} | {
    words for phrase in PHRASES.values() for words in (phrase.low, phrase.high)
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
    """Return the features that there are phrases for, standardised by ``CustomerScaler`` over these customers."""
    told = [name for name in PHRASES if name in features.columns]
    if not told or features.empty:
        return pd.DataFrame(index=features.index)
    scaled = CustomerScaler().fit_transform(features[told].astype("float64"))
    return pd.DataFrame(scaled, columns=told, index=features.index)


def distinct_names(sizes: NDArray[np.float64], features: Sequence[str]) -> list[str]:
    """Return one name a segment, all different: the two most telling differences, more where two would read alike.

    Segments that read alike even in full are told apart by a number. Names are labels, and so in English.

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


def told_name(name: str) -> str:
    """Return a name that ``distinct_names`` gave, in the language spoken; any other name stays as it is.

    >>> told_name("very recent, large revenue (2)")
    'very recent, large revenue (2)'
    """
    return ", ".join(_told_part(part) for part in name.split(", "))


def _told_part(part: str) -> str:
    words, opening, number = part.partition(" (")
    plain = words.removeprefix("very ")
    if plain not in _KNOWN:
        return part
    told = _(plain) if plain == words else _("very {words}").format(words=_(plain))
    return told + opening + number


def _name(sizes: NDArray[np.float64], features: Sequence[str], at_most: int) -> str:
    with speaking("en"):
        return ", ".join(difference.words for difference in differences(sizes, features, at_most)) or ORDINARY


def _phrase(feature: str) -> Phrase:
    if feature in PHRASES:
        subject, low, high = PHRASES[feature]
        return Phrase(subject, _(low), _(high))
    plain = feature.replace("_", " ")
    return Phrase(feature, _("low {feature}").format(feature=plain), _("high {feature}").format(feature=plain))


def _words(phrase: Phrase, size: float) -> str:
    words = phrase.high if size > 0 else phrase.low
    return _("very {words}").format(words=words) if abs(size) >= STRONG else words
