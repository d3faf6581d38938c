"""How good earlier scores have proved, now that their horizon is over, against what the backtest promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from segml import labels
from segml.churn import metrics
from segml.churn.metrics import Array, Ranking, Statistics
from segml.churn.summary import SCORES, TOP_SHARE, money_rankings, reliability
from segml.config import LabelsConfig
from segml.language import N_
from segml.monitor.calibration import slopes
from segml.schema import DataError, check_columns
from segml.windows import is_over

KEYS = ["customer_id", "as_of"]
TABLE_COLUMNS = [*KEYS, "churned", "stagnated", "p_churn", "p_stagnation", "run_rate", "lost_revenue"]
"""Columns of the matured scores, in order; a backtest's table has them, too."""

FIGURES = {
    "roc_auc": N_("area under the curve (ROC-AUC)"),
    "average_precision": N_("average precision"),
    "brier": N_("Brier score"),
    "ece": N_("expected calibration error"),
    "loss_captured_at_10": N_("lost revenue among the tenth called first"),
    "observed": N_("observed rate"),
    "expected": N_("expected rate"),
    "observed_to_expected": N_("observed over expected"),
    "slope": N_("slope of calibration"),
}
"""What is measured of each target, and what people call it."""

HIGHER_IS_BETTER = ("roc_auc", "average_precision", "loss_captured_at_10")

FIGURE_COLUMNS = [
    "target",
    "figure",
    *("value", "value_low", "value_high"),
    *("promised", "promised_worst"),
    *("difference", "difference_low", "difference_high"),
]
"""Columns of the figures, in order."""


@dataclass(frozen=True)
class Matured:
    """Earlier scores with what came of them.

    Attributes
    ----------
    table : one row a customer and as-of date that was scored, columns ``TABLE_COLUMNS``, sorted by date and customer
    figures : one row a target and figure, see ``measure``; no rows where nobody was scored
    reliability : predicted against observed rate by bin of equal count; see ``churn.summary.reliability``
    """

    table: pd.DataFrame
    figures: pd.DataFrame
    reliability: pd.DataFrame

    def cases(self, target: str) -> int:
        """Return the rows of the rarer outcome of a target, ``churn`` or ``stagnation``."""
        happened = self.table[SCORES[target][0]]
        return int(min(happened.sum(), (~happened).sum()))

    def row(self, target: str, figure: str) -> Mapping[Any, Any]:
        """Return a row of the figures."""
        is_it = (self.figures["target"] == target) & (self.figures["figure"] == figure)
        return dict(self.figures[is_it].iloc[0])

    def metrics(self) -> dict[str, float]:
        """Return the known figures as a tracked run shows them, ``matured/churn_roc_auc`` and so on."""
        ends = {"": "value", "_low": "value_low", "_high": "value_high", "_minus_promised": "difference"}
        return {
            f"matured/{row['target']}_{row['figure']}{end}": float(row[column])
            for row in self.figures.to_dict("records")
            for end, column in ends.items()
            if pd.notna(row[column])
        }


def outcomes(
    lines: Any,
    scores: pd.DataFrame,
    *,
    horizon_days: int,
    config: LabelsConfig | None = None,
    known_until: pd.Timestamp,
) -> pd.DataFrame:
    """Return what became of the customers of earlier decisions whose horizon is over; no rows where none is.

    Parameters
    ----------
    lines : order lines of today (``schema.ORDER_LINES``)
    scores : ``customer_id``, ``as_of``, ``run_rate`` of all customers, those without a score included: the season of
        ``labels.season_adjusted`` is that of the whole base
    horizon_days : over which the scores look ahead; ``run_rate`` is money over it
    config : what counts as stagnation; that of the model
    known_until : the moment up to which the log is complete

    Returns
    -------
    As ``labels.build``: one row a row of ``scores`` whose horizon is over.
    """
    check_columns(scores.columns, [*KEYS, "run_rate"], "earlier scores lack")
    over = scores.loc[is_over(scores["as_of"], known_until, days=horizon_days), [*KEYS, "run_rate"]]
    base = over[KEYS].assign(run_rate_daily=over["run_rate"] / horizon_days)
    return labels.build(lines, base, horizon_days, config, known_until=known_until)


