"""What is at stake with a customer: in revenue or in margin, and what a contact is expected to earn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from segml.config import ActionsConfig
from segml.language import _
from segml.schema import ConfigError

MARGINS = ("margin_365d", "margin_share_365d")
"""Features that tell margins; tables without them are tables without margins."""


def margin_rates(features: pd.DataFrame, config: ActionsConfig) -> pd.Series[float]:
    """Return what is left of each customer's revenue, between 0 and 1.

    The customer's margin over the revenue of the last 365 days; the base's (``base_margin``) where that is unknown.

    Raises
    ------
    ConfigError : margins are asked for, and neither the data nor the configuration tells any
    """
    base = base_margin(features, config)
    check_margin(base, config)
    return own_margins(features, base)


def check_margin(base: float, config: ActionsConfig) -> None:
    """Raise ``ConfigError`` where money is to be counted in margin, and no margin of the base is known."""
    if math.isnan(base) and config.value == "margin":
        raise ConfigError(
            "actions.value is 'margin', but the data tell no margin of the last 365 days; map data.columns.margin or "
            "cost, or set actions.margin_rate"
        )


def own_margins(features: pd.DataFrame, base: float) -> pd.Series[float]:
    """Return what is left of each customer's revenue; the base's margin where it is unknown, all where that is NaN."""
    own = features.get("margin_share_365d", pd.Series(np.nan, index=features.index))
    return own.fillna(1.0 if math.isnan(base) else base).clip(0.0, 1.0)


def base_margin(features: pd.DataFrame, config: ActionsConfig) -> float:
    """Return the margin of all customers over the revenue that it was told of; else ``margin_rate``; else NaN."""
    if not all(name in features.columns for name in MARGINS):
        return margin_over(0.0, 0.0, config)
    told = features.loc[features["margin_share_365d"].notna() & (features["margin_share_365d"] != 0), MARGINS]
    revenue = math.fsum(told["margin_365d"] / told["margin_share_365d"])
    return margin_over(math.fsum(told["margin_365d"]), revenue, config)


def margin_over(margin: float, revenue: float, config: ActionsConfig) -> float:
    """Return margin over revenue, between 0 and 1; without revenue ``margin_rate``, or NaN."""
    if revenue > 0:
        return min(max(margin / revenue, 0.0), 1.0)
    return math.nan if config.margin_rate is None else config.margin_rate


def at_risk(table: pd.DataFrame, margins: pd.Series[float], config: ActionsConfig) -> pd.Series[float]:
    """Return p(stagnation) × run rate of the horizon, times the margin where ``value`` asks for it; 0 where unknown.

    A regression of the lost fraction itself reaches no more of the lost revenue than this product, so there is none.

    Parameters
    ----------
    table : ``p_stagnation`` and ``run_rate``; a negative run rate (more returned than bought) puts nothing at risk
    margins : ``margin_rates`` of the same rows
    """
    threatened = _threatened(table).fillna(0.0)
    return threatened * margins if config.value == "margin" else threatened


def expected_profit(table: pd.DataFrame, margins: pd.Series[float], config: ActionsConfig) -> pd.Series[float]:
    """Return what a contact is expected to earn: share saved × threatened money × margin − cost; NaN not scored.

    Raises
    ------
    ValueError : ``contact_cost`` is not set
    """
    if config.contact_cost is None:
        raise ValueError("expected profit needs actions.contact_cost")
    return config.success_rate * _threatened(table) * margins - config.contact_cost


def _threatened(table: pd.DataFrame) -> pd.Series[float]:
    """Return the revenue that may be lost over the horizon; NaN not scored."""
    threatened: pd.Series[float] = table["p_stagnation"] * table["run_rate"].clip(lower=0)
    return threatened


def margin_notices(features: pd.DataFrame, config: ActionsConfig) -> tuple[str, ...]:
    """Return in words what is counted and which margin stands for unknown ones; nothing without margins."""
    counted = (_("revenue at risk is counted in margin (actions.value)"),) if config.value == "margin" else ()
    if not counted and config.contact_cost is None:
        return ()
    base, own = base_margin(features, config), features.get("margin_share_365d")
    if math.isnan(base):
        return (_("no margin is known: revenue counts as money in full; set actions.margin_rate"),)
    unknown = len(features) if own is None else int(own.isna().sum())
    if not unknown:
        return counted
    told = _("the margin of {n} of {all} customers is unknown: {share:.0%} is taken for them")
    return (*counted, told.format(n=unknown, all=len(features), share=base))
