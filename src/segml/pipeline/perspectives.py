"""Two dates, each seen by the rules of both: what tells a customer who changed from rules that did."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from segml import features
from segml.config import Config
from segml.pipeline.deciding import Decided, Scorer, described, judge
from segml.pipeline.memory import Memory
from segml.pipeline.prepared import Prepared
from segml.segments import fixed

SCORES = ("p_churn", "p_stagnation")
"""Schemes may rest on them."""


@dataclass(frozen=True)
class Perspectives:
    """Decisions about the customers of two dates by the rules of both.

    Attributes
    ----------
    then, now : each date by its own rules
    then_by_new : customers of then by the rules of now
    now_by_old : customers of now by the rules of then; None where these are not known any more
    base_then : features of then
    """

    then: pd.DataFrame
    now: pd.DataFrame
    then_by_new: pd.DataFrame
    now_by_old: pd.DataFrame | None
    base_then: pd.DataFrame


def perspectives(memory: Memory, decided: Decided, prepared: Prepared, scorer: Scorer) -> Perspectives:
    """Return the decisions about the customers of two dates by the rules of both.

    Rules are thresholds, what schemes learn from the whole base (quantiles, shares, medians), found segments and
    scores. The earlier date is taken as it was recorded; features that were not, or are defined otherwise now, are
    built from today's lines before that date.

    Parameters
    ----------
    memory : of the earlier date
    decided : of ``prepared.as_of`` by ``scorer``
    """
    base_then = _base_then(memory, decided, prepared, scorer)
    return Perspectives(
        then=memory.decisions,
        now=decided.decisions,
        then_by_new=_judged(base_then, scorer, decided.features, decided.decisions),
        now_by_old=_now_by_old(memory, decided, prepared, scorer),
        base_then=base_then,
    )


def _base_then(memory: Memory, decided: Decided, prepared: Prepared, scorer: Scorer) -> pd.DataFrame:
    recorded = memory.features
    is_known = recorded is not None and set(decided.features.columns) <= set(recorded.columns)
    if recorded is not None and is_known and _same_features(memory.scorer, scorer):
        return recorded
    return _built(memory.as_of, prepared, scorer.config)


def _now_by_old(memory: Memory, decided: Decided, prepared: Prepared, scorer: Scorer) -> pd.DataFrame | None:
    old = memory.scorer
    if old is None:
        return None
    base = decided.features if _same_features(old, scorer) else _built(prepared.as_of, prepared, old.config)
    learnt_on = memory.features if memory.features is not None else _built(memory.as_of, prepared, old.config)
    return _judged(base, old, learnt_on, memory.decisions)


def _judged(base: pd.DataFrame, scorer: Scorer, learnt_on: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return decisions about a base by a scorer whose cut points are those of another base."""
    scores = decisions.reindex(columns=["customer_id", *SCORES])
    whole = learnt_on.drop(columns=list(SCORES), errors="ignore").merge(scores, on="customer_id", how="left")
    pinned = scorer.config.model_copy(update={"segments": fixed(scorer.config.segments, whole)})
    return judge(base, replace(scorer, config=pinned), is_strict=False).decisions


def _built(as_of: pd.Timestamp, prepared: Prepared, config: Config) -> pd.DataFrame:
    return described(features.build(prepared.lines, as_of, config.features), prepared, config)


def _same_features(one: Scorer | None, other: Scorer) -> bool:
    return one is None or one.config.features == other.config.features
