"""What a backtest table says: metrics with intervals, calibration, gains, and the same by date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml.churn.baselines import BASELINES
from segml.churn.metrics import (
    Array,
    Ranking,
    Statistics,
    average_precision,
    brier,
    captured_at,
    equal_count_bins,
    expected_calibration_error,
    roc_auc,
    with_intervals,
)
from segml.churn.schedule import Split
from segml.language import _

TOP_SHARE = 0.10
SHORT = {"recency_days": "recency", "recency_to_gap": "recency_to_gap", "pareto_nbd_p_churn": "pareto_nbd"}
"""Column of a baseline -> its name in metrics."""
SCORES = {"churn": ("churned", "p_churn"), "stagnation": ("stagnated", "p_stagnation")}
"""Target -> the columns of what happened and of its probability."""
_GRID = np.linspace(0, 1, 101)


def money_rankings(table: pd.DataFrame) -> dict[str, pd.Series[float]]:
    """Return the ways to rank customers by money: what a call list could be sorted by, and perfect knowledge.

    ``revenue_at_risk`` is p(stagnation) × run rate; a negative run rate (more returned than bought) counts as zero.
    """
    size = table["run_rate"].clip(lower=0)
    return {
        "revenue_at_risk": table["p_stagnation"] * size,
        "p_churn_times_run_rate": table["p_churn"] * size,
        "run_rate": size,
        "p_stagnation": table["p_stagnation"],
        "p_churn": table["p_churn"],
        "perfect": table["lost_revenue"],
    }


def metrics(table: pd.DataFrame, *, resamples: int, seed: int) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the metrics of a backtest table with 95 % intervals, and a sentence on those that are not defined.

    For ``churn/`` and ``stagnation/``: ``roc_auc``, ``average_precision``, ``brier``, ``ece``, ``lift_at_10`` (rate in
    the top tenth over the base rate), ``loss_captured_at_10`` (share of the lost revenue in the top tenth, ranked by
    p × run rate) and ``roc_auc_minus_<baseline>``, paired over the same resamples. Under ``baseline/``: the areas under
    the curve of the baselines, and the lost revenue captured by size alone, by probability alone and by perfect
    knowledge.
    """
    if table.empty:
        return {}, (_("no customer was scored at any test date: there are no metrics"),)
    statistics = _Statistics(table)
    found = with_intervals(statistics, table["customer_id"].to_numpy(), resamples=resamples, seed=seed)
    undefined = sorted(set(statistics.names()) - set(found))
    if not undefined:
        return found, ()
    told = _("not defined on the backtest (one outcome only, or no revenue lost): {metrics}")
    return found, (told.format(metrics=", ".join(undefined)),)


def table_statistics(table: pd.DataFrame) -> Statistics:
    """Return every metric of ``metrics`` as a function of row weights (b × n)."""
    return _Statistics(table)


def metric_names() -> tuple[str, ...]:
    """Return the names of the metrics of a backtest table, without those of their intervals."""
    columns = [*SHORT, *(name for pair in SCORES.values() for name in pair), "run_rate", "lost_revenue"]
    return tuple(_Statistics(pd.DataFrame(0.0, index=[0], columns=columns)).names())


class _Statistics:
    """Every metric of a table as a function of row weights (b × n); the rankings are made once."""

    def __init__(self, table: pd.DataFrame) -> None:
        self.outcome = {name: table[column].to_numpy(dtype=bool) for name, (column, _) in SCORES.items()}
        self.probability = {name: table[column].to_numpy(dtype=float) for name, (_, column) in SCORES.items()}
        self.ranking = {name: Ranking.by(probability) for name, probability in self.probability.items()}
        self.baseline = {SHORT[column]: Ranking.by(table[column]) for column in BASELINES}
        self.money = {name: Ranking.by(score) for name, score in money_rankings(table).items()}
        self.loss = table["lost_revenue"].to_numpy(dtype=float)

    def __call__(self, weights: Array) -> Mapping[str, Array]:
        return {**self._of("churn", weights), **self._of("stagnation", weights), **self._captured(weights)}

    def names(self) -> list[str]:
        """Return the names of all metrics, defined or not."""
        return list(self(np.ones((1, len(self.loss)))))

    def _of(self, name: str, weights: Array) -> dict[str, Array]:
        outcome, probability, ranking = self.outcome[name], self.probability[name], self.ranking[name]
        own = roc_auc(ranking, outcome, weights)
        found = {
            f"{name}/roc_auc": own,
            f"{name}/average_precision": average_precision(ranking, outcome, weights),
            f"{name}/brier": brier(probability, outcome, weights),
            f"{name}/ece": expected_calibration_error(probability, outcome, weights),
            f"{name}/lift_at_10": captured_at(ranking, outcome.astype(float), weights, TOP_SHARE) / TOP_SHARE,
        }
        for short, other in self.baseline.items():
            area = roc_auc(other, outcome, weights)
            found |= {f"baseline/{short}_{name}_roc_auc": area, f"{name}/roc_auc_minus_{short}": own - area}
        return found

    def _captured(self, weights: Array) -> dict[str, Array]:
        captured = {name: captured_at(by, self.loss, weights, TOP_SHARE) for name, by in self.money.items()}
        return {
            "stagnation/loss_captured_at_10": captured.pop("revenue_at_risk"),
            "churn/loss_captured_at_10": captured.pop("p_churn_times_run_rate"),
            **{f"baseline/{name}_loss_captured_at_10": value for name, value in captured.items()},
        }


