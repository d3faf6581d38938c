"""Sentences that state a customer's own figures as signs of risk, one for each group of features.

A group may raise a score although the figure that people look at is not alarming; then it gets no sentence, for
"last order is 60 % above its mean" is no warning that anybody would believe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from segml.language import _, ngettext, numerals

Figures = Mapping[str, float]
"""A customer's features by name."""

_ROUNDED_AWAY = 0.005  # shares up to this one are written as nothing
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
    gap, last = _get(figures, "gap_mean_days"), last_purchase(figures["recency_days"])
    if math.isnan(gap):
        return _("no warning sign: {last}").format(last=last)
    return _("no warning sign: {rhythm}, {last}").format(rhythm=_rhythm_of(gap), last=last)


def no_clear_sign(figures: Figures) -> str:
    """Return what to say of a customer at risk none of whose figures stands out."""
    gap, last = _get(figures, "gap_mean_days"), last_purchase(figures["recency_days"])
    usual = _("one purchase day only") if math.isnan(gap) else _rhythm_of(gap)
    return _("no single sign stands out: {usual}, {last}").format(usual=usual, last=last)


def days(count: float) -> str:
    """Return a number of days in words.

    >>> days(1.2), days(12345.0)
    ('1 day', '12,345 days')
    """
    return ngettext("{n:,.0f} day", "{n:,.0f} days", count).format(n=count)


def last_purchase(recency_days: float) -> str:
    """Return how long ago the last purchase was, in words."""
    return _("last purchase {days} ago").format(days=days(recency_days))


def _rhythm_of(gap_days: float) -> str:
    return _("orders every {days}").format(days=days(gap_days))


def _silence(c: Figures) -> str | None:
    gap, recency = _get(c, "gap_mean_days"), c["recency_days"]
    if math.isnan(gap):
        return _("one purchase day only, {days} ago").format(days=days(recency))
    if recency < gap:
        return None
    silent = ngettext("silent for {n:,.0f}", "silent for {n:,.0f}", recency).format(n=recency)
    return f"{_rhythm_of(gap)}, {silent}"


def _rhythm(c: Figures) -> str | None:
    lately, year = _get(c, "order_count_90d"), _get(c, "order_count_365d")
    if not _known(lately, year):
        return None
    return ngettext(
        "{n:,.0f} order in the last 90 days, {year:,.0f} in the last 365",
        "{n:,.0f} orders in the last 90 days, {year:,.0f} in the last 365",
        lately,
    ).format(n=lately, year=year)


def _order_value(c: Figures) -> str | None:
    return _short(_get(c, "order_value_last_to_mean"), _("last order is {share} below its mean order value"))


def _revenue_level(c: Figures) -> str | None:
    revenue = _get(c, "revenue_365d")
    return _("revenue of {money:,.0f} in the last 365 days").format(money=revenue) if _known(revenue) else None


def _revenue_trend(c: Figures) -> str | None:
    windows = {window: _get(c, f"revenue_{window}d_to_run_rate") for window in (90, 180, 30)}
    told = _("revenue of the last {days} days is {share} below its run rate")
    sentences = (_short(ratio, told, days=window) for window, ratio in windows.items())
    return next((sentence for sentence in sentences if sentence), None)


def _season(c: Figures) -> str | None:
    ratio = _get(c, "revenue_90d_last_year_to_run_rate")
    return _short(ratio, _("a weak season lies ahead: a year ago its 90 days were {share} below the present run rate"))


def _assortment(c: Figures) -> str | None:
    return (
        _short(_get(c, "category_count_365d_to_previous"), _("buys {share} fewer product families than a year before"))
        or _short(_get(c, "product_count_365d_to_previous"), _("buys {share} fewer products than a year before"))
        or _breadth(c)
    )


def _breadth(c: Figures) -> str | None:
    products = _get(c, "product_count_365d")
    if not _known(products):
        return None
    return ngettext(
        "bought {n:,.0f} product in the last 365 days", "bought {n:,.0f} products in the last 365 days", products
    ).format(n=products)


def _renewal(c: Figures) -> str | None:
    told = _("{share} of its products of the last 90 days are new")
    return _told(told, _get(c, "new_product_share_90d"))


def _order_size(c: Figures) -> str | None:
    told = _("lines of the last three orders are {share} below its mean order")
    return _short(_get(c, "lines_last3_to_mean"), told)


def _returns(c: Figures) -> str | None:
    share = _get(c, "return_share_365d")
    return _told(_("returned {share} of the purchases of the last 365 days"), share) if share > _ROUNDED_AWAY else None


def _margin(c: Figures) -> str | None:
    margin, discount = _get(c, "margin_share_365d"), _get(c, "discount_share_365d")
    return _told(_("margin of {share} over the last 365 days"), margin) or _told(
        _("discount of {share} over the last 365 days"), discount
    )


def _tenure(c: Figures) -> str | None:
    months = c["tenure_days"] / _MONTH_DAYS
    if months >= _YOUNG_MONTHS:
        return None
    return ngettext("customer for only {n:,.0f} month", "customer for only {n:,.0f} months", months).format(n=months)


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


def _percent(share: float) -> str:
    return numerals(f"{100 * share:,.0f} %")


def _told(sentence: str, share: float) -> str | None:
    """Return the sentence with the share in it; None where that is unknown."""
    return sentence.format(share=_percent(share)) if _known(share) else None


def _short(ratio: float, sentence: str, **figures: float) -> str | None:
    """Tell by how much a ratio falls short of one: "… 40 % below its run rate"; None where it hardly does.

    More returned than bought counts as nothing bought.
    """
    if not ratio <= 1 - _CLEAR_SHORTFALL:
        return None
    return sentence.format(share=_percent(min(1 - ratio, 1.0)), **figures)
