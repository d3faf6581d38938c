"""Scores of any part of the customers: all that depends on a customer's own features, and on nobody else's."""

from __future__ import annotations

import numpy as np
import pandas as pd

from segml.actions import MARGINS, at_risk, own_margins
from segml.churn import scored_mask
from segml.pipeline.deciding import Scorer
from segml.segments import label_segments

ROW_SCORES = {
    "customer_id": "str",
    "as_of": "datetime64[us]",
    "p_churn": "float64",
    "p_stagnation": "float64",
    "cluster": "int64",
    "cluster_name": "str",
    "run_rate": "float64",
    "revenue_at_risk": "float64",
}
"""Columns of ``row_scores`` in order, with their types."""

_PROBABILITIES = ("p_churn", "p_stagnation")
_ALWAYS = ("customer_id", "as_of", "purchase_day_count", "tenure_days", "recency_days", "run_rate_daily")


def columns_read(scorer: Scorer) -> list[str]:
    """Return the columns of features that ``row_scores`` reads, each once."""
    lifecycle = scorer.config.segments.lifecycle
    learnt = scorer.risk.inputs_ if scorer.risk is not None else ()
    clustered = map(str, scorer.clusters.feature_names_in_) if scorer.clusters is not None else ()
    money = MARGINS if scorer.config.actions.value == "margin" else ()
    return list(dict.fromkeys([*_ALWAYS, *lifecycle.requires, *lifecycle.uses, *learnt, *clustered, *money]))


def row_scores(features: pd.DataFrame, scorer: Scorer, base_margin: float = float("nan")) -> pd.DataFrame:
    """Return the columns of ``decisions`` that depend on one row alone (``ROW_SCORES``), sorted by ``customer_id``.

    Those of a part of the customers equal those of the same customers among all others.

    Parameters
    ----------
    features : ``columns_read``, one row a customer, at one as-of date
    base_margin : ``actions.base_margin`` of all customers; read where ``actions.value`` is ``margin``
    """
    config, rows = scorer.config, features.sort_values("customer_id", ignore_index=True)
    stages = config.segments.lifecycle.assign(rows).astype("str")
    scored = scored_mask(stages, rows["purchase_day_count"], config.churn)
    table = label_segments(rows, scorer.clusters).assign(
        as_of=rows["as_of"],
        run_rate=rows["run_rate_daily"] * config.horizon_days,
        **_probabilities(rows, scored, scorer),
    )
    table["revenue_at_risk"] = at_risk(table, own_margins(rows, base_margin), config.actions)
    return table[list(ROW_SCORES)].astype(ROW_SCORES)


def _probabilities(rows: pd.DataFrame, scored: pd.Series[bool], scorer: Scorer) -> dict[str, pd.Series[float]]:
    """Return both probabilities on the index of the rows; NaN where not scored."""
    if scorer.risk is None:
        return {name: pd.Series(np.nan, index=rows.index) for name in _PROBABILITIES}
    found = scorer.risk.predict(rows[scored]).reindex(rows.index)
    return {name: found[name] for name in _PROBABILITIES}