def by_date(table: pd.DataFrame, splits: Sequence[Split]) -> pd.DataFrame:
    """Return one row a test date: customers, base rates, areas under the curve (NaN where there is one outcome)."""
    rows = [_date_row(table[table["as_of"] == split.test], split) for split in splits]
    return pd.DataFrame(rows)


def _date_row(part: pd.DataFrame, split: Split) -> dict[str, object]:
    row: dict[str, object] = {
        "as_of": split.test,
        "training_dates": len(split.training),
        "customers": len(part),
    }
    for name, (column, probability) in SCORES.items():
        outcome = part[column].to_numpy(dtype=bool)
        scores = {"": probability, **{f"{SHORT[baseline]}_": baseline for baseline in BASELINES}}
        row[f"{name}_rate"] = float(outcome.mean()) if len(part) else np.nan
        row[f"{name}_predicted"] = float(part[probability].mean()) if len(part) else np.nan
        row |= {f"{prefix}{name}_roc_auc": _area(part[score], outcome) for prefix, score in scores.items()}
    return row


def _area(score: pd.Series[float], outcome: npt.NDArray[np.bool_]) -> float:
    if outcome.all() or not outcome.any():
        return float("nan")
    return float(roc_auc(Ranking.by(score), outcome, np.ones((1, len(outcome))))[0])


def reliability(table: pd.DataFrame, bins: int = 10) -> pd.DataFrame:
    """Return predicted and observed rates by bin of equal count: target, bin, customers, predicted, observed."""
    parts = [
        table.assign(
            target=name,
            bin=equal_count_bins(table[probability].to_numpy(dtype=float), bins),
            predicted=table[probability],
            observed=table[outcome].astype("float64"),
        )
        for name, (outcome, probability) in SCORES.items()
    ]
    grouped = pd.concat(parts).groupby(["target", "bin"], as_index=False)
    return grouped.agg(customers=("observed", "size"), predicted=("predicted", "mean"), observed=("observed", "mean"))


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Return what a list of each length captures, at every percent of customers.

    Columns: target (churn, stagnation: share of those customers; loss: share of the lost revenue), strategy (the
    score ranked by), share_of_customers, share_captured, lift (captured over customers; 1 is chance).
    """
    baselines = {SHORT[column]: table[column] for column in BASELINES}
    plans = [(name, {"model": table[p], **baselines}, table[outcome]) for name, (outcome, p) in SCORES.items()]
    plans.append(("loss", money_rankings(table), table["lost_revenue"]))
    curves = [
        _curve(target, strategy, Ranking.by(score), value.to_numpy(dtype=float))
        for target, strategies, value in plans
        if value.sum() > 0
        for strategy, score in strategies.items()
    ]
    columns = ["target", "strategy", "share_of_customers", "share_captured", "lift"]
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=columns)


def _curve(target: str, strategy: str, ranking: Ranking, value: Array) -> pd.DataFrame:
    everyone = np.ones((1, len(value)))
    captured = np.array([captured_at(ranking, value, everyone, share)[0] for share in _GRID])
    lift = np.divide(captured, _GRID, out=np.full_like(captured, np.nan), where=_GRID > 0)
    return pd.DataFrame(
        {
            "target": target,
            "strategy": strategy,
            "share_of_customers": _GRID,
            "share_captured": captured,
            "lift": lift,
        }
    )
