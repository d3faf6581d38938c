"""The register of simple warning signs: what each would have been worth, beside a list of the model as long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml.churn.inputs import KEYS
from segml.churn.intervals import interval_table
from segml.churn.metrics import Array, Ranking, Statistics, captured_at, weighted_mean
from segml.churn.summary import SCORES
from segml.language import N_


@dataclass(frozen=True)
class Signal:
    """A rule of thumb: a customer shows the sign where a feature lies on one side of a threshold.

    Attributes
    ----------
    name : identifier
    title : what people call it, in English; translated where it is shown
    column : the feature; a customer for whom it is unknown does not show the sign
    side, threshold : ``above``: greater than; ``from``: at least; ``below``: less than; ``to``: at most
    """

    name: str
    title: str
    column: str
    side: Literal["above", "from", "below", "to"]
    threshold: float

    def shown(self, features: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Tell which rows show the sign.

        >>> SIGNALS[0].shown(pd.DataFrame({"recency_days": [60.0, 60.5, None]})).tolist()
        [False, True, False]
        """
        value = features[self.column].to_numpy(dtype="float64")
        match self.side:
            case "above":
                return value > self.threshold
            case "from":
                return value >= self.threshold
            case "below":
                return value < self.threshold
            case "to":
                return value <= self.threshold


SIGNALS = (
    Signal("silent_60d", N_("silent for more than 60 days"), "recency_days", "above", 60),
    Signal("silent_90d", N_("silent for more than 90 days"), "recency_days", "above", 90),
    Signal("two_gaps_missed", N_("silent for two of its own gaps"), "recency_to_gap", "from", 2),
    Signal("three_gaps_missed", N_("silent for three of its own gaps"), "recency_to_gap", "from", 3),
    Signal(
        "revenue_halved", N_("revenue of 90 days under half of its run rate"), "revenue_90d_to_run_rate", "below", 0.5
    ),
    Signal(
        "small_last_order",
        N_("last order under half of its mean order value"),
        "order_value_last_to_mean",
        "below",
        0.5,
    ),
    Signal(
        "shorter_orders", N_("last three orders under half as many lines as usual"), "lines_last3_to_mean", "below", 0.5
    ),
    Signal(
        "narrower_orders",
        N_("last three orders under half as many products as usual"),
        "products_last3_to_mean",
        "below",
        0.5,
    ),
    Signal(
        "fewer_families",
        N_("under three fifths of the product families of the year before"),
        "category_count_365d_to_previous",
        "below",
        0.6,
    ),
    Signal(
        "fewer_products",
        N_("under three fifths of the products of the year before"),
        "product_count_365d_to_previous",
        "below",
        0.6,
    ),
    Signal("nothing_new_90d", N_("no new product in the last 90 days"), "new_product_share_90d", "to", 0),
    Signal(
        "returns_above_20",
        N_("returned more than a fifth of its purchases of a year"),
        "return_share_365d",
        "above",
        0.2,
    ),
)
"""The signs that are compared with the model by default."""

STATISTICS = ("coverage", "precision", "lift", "recall", "model_recall", "model_minus_signal", "lost_share")
SIGNAL_KEYS = ["signal", "target"]


def signal_register(
    features: pd.DataFrame,
    table: pd.DataFrame,
    *,
    signals: Sequence[Signal] = SIGNALS,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return what each warning sign would have found at the test dates, and what the model finds with as long a list.

    Parameters
    ----------
    features : one row a scored customer and test date, at least; a sign whose column is missing or wholly unknown is
        left out
    table : the backtest's table
    signals : the signs to compare
    resamples, seed : of the bootstrap over customers

    Returns
    -------
    One row a sign and target: ``customers`` (rows that show it), ``lost_revenue`` among them, then, each with
    ``_low`` and ``_high``: ``coverage`` (share of the scored), ``precision`` (share of those for whom it came true),
    ``lift`` (precision over the base rate), ``recall`` (share of the cases that showed it), ``model_recall`` (share of
    the cases in a list of that length by the model), ``model_minus_signal`` (their difference, paired) and
    ``lost_share`` (share of all lost revenue among those who show it).
    """
    rows = table[KEYS].merge(features, on=KEYS, how="left", validate="1:1")
    shown = {
        signal.name: signal.shown(rows)
        for signal in signals
        if signal.column in rows.columns and rows[signal.column].notna().any()
    }
    model = {target: Ranking.by(table[probability]) for target, (_, probability) in SCORES.items()}
    parts = {
        (name, target): _statistics(table, flags, target, model[target])
        for name, flags in shown.items()
        for target in SCORES
    }
    found = interval_table(
        parts, table["customer_id"].to_numpy(), keys=SIGNAL_KEYS, names=STATISTICS, resamples=resamples, seed=seed
    )
    loss = table["lost_revenue"].to_numpy(dtype=float)
    found.insert(2, "customers", found["signal"].map({name: int(flags.sum()) for name, flags in shown.items()}))
    found.insert(3, "lost_revenue", found["signal"].map({name: loss[flags].sum() for name, flags in shown.items()}))
    return found


def _statistics(table: pd.DataFrame, shown: npt.NDArray[np.bool_], target: str, model: Ranking) -> Statistics:
    outcome = table[SCORES[target][0]].to_numpy(dtype=float)
    loss = table["lost_revenue"].to_numpy(dtype=float)

    def of(weights: Array) -> dict[str, Array]:
        coverage, recall = weighted_mean(shown, weights), weighted_mean(shown, weights * outcome)
        as_long = captured_at(model, outcome, weights, coverage[:, np.newaxis])
        return {
            "coverage": coverage,
            "precision": weighted_mean(outcome, weights * shown),
            "lift": np.divide(recall, coverage, out=np.full_like(recall, np.nan), where=coverage > 0),
            "recall": recall,
            "model_recall": as_long,
            "model_minus_signal": as_long - recall,
            "lost_share": weighted_mean(shown, weights * loss),
        }

    return of
