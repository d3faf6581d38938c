"""Sentences that state a customer's own figures as signs of risk, one for each group of features.

A group may raise a score although the figure that people look at is not alarming; then it gets no sentence, for
"last order is 60 % above its mean" is no warning that anybody would believe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

Figures = Mapping[str, float]
"""A customer's features by name."""

_MONTH_DAYS = 30.4375
_CLEAR_SHORTFALL = 0.05
_YOUNG_MONTHS = 12


def phrase(group: str, figures: Figures) -> str | None:
    """Return a sentence on one group of features, or None where its figures are unknown or give no warning.

    >>> phrase("silence", {"gap_mean_days": 24.2, "recency_days": 61.0})
    'orders every 24 days, silent for 61'
    """
    return _PHRASES[group](figures) if group in _PHRASES else None


def all_well(figures: Figures) -> str:
    """Return what to say of a customer with low risk."""
    last = f"last purchase {days(figures['recency_days'])} ago"
    gap = _get(figures, "gap_mean_days")
    return f"no warning sign: {last}" if math.isnan(gap) else f"no warning sign: orders every {days(gap)}, {last}"


def no_clear_sign(figures: Figures) -> str:
    """Return what to say of a customer at risk none of whose figures stands out."""
    last = f"last purchase {days(figures['recency_days'])} ago"
    gap = _get(figures, "gap_mean_days")
    usual = "one purchase day only" if math.isnan(gap) else f"orders every {days(gap)}"
    return f"no single sign stands out: {usual}, {last}"


def days(count: float) -> str:
    """Return a number of days in words.

    >>> days(1.2), days(12345.0)
    ('1 day', '12,345 days')
    """
    return f"{count:,.0f} day{'' if round(count) == 1 else 's'}"


def _silence(c: Figures) -> str | None:
    gap, recency = _get(c, "gap_mean_days"), c["recency_days"]
    if math.isnan(gap):
        return f"one purchase day only, {days(recency)} ago"
    return f"orders every {days(gap)}, silent for {recency:,.0f}" if recency >= gap else None


def _rhythm(c: Figures) -> str | None:
    lately, year = _get(c, "order_count_90d"), _get(c, "order_count_365d")
    return (
        f"{_count(lately, 'order')} in the last 90 days, {year:,.0f} in the last 365" if _known(lately, year) else None
    )


def _order_value(c: Figures) -> str | None:
    return _short(_get(c, "order_value_last_to_mean"), "last order is", "its mean order value")


def _revenue_level(c: Figures) -> str | None:
    revenue = _get(c, "revenue_365d")
    return f"revenue of {revenue:,.0f} in the last 365 days" if _known(revenue) else None


def _revenue_trend(c: Figures) -> str | None:
    windows = {window: _get(c, f"revenue_{window}d_to_run_rate") for window in (90, 180, 30)}
    sentences = (
        _short(ratio, f"revenue of the last {window} days is", "its run rate") for window, ratio in windows.items()
    )
    return next((sentence for sentence in sentences if sentence), None)


def _season(c: Figures) -> str | None:
    ratio = _get(c, "revenue_90d_last_year_to_run_rate")
    return _short(ratio, "a weak season lies ahead: a year ago its 90 days were", "the present run rate")


def _assortment(c: Figures) -> str | None:
    products = _get(c, "product_count_365d")
    return f"bought {_count(products, 'product')} in the last 365 days" if _known(products) else None


def _renewal(c: Figures) -> str | None:
    new = _get(c, "new_product_share_90d")
    return f"{_percent(new)} of its products of the last 90 days are new" if _known(new) else None


def _order_size(c: Figures) -> str | None:
    return _short(_get(c, "lines_last3_to_mean"), "lines of the last three orders are", "its mean order")


def _returns(c: Figures) -> str | None:
    share = _get(c, "return_share_365d")
    return f"returned {_percent(share)} of the purchases of the last 365 days" if _known(share) and share > 0 else None


def _margin(c: Figures) -> str | None:
    margin, discount = _get(c, "margin_share_365d"), _get(c, "discount_share_365d")
    if _known(margin):
        return f"margin of {_percent(margin)} over the last 365 days"
    return f"discount of {_percent(discount)} over the last 365 days" if _known(discount) else None


def _tenure(c: Figures) -> str | None:
    months = c["tenure_days"] / _MONTH_DAYS
    return f"customer for only {_count(months, 'month')}" if months < _YOUNG_MONTHS else None


_PHRASES: dict[str, Callable[[Figures], str | None]] = {
    "silence": _silence,
    "rhythm": _rhythm,
    "order value": _order_value,
    "revenue level": _revenue_level,
    "revenue trend": _revenue_trend,
    "season": _season,
    "assortment": _assortment,
    "renewal of assortment": _renewal,
    "order size": _order_size,
    "returns": _returns,
    "margin": _margin,
    "tenure": _tenure,
}


def _get(c: Figures, name: str) -> float:
    return c.get(name, math.nan)


def _known(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def _count(number: float, noun: str) -> str:
    return f"{number:,.0f} {noun}{'' if round(number) == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:,.0f} %"


def _short(ratio: float, what: str, usual: str) -> str | None:
    """Tell by how much a ratio falls short of one: "… 40 % below its run rate"; None where it hardly does.

    More returned than bought counts as nothing bought.
    """
    return f"{what} {_percent(min(1 - ratio, 1.0))} below {usual}" if ratio <= 1 - _CLEAR_SHORTFALL else None
