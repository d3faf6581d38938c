"""Everything that a report is made of, as plain tables and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from segml.clusters import Projection
from segml.config import Config


@dataclass(frozen=True)
class ReportContent:
    """One run, ready to be shown. What is None or empty is left out, and its section says so.

    Attributes
    ----------
    as_of : moment from which the run looks back
    config : the full configuration
    decisions : one row a customer, as ``segml.actions.assemble`` returns them
    features : ``customer_id`` and ``revenue_365d`` of the same customers
    ledger : ``rule``, ``kind`` (in, taken, corrected, kept), ``lines``, ``customers``, ``amount``, ``meaning``
    profiles : one row a segment of each scheme: ``scheme``, ``segment``, ``customers``, ``customer_share``,
        ``revenue``, ``revenue_share``, ``revenue_mean``, ``order_value_mean``, ``orders_per_year``,
        ``margin_rate``, ``typical_category``, ``typical_size``, ``typical_region``, ``share_at_risk``,
        ``revenue_at_risk``, ``differences``, ``rule``, ``name``, ``strategy``; the last four and the typical ones are
        text, null or empty where unknown
    notices : plain warnings, shown first
    cluster_means : standardised means; index = names of clusters, columns = readable names of features
    cluster_candidates : ways to cluster and simple rules with their figures, see ``segments.FoundSegments.table``
    cluster_segments : found segments one by one, see ``segments.Portrait.table``
    cluster_sheet : customers in two dimensions
    cluster_migration : ``from``, ``to`` (names), ``customers``: over the last horizon, by the frozen model
    cluster_remarks : sentences on the found segments
    metrics : name to value, ``_low`` and ``_high`` for the ends of the 95 % interval
    backtest : one row a scored customer and test date: ``p_churn``, ``p_stagnation``, ``churned``, ``stagnated``, …
    reliability : ``target``, ``bin``, ``predicted``, ``observed``, ``customers``
    gains : ``target`` (churn, stagnation, loss), ``strategy``, ``share_of_customers``, ``share_captured``
    slices : the backtest by kind of customer, see ``churn.slices``
    signals : warning signs against the model, see ``churn.signal_register``
    importance : what each group of features adds, see ``churn.importance``
    lead_time : how soon lost customers were listed, see ``churn.lead_time``
    revenue_by_month : ``month``, ``revenue`` of the whole base
    products : one row a product: ``abc``, ``xyz``, ``revenue_365d``, …
    cohorts : one row a cohort and age: ``cohort``, ``age``, ``customers``, ``retention``, ``revenue_per_customer``, …
    silent : one row a customer and what it has gone silent in: ``customer_id``, the category, ``revenue_365d``, …
    scheme_titles : title and question of each scheme, on or off, in English, as ``segml.language`` marks them
    schemes_off : scheme -> why it is off
    cautions : scheme -> the sufficiency gate's warnings; "" holds those about the whole base
    customer_names : readable name of a ``customer_id``, where one is known
    versions : name and version of what computed this
    data_digest : fingerprint of the input
    run_id : name of the tracked run
    """

    as_of: pd.Timestamp
    config: Config
    decisions: pd.DataFrame
    features: pd.DataFrame
    ledger: pd.DataFrame
    profiles: pd.DataFrame
    notices: tuple[str, ...] = ()
    cluster_means: pd.DataFrame | None = None
    cluster_candidates: pd.DataFrame | None = None
    cluster_segments: pd.DataFrame | None = None
    cluster_sheet: Projection | None = None
    cluster_migration: pd.DataFrame | None = None
    cluster_remarks: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    backtest: pd.DataFrame | None = None
    reliability: pd.DataFrame | None = None
    gains: pd.DataFrame | None = None
    slices: pd.DataFrame | None = None
    signals: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None
    lead_time: pd.DataFrame | None = None
    revenue_by_month: pd.DataFrame | None = None
    products: pd.DataFrame | None = None
    cohorts: pd.DataFrame | None = None
    silent: pd.DataFrame | None = None
    scheme_titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    schemes_off: Mapping[str, str] = field(default_factory=dict)
    cautions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    customer_names: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    data_digest: str = ""
    run_id: str = ""

    def name_of(self, scheme: str, segment: str) -> str:
        """Return what people call a segment; its label where the profiles do not tell."""
        told = self.profiles[(self.profiles["scheme"] == scheme) & (self.profiles["segment"] == segment)]
        return str(told["name"].iloc[0]) if len(told) else segment
