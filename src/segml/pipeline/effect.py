"""What became of the segments since the last refresh: the periods to compare, and who was where when each began."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from segml import features, monitor
from segml.features.activity import activity
from segml.monitor import Period, Span
from segml.monitor.periods import SINCE
from segml.pipeline.deciding import Decided, Scorer, described, judge
from segml.pipeline.memory import Past
from segml.pipeline.prepared import Prepared
from segml.windows import before, shift

SCHEMES = ("lifecycle", "tier", "cluster_name")
FIRST_DAYS = 91
"""How far the first refresh looks back: a quarter."""


@dataclass(frozen=True)
class Effect:
    """What became of segments.

    Attributes
    ----------
    spans : the periods compared, by name
    segments : one row a scheme, segment and period; see ``monitor.by_segment``
    figures : the four figures by which the work is judged; see ``monitor.four_figures``
    """

    spans: dict[str, Span]
    segments: pd.DataFrame
    figures: pd.DataFrame

    @property
    def metrics(self) -> dict[str, float]:
        """The four figures since the last refresh, where they are known."""
        if self.figures.empty:
            return {}
        since = self.figures[self.figures["period"] == SINCE].dropna(subset=["value"])
        return {f"effect/{row['figure']}": float(row["value"]) for row in since.to_dict("records")}


def effect(prepared: Prepared, scorer: Scorer, decided: Decided, past: Past) -> Effect:
    """Return what became of segments since the last refresh, in the period before, and a year earlier.

    Where a customer was when a period began is taken from the refresh of that date; where there was none, the rules of
    today tell it from the lines before that date. Periods that begin before there is history are left out.
    """
    begun = past.last.as_of if past.last is not None else shift(prepared.as_of, days=-FIRST_DAYS)
    enough = shift(prepared.log_start, days=scorer.config.churn.min_history_days)
    all_spans = monitor.spans(begun, prepared.as_of)
    spans = {name: span for name, span in all_spans.items() if not before(span.start, enough)}
    if not spans:
        return Effect({}, pd.DataFrame(), pd.DataFrame())
    labels = _labels(prepared, scorer, decided, past, spans)
    periods = {
        name: Period(span, labels[span.start], activity(prepared.lines, span.start, span.end), labels.get(span.end))
        for name, span in spans.items()
    }
    config = scorer.config
    drawn = {"resamples": config.segments.interval_resamples, "seed": config.seed}
    is_measured = SINCE in periods
    return Effect(
        spans,
        monitor.by_segment(periods, SCHEMES, **drawn),
        monitor.four_figures(periods, lifecycle=config.segments.lifecycle, **drawn) if is_measured else pd.DataFrame(),
    )


def _labels(
    prepared: Prepared, scorer: Scorer, decided: Decided, past: Past, spans: dict[str, Span]
) -> dict[pd.Timestamp, pd.DataFrame]:
    """Return the decisions at the ends of all periods, by date."""
    known = {memory.as_of: memory.decisions for memory in past.memories} | {prepared.as_of: decided.decisions}
    dates = {moment for span in spans.values() for moment in span}
    unknown = sorted(dates - set(known))
    if not unknown:
        return known
    built = features.build(prepared.lines, unknown, scorer.config.features)
    return known | {moment: _judged(built[built["as_of"] == moment], prepared, scorer) for moment in unknown}


def _judged(base: pd.DataFrame, prepared: Prepared, scorer: Scorer) -> pd.DataFrame:
    return judge(described(base.reset_index(drop=True), prepared, scorer.config), scorer, is_strict=False).decisions