def matured(
    scores: pd.DataFrame,
    found: pd.DataFrame,
    promised: pd.DataFrame | None = None,
    *,
    resamples: int,
    seed: int = 0,
) -> Matured:
    """Return how good earlier scores have proved.

    Parameters
    ----------
    scores : ``customer_id``, ``as_of``, ``p_churn``, ``p_stagnation`` of earlier decisions; null = not scored
    found : what became of them, as ``outcomes`` returns it; scores without a row have not matured
    promised : the table of the backtest of the model's training; None: there is nothing to compare with
    resamples, seed : of the bootstrap over customers

    Raises
    ------
    DataError : columns missing, or customers repeated at a date
    """
    check_columns(scores.columns, [*KEYS, "p_churn", "p_stagnation"], "earlier scores lack")
    check_columns(found.columns, [*KEYS, "churned", "stagnated", "run_rate", "lost_revenue"], "outcomes lack")
    scored = scores.loc[scores["p_churn"].notna() & scores["p_stagnation"].notna()]
    for name, keyed in {"earlier scores": scored, "outcomes": found}.items():
        if keyed.duplicated(KEYS).any():
            raise DataError(f"{name} hold a customer twice at one as-of date; pass one row each")
    own = scored[[*KEYS, "p_churn", "p_stagnation"]].merge(
        found.drop(columns=["p_churn", "p_stagnation"], errors="ignore"), on=KEYS, validate="1:1"
    )
    table = own[TABLE_COLUMNS].sort_values(["as_of", "customer_id"], ignore_index=True)
    return Matured(table, measure(table, promised, resamples=resamples, seed=seed), reliability(table))


def measure(
    table: pd.DataFrame, promised: pd.DataFrame | None = None, *, resamples: int, seed: int = 0
) -> pd.DataFrame:
    """Return the figures of matured scores: one row a target and figure of ``FIGURES``.

    Columns: ``target``, ``figure``, ``value``; ``promised``, the same of the backtest, and ``promised_worst``, the
    worst of its test dates (NaN of figures that are neither good nor bad); ``difference``, value − promised. ``_low``
    and ``_high`` are 95 % intervals over customers, redrawn for both sides alike, since most stand in both. They do
    not hold what differs from one quarter to another; ``promised_worst`` tells of that. NaN where not defined.

    Areas, average precision and captured losses are those within a date, averaged over the dates: customers of one date
    compete for a call, those of two do not. A backtest's own metrics pool the dates.

    Parameters
    ----------
    table, promised : columns ``TABLE_COLUMNS``
    """
    if table.empty:
        return pd.DataFrame(columns=FIGURE_COLUMNS)
    other = promised if promised is not None else table[:0]
    customers = np.concatenate([table["customer_id"].to_numpy(), other["customer_id"].to_numpy()])
    found = metrics.with_intervals(_against(table, other), customers, resamples=resamples, seed=seed)
    worst = _worst_by_date(other)
    rows = [
        {
            "target": target,
            "figure": figure,
            "promised": found.get(f"promised/{target}/{figure}", np.nan),
            "promised_worst": worst.get(f"{target}/{figure}", np.nan),
            **{
                f"{kind}{end}": found.get(f"{kind}/{target}/{figure}{end}", np.nan)
                for kind in ("value", "difference")
                for end in ("", "_low", "_high")
            },
        }
        for target in SCORES
        for figure in FIGURES
    ]
    return pd.DataFrame(rows)[FIGURE_COLUMNS]


def _against(table: pd.DataFrame, promised: pd.DataFrame) -> Statistics:
    """Return the figures of both tables, and their differences, as a function of the weights of all their rows."""
    ours = _statistics(table)
    theirs = _statistics(promised) if len(promised) else None

    def of(weights: Array) -> dict[str, Array]:
        own = ours(weights[:, : len(table)])
        found = {f"value/{name}": value for name, value in own.items()}
        if theirs is None:
            return found
        others = theirs(weights[:, len(table) :])
        found |= {f"promised/{name}": value for name, value in others.items()}
        return found | {f"difference/{name}": own[name] - others[name] for name in own}

    return of


