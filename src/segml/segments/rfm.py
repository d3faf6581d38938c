"""RFM: recency, frequency and monetary scores, the cell, and a named map over cells."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.config import RfmConfig
from segml.segments.ranking import cut_scores, quantile_scores
from segml.segments.scheme import Labels, Scheme, label_known

CHAMPIONS, LOYAL, POTENTIAL, OCCASIONAL = "champions", "loyal", "potential loyalists", "new or occasional"
ATTENTION, AT_RISK, HIBERNATING, LOST = "needs attention", "at risk", "hibernating", "lost"

# Rows: recency level 1 (longest silent) to 5; columns: value level 1 (rarest and smallest) to 5. Every cell of every
# number of bins lands on exactly one place of this grid, so the map is exhaustive and exclusive by construction.
_GRID = np.array(
    [
        [LOST, LOST, HIBERNATING, AT_RISK, AT_RISK],
        [HIBERNATING, HIBERNATING, AT_RISK, AT_RISK, AT_RISK],
        [ATTENTION, ATTENTION, ATTENTION, LOYAL, LOYAL],
        [OCCASIONAL, POTENTIAL, POTENTIAL, LOYAL, CHAMPIONS],
        [OCCASIONAL, POTENTIAL, POTENTIAL, CHAMPIONS, CHAMPIONS],
    ],
    dtype=object,
)
_LEVELS = len(_GRID)

Scores = NDArray[np.int64]
Floats = NDArray[np.float64]


class Rfm(Scheme):
    """Scores 1 to ``bins`` (best) for recency, frequency and monetary value, and a named segment over the cells.

    Frequency and money are the orders and the net revenue of the last ``window_days``: what a customer was years ago
    must not hide what it is. Unless cut points are given, scores are quantiles: of recency among all customers at the
    as-of date, of the other two among those with any in the window. Who has none scores 1, so that a long list of
    past customers does not crowd the living ones into the upper scores.
    """

    name = "rfm_segment"
    labels = (CHAMPIONS, LOYAL, POTENTIAL, OCCASIONAL, ATTENTION, AT_RISK, HIBERNATING, LOST)
    compares_customers = True

    def __init__(self, config: RfmConfig | None = None) -> None:
        self.config = config or RfmConfig()

    @property
    def requires(self) -> tuple[str, ...]:
        """Recency, and the orders and revenue of the window."""
        return ("recency_days", f"order_count_{self.config.window_days}d", f"revenue_{self.config.window_days}d")

    def cells(self, features: pd.DataFrame) -> pd.Series[str]:
        """Return the cell of each customer, recency first ("555" is best), or "not enough data"."""
        return label_known(features, self.requires, "rfm_cell", self._cell).rename("rfm_cell")

    def _cell(self, known: pd.DataFrame) -> Labels:
        return np.array(["".join(map(str, scores)) for scores in self.scores(known).tolist()], dtype=object)

    def scores(self, known: pd.DataFrame) -> Scores:
        """Return an array (customers, 3) of scores for customers whose required columns are all known."""
        recency, frequency, monetary = (known[column].to_numpy(dtype=float) for column in self.requires)
        config = self.config
        return np.column_stack(
            [
                _recency_scores(recency, config.bins, config.recency_days_cuts),
                _positive_scores(frequency, config.bins, config.order_count_cuts),
                _positive_scores(monetary, config.bins, config.revenue_cuts),
            ]
        )

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the segment of each customer."""
        return segment_of(self.scores(known), self.config.bins)

    def rules(self) -> dict[str, str]:
        """Return, per segment, the levels of recency and of value that it covers."""
        return {label: _places(label) for label in self.labels}


def segment_of(scores: Scores, bins: int) -> Labels:
    """Return the segment of each row (recency, frequency, monetary score), whatever the number of bins.

    >>> segment_of(np.array([[5, 5, 5], [1, 1, 1], [5, 1, 1], [1, 5, 5]]), bins=5).tolist()
    ['champions', 'lost', 'new or occasional', 'at risk']
    """
    recency, frequency, monetary = _half_up((_LEVELS - 1) * (scores.T - 1), bins - 1)
    value = _half_up(frequency + monetary, 2)
    return np.asarray(_GRID[recency, value], dtype=object)


def _half_up(numerator: Scores, denominator: int) -> Scores:
    return (2 * numerator + denominator) // (2 * denominator)


def _recency_scores(days: Floats, bins: int, cuts: Sequence[float]) -> Scores:
    # The shorter the silence the better: negated days reach negated cut points.
    return cut_scores(-days, [-cut for cut in reversed(cuts)]) if cuts else quantile_scores(-days, bins)


def _positive_scores(values: Floats, bins: int, cuts: Sequence[float]) -> Scores:
    if cuts:
        return cut_scores(values, cuts)
    scores = np.ones(len(values), dtype=np.int64)
    scores[values > 0] = quantile_scores(values[values > 0], bins)
    return scores


def _places(label: str) -> str:
    """Return where a segment lies on the grid, best level first."""
    rows = []
    for level in range(_LEVELS, 0, -1):
        columns = [place + 1 for place in range(_LEVELS) if _GRID[level - 1, place] == label]
        if columns:
            span = f"{columns[0]}–{columns[-1]}" if len(columns) > 1 else str(columns[0])
            rows.append(f"recency {level} with frequency and money {span}")
    return "; ".join(rows)
