"""What a score must beat: silence, silence against the own rhythm, and Pareto/NBD."""

from __future__ import annotations

import pandas as pd

from segml.churn.inputs import check_columns, purchase_history
from segml.churn.pareto_nbd import ParetoNBD

BASELINES = ("recency_days", "recency_to_gap", "pareto_nbd_p_churn")
"""Columns of the baselines' scores; higher means likelier to leave."""


def baseline_scores(base: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """Return the baselines' scores of all customers known at one as-of date, on the index of ``base``.

    Pareto/NBD is fitted on these very customers; it needs no labels, so no date has to be held back.
    """
    check_columns(base, ["recency_days", "recency_to_gap"], "features")
    history = purchase_history(base)
    silent = ParetoNBD().fit(**history).probability_of_no_purchase(**history, horizon=horizon_days)
    return base[["recency_days", "recency_to_gap"]].assign(pareto_nbd_p_churn=silent)
