"""What there is to say about the segments of a base: profiles, products, cohorts, cautions."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml.config import Config
from segml.display import Displayed
from segml.features.periods import revenue_by_month
from segml.features.silent import silent_categories
from segml.pipeline.deciding import Decided, Scorer
from segml.pipeline.prepared import Prepared
from segml.segments import (
    Caution,
    Playbook,
    base_cautions,
    classify_products,
    cohort_table,
    profiles,
    scheme_cautions,
)

MONTHS_SHOWN = 24


@dataclass(frozen=True, repr=False)
class Segmentation(Displayed):
    """What there is to say about the segments of a base.

    Attributes
    ----------
    profiles : one row a segment of each scheme
    products : one row a product with its ABC and XYZ class; no rows where no products are known
    cohorts : one row a cohort and age
    revenue_by_month : ``month``, ``revenue`` of the whole base
    silent : what customers who still buy have stopped buying, one row a customer and category, most money first
    cautions : the sufficiency gate's warnings
    """

    profiles: pd.DataFrame
    products: pd.DataFrame
    cohorts: pd.DataFrame
    revenue_by_month: pd.DataFrame
    silent: pd.DataFrame
    cautions: tuple[Caution, ...]

    def __repr__(self) -> str:
        return f"Segmentation({len(self.profiles)} segments of {self.profiles['scheme'].nunique()} schemes)"


def describe_segments(
    decided: Decided, prepared: Prepared, scorer: Scorer, playbook: Playbook | None = None
) -> Segmentation:
    """Return profiles, products, cohorts and cautions; see ``Segmentation``."""
    config, base, labels = scorer.config.segments, decided.features, decided.labels
    at_risk_from = scorer.config.churn.risk_bands[1]
    history_days = (prepared.as_of - prepared.log_start) / pd.Timedelta(days=1)
    months = revenue_by_month(prepared.lines, prepared.as_of, MONTHS_SHOWN).sum().rename("revenue").reset_index()
    return Segmentation(
        profiles(decided.decisions, base, labels.rules, scorer.clusters, playbook, p_churn_from=at_risk_from),
        classify_products(prepared.lines, prepared.as_of, config.abc, config.xyz),
        cohort_table(prepared.lines, prepared.as_of, config.cohort.period),
        months,
        _silent(decided, prepared, scorer.config),
        (
            *base_cautions(len(base), silent_days=prepared.silent_days, history_days=history_days, config=config),
            *scheme_cautions(labels, base, config, playbook),
        ),
    )


def _silent(decided: Decided, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return what customers have gone silent in; those whose stage says that they are inactive are left out."""
    found = silent_categories(
        prepared.lines, prepared.as_of, config.actions.silent_by, silent_gaps=config.actions.silent_gaps
    )
    decisions = decided.decisions
    inactive = decisions.loc[decisions["lifecycle"] == "inactive", "customer_id"]
    return found[~found["customer_id"].isin(inactive)].reset_index(drop=True)
