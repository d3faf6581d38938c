"""All rule-based schemes of a configuration, and their labels side by side."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml.config import SegmentsConfig
from segml.segments.abc_xyz import Abc, Xyz, month_variation
from segml.segments.lifecycle import Lifecycle
from segml.segments.rfm import Rfm
from segml.segments.scheme import Scheme
from segml.segments.tier import Tier


@dataclass(frozen=True)
class RuleLabels:
    """Labels of all rule-based schemes, and what the reader should know about them."""

    table: pd.DataFrame
    notices: tuple[str, ...]


def schemes(config: SegmentsConfig) -> tuple[Scheme, ...]:
    """Return the rule-based schemes with their thresholds, in the order of their columns."""
    return (Lifecycle(config.lifecycle), Rfm(config.rfm), Abc(config.abc), Xyz(config.xyz), Tier(config.tier))


def assign_rules(features: pd.DataFrame, revenue_by_month: pd.DataFrame, config: SegmentsConfig) -> RuleLabels:
    """Return one row a customer, sorted by ``customer_id``, and one label a scheme.

    Columns: ``customer_id, lifecycle, rfm_cell, rfm_segment, abc, xyz, tier``, all text, none null.

    Parameters
    ----------
    features : one row a customer at one as-of date
    revenue_by_month : customers × months (see ``month_variation``)
    config : thresholds

    Raises
    ------
    DataError : columns missing, customers repeated, or more than one as-of date
    """
    features = month_variation(features, revenue_by_month, config.xyz).sort_values("customer_id", ignore_index=True)
    columns = {scheme.name: scheme.assign(features) for scheme in schemes(config)}
    table = pd.DataFrame({"customer_id": features["customer_id"].astype("str"), **columns})
    table.insert(2, "rfm_cell", Rfm(config.rfm).cells(features))
    return RuleLabels(table, _notices(len(features), config))


def _notices(customers: int, config: SegmentsConfig) -> tuple[str, ...]:
    if customers >= config.min_customers:
        return ()
    relative = ", ".join(scheme.name for scheme in schemes(config) if scheme.compares_customers)
    return (
        f"{customers} customer{'s' if customers != 1 else ''}, fewer than segments.min_customers = "
        f"{config.min_customers}: {relative} compare customers with each other and tell little here; go by lifecycle",
    )
