"""The effect of a campaign, for all customers and a segment each, and what to make of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from segml.campaigns.estimate import Estimate, adjusted_difference, together
from segml.campaigns.kept import TREATMENT
from segml.campaigns.pooling import both_arms, pooled
from segml.config import CampaignConfig
from segml.schema import DataError

ALL = "all"
MIN_ARM = 5
"""Customers of either arm that a segment needs for an effect of its own."""
MIN_CELL = 2
"""Customers of either arm that a stratum needs for a variance."""
EFFECTS = (
    "segment",
    "treated",
    "control",
    "control_mean",
    "difference",
    "low",
    "high",
    "p_value",
    "q_value",
    "stands_out",
    "is_too_wide",
)


def effects(customers: pd.DataFrame, config: CampaignConfig) -> pd.DataFrame:
    """Return one row a segment, where there are several, and ``all`` first: what the treatment brought a customer.

    The first row is the mean of the others by their customers, so that the segments' effects add up to it. Segments
    of fewer than ``MIN_ARM`` customers in either arm are counted together as ``other``. ``q_value`` is the p-value
    corrected for the number of segments looked at (Benjamini & Hochberg 1995); of the first row it is the p-value.

    Parameters
    ----------
    customers : ``customer_id, segment, stratum, starts_on, arm, outcome, before``; one row a customer

    Returns
    -------
    ``EFFECTS``: customers of either arm, what a customer brings without treatment, the difference and its 1 − alpha
    interval, p and q; whether q lies below alpha; whether half the interval is more than ``too_wide`` of the control's
    mean. Intervals are NaN where outcomes do not vary.

    Raises
    ------
    DataError : one arm has fewer than ``MIN_ARM`` customers
    """
    rows = customers.sort_values("customer_id", ignore_index=True)
    is_treated = rows["arm"] == TREATMENT
    _check_arms(is_treated)
    rows = rows.assign(is_treated=is_treated, segment=_segments(rows, is_treated))
    groups = [(str(name), group, _estimate(group)) for name, group in rows.groupby("segment")]
    whole = together([(len(group) / len(rows), estimate) for _, group, estimate in groups])
    told = [_row(ALL, rows["is_treated"], whole, config)]
    if len(groups) > 1:
        told += [_row(name, group["is_treated"], estimate, config) for name, group, estimate in groups]
    table = pd.DataFrame(told)
    table["q_value"] = _corrected(table["p_value"])
    table["stands_out"] = table["q_value"] < config.alpha
    return table[list(EFFECTS)]


def _segments(rows: pd.DataFrame, is_treated: pd.Series[bool]) -> pd.Series[str]:
    """Return the segments that can be told apart; what is left of them joins the largest."""
    label = pooled(rows[["segment"]], both_arms(is_treated, MIN_ARM))
    return _with_leftovers(label, is_treated, MIN_ARM)


def _estimate(group: pd.DataFrame) -> Estimate:
    label = pooled(group[["stratum", "starts_on"]], both_arms(group["is_treated"], MIN_CELL))
    cells = _with_leftovers(label, group["is_treated"], MIN_CELL)
    return adjusted_difference(group["outcome"], group["before"], group["is_treated"], cells)


def _with_leftovers(label: pd.Series[str], is_treated: pd.Series[bool], customers: int) -> pd.Series[str]:
    """Return labels of which each has enough customers in both arms."""
    enough = both_arms(is_treated, customers)(label)
    if not enough.any():
        return pd.Series(ALL, index=label.index)
    largest = str(label[enough].value_counts(sort=False).sort_index().idxmax())
    return label.where(enough, largest)


def _row(name: str, is_treated: pd.Series[bool], found: Estimate, config: CampaignConfig) -> dict[str, object]:
    low, high = found.interval(config.alpha)
    return {
        "segment": name,
        "treated": int(is_treated.sum()),
        "control": int((~is_treated).sum()),
        "control_mean": found.control_mean,
        "difference": found.difference,
        "low": low,
        "high": high,
        "p_value": found.p_value,
        "is_too_wide": not (high - low) / 2 <= config.too_wide * found.control_mean,
    }


def _corrected(p_value: pd.Series[float]) -> pd.Series[float]:
    """Return the q-values of the segments; the first row, the whole, is not one of them."""
    corrected = p_value.copy()
    told = p_value.iloc[1:].dropna()
    if len(told):
        corrected.loc[told.index] = stats.false_discovery_control(np.asarray(told))
    return corrected


def _check_arms(is_treated: pd.Series[bool]) -> None:
    treated, control = int(is_treated.sum()), int((~is_treated).sum())
    if min(treated, control) < MIN_ARM:
        raise DataError(
            f"the effect needs at least {MIN_ARM} customers in either arm; found {treated} treated and {control} of "
            "the control"
        )