def _statistics(table: pd.DataFrame) -> Statistics:
    """Return the figures of both targets as a function of row weights (b × n)."""
    parts = [_of_target(table, target) for target in SCORES]

    def of(weights: Array) -> dict[str, Array]:
        return {name: value for part in parts for name, value in part(weights).items()}

    return of


def _of_target(table: pd.DataFrame, target: str) -> Statistics:
    outcome = table[SCORES[target][0]].to_numpy(dtype=bool)
    probability = table[SCORES[target][1]].to_numpy(dtype=float)
    places = [np.asarray(rows) for _moment, rows in sorted(table.groupby("as_of").indices.items())]
    ranked = [(rows, _ranking(table.iloc[rows], target)) for rows in places]

    def of(weights: Array) -> dict[str, Array]:
        observed, expected = (metrics.weighted_mean(value, weights) for value in (outcome, probability))
        found = {
            **_over_dates(ranked, weights),
            "brier": metrics.brier(probability, outcome, weights),
            "ece": metrics.expected_calibration_error(probability, outcome, weights),
            "observed": observed,
            "expected": expected,
            "observed_to_expected": np.divide(
                observed, expected, out=np.full_like(expected, np.nan), where=expected > 0
            ),
            "slope": slopes(probability, outcome, weights),
        }
        return {f"{target}/{figure}": value for figure, value in found.items()}

    return of


def _ranking(table: pd.DataFrame, target: str) -> Statistics:
    """Return the figures of ranking at one date as a function of row weights (b × n)."""
    outcome = table[SCORES[target][0]].to_numpy(dtype=bool)
    loss = table["lost_revenue"].to_numpy(dtype=float)
    by_risk = Ranking.by(table[SCORES[target][1]])
    by_money = Ranking.by(money_rankings(table)["p_churn_times_run_rate" if target == "churn" else "revenue_at_risk"])

    def of(weights: Array) -> dict[str, Array]:
        return {
            "roc_auc": metrics.roc_auc(by_risk, outcome, weights),
            "average_precision": metrics.average_precision(by_risk, outcome, weights),
            "loss_captured_at_10": metrics.captured_at(by_money, loss, weights, TOP_SHARE),
        }

    return of


def _over_dates(ranked: Sequence[tuple[npt.NDArray[np.intp], Statistics]], weights: Array) -> dict[str, Array]:
    """Return the mean over the dates on which a figure is defined, a date counting by its rows."""
    sizes = np.stack([weights[:, rows].sum(axis=1) for rows, _ in ranked])
    found = [of(weights[:, rows]) for rows, of in ranked]
    means = {}
    for figure in HIGHER_IS_BETTER:
        values = np.stack([part[figure] for part in found])
        counted = np.where(np.isnan(values), 0.0, sizes)
        total = counted.sum(axis=0)
        held = (np.nan_to_num(values) * counted).sum(axis=0)
        means[figure] = np.divide(held, total, out=np.full_like(total, np.nan), where=total > 0)
    return means


def _worst_by_date(promised: pd.DataFrame) -> dict[str, float]:
    """Return the worst value of each figure over the test dates of a backtest, where one is better than another."""
    dates = list(_by_date(promised))
    return {
        f"{target}/{figure}": float((np.nanmin if figure in HIGHER_IS_BETTER else np.nanmax)(values))
        for target in SCORES
        for figure in (*HIGHER_IS_BETTER, "brier", "ece")
        if not np.isnan(values := [found[f"{target}/{figure}"][0] for found in dates]).all()
    }


def _by_date(table: pd.DataFrame) -> Iterator[Mapping[str, Array]]:
    for _moment, part in table.groupby("as_of", sort=True):
        yield _statistics(part)(np.ones((1, len(part))))
