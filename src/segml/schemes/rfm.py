"""RFM: recency, frequency and monetary scores, the cell, and a named map over cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.cuts import score_cuts, told
from segml.schemes.ranking import cut_scores, quantile_scores
from segml.schemes.scheme import Labels, Rules, Scheme
from segml.settings import Positive

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

    Cut points are those of the scores from 2 on; of recency, the days of silence up to which the scores from the best
    down are given. Where two are equal, nobody gets the score between.
    """

    column = "rfm_segment"
    title = N_("RFM")
    question = N_("How recent, how frequent, how valuable are a customer's orders?")
    labels = (CHAMPIONS, LOYAL, POTENTIAL, OCCASIONAL, ATTENTION, AT_RISK, HIBERNATING, LOST)
    learns = ("recency_days_cuts", "order_count_cuts", "revenue_cuts")

    bins: Annotated[int, Field(ge=2, le=9)] = 5
    window_days: Positive = 365
    recency_days_cuts: tuple[float, ...] = ()
    order_count_cuts: tuple[float, ...] = ()
    revenue_cuts: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _cuts_rise_and_fit_the_bins(self) -> Rfm:
        for name in self.learns:
            cuts = getattr(self, name)
            if cuts and (len(cuts) != self.bins - 1 or list(cuts) != sorted(cuts)):
                raise ValueError(
                    f"{name} must be {self.bins - 1} rising numbers (bins = {self.bins}; neighbours may be equal), or "
                    f"empty for quantiles; found {list(cuts)}"
                )
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Recency, and the orders and revenue of the window."""
        return ("recency_days", f"order_count_{self.window_days}d", f"revenue_{self.window_days}d")

    def details(self, features: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """Return ``rfm_cell`` and ``_rfm_levels``, recency first, or "not enough data".

        The cell holds the scores side by side ("555" is best of five bins). The levels hold the same scores brought to
        1 to 5, whatever the number of bins, so that other schemes can read them; with five bins they are the cell.
        """
        known = self.known(features)
        scores = self.scores(known) if len(known) else np.empty((0, 3), dtype=np.int64)
        digits = {"rfm_cell": scores, "_rfm_levels": levels_of(scores, self.bins)}
        return {name: _side_by_side(values, known.index, features.index) for name, values in digits.items()}

    def scores(self, known: pd.DataFrame) -> Scores:
        """Return an array (customers, 3) of scores for customers whose required columns are all known."""
        recency, frequency, monetary = (known[column].to_numpy(dtype=float) for column in self.requires)
        return np.column_stack(
            [
                _recency_scores(recency, self.bins, self.recency_days_cuts),
                _positive_scores(frequency, self.bins, self.order_count_cuts),
                _positive_scores(monetary, self.bins, self.revenue_cuts),
            ]
        )

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the segment of each customer."""
        return segment_of(self.scores(known), self.bins)

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the cut points of the quantile scores; of money, say, none where nobody brings any."""
        recency, *others = (known[column].to_numpy(dtype=float) for column in self.requires)
        silences = tuple(-cut for cut in reversed(score_cuts(-recency, self.bins)))
        cuts = [score_cuts(values[values > 0], self.bins) if (values > 0).any() else () for values in others]
        return dict(zip(self.learns, (silences, *cuts), strict=True))

    def rules(self) -> Rules:
        """Return, per segment, the levels of recency and of value that it covers; with the best, the cut points."""
        places = {label: _places(label) for label in self.labels}
        return {**places, CHAMPIONS: "; ".join([places[CHAMPIONS], *self._told_cuts()])}

    def _told_cuts(self) -> list[str]:
        texts = (
            _("the scores of recency, from the best down, reach to {cuts} days"),
            _("the scores of frequency, from the second up, begin at {cuts} orders"),
            _("the scores of money, from the second up, begin at {cuts}"),
        )
        given = zip(texts, (getattr(self, name) for name in self.learns), strict=True)
        return [text.format(cuts=" / ".join(map(told, cuts))) for text, cuts in given if cuts]


def segment_of(scores: Scores, bins: int) -> Labels:
    """Return the segment of each row (recency, frequency, monetary score), whatever the number of bins.

    >>> segment_of(np.array([[5, 5, 5], [1, 1, 1], [5, 1, 1], [1, 5, 5]]), bins=5).tolist()
    ['champions', 'lost', 'new or occasional', 'at risk']
    """
    recency, frequency, monetary = levels_of(scores, bins).T - 1
    value = _half_up(frequency + monetary, 2)
    return np.asarray(_GRID[recency, value], dtype=object)


def levels_of(scores: Scores, bins: int) -> Scores:
    """Return scores 1 to ``bins`` as levels 1 to 5, the ends on the ends and halves up.

    >>> levels_of(np.array([1, 2, 3]), bins=3).tolist()
    [1, 3, 5]
    """
    return _half_up((_LEVELS - 1) * (scores - 1), bins - 1) + 1


def _side_by_side(digits: Scores, places: pd.Index[int], index: pd.Index[Any]) -> pd.Series[str]:
    texts = np.full(len(index), NOT_ENOUGH_DATA, dtype=object)
    texts[places.to_numpy()] = (digits @ [100, 10, 1]).astype("str")
    return pd.Series(texts, index=index, dtype="str")


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
            rows.append(_("recency {level} with frequency and money {span}").format(level=level, span=span))
    return "; ".join(rows)
