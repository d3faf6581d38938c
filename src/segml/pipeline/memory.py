"""What a refresh leaves for the next one to compare with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from segml.monitor.delivery import Delivery
from segml.pipeline.deciding import Scorer


@dataclass(frozen=True)
class Memory:
    """What was known and done at one as-of date, as it was then.

    Attributes
    ----------
    as_of : the date
    decisions : one row a customer: labels, scores, money; behind them, per scheme, ``SCHEME_previous`` and
        ``SCHEME_changed_on`` where an earlier refresh was known
    features : one row a customer; None where only decisions are known
    tasks : tasks issued then, one row a task; no rows, or no columns, where none were
    delivery : what the order lines looked like; None where it is not known
    scorer : what decided; None where it is not known
    model : what tells the model that decided from all others; empty where it is not known
    names : of the customers, as the CRM got them; None where it is not known what it got
    facts : what else is worth knowing, as JSON has it: digests, the run in MLflow
    """

    as_of: pd.Timestamp
    decisions: pd.DataFrame
    features: pd.DataFrame | None = None
    tasks: pd.DataFrame = field(default_factory=pd.DataFrame)
    delivery: Delivery | None = None
    scorer: Scorer | None = None
    model: str = ""
    names: Mapping[str, str] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """What all earlier refreshes left, the latest first."""

    memories: tuple[Memory, ...] = ()

    @property
    def last(self) -> Memory | None:
        """What the last refresh left; None before the first."""
        return self.memories[0] if self.memories else None

    @property
    def tasks(self) -> pd.DataFrame | None:
        """All tasks of earlier refreshes; None where there are none."""
        told = [memory.tasks for memory in self.memories if len(memory.tasks)]
        return pd.concat(told, ignore_index=True) if told else None

    def by(self, model: str) -> list[Memory]:
        """Return what refreshes with this model left; none where it has no name."""
        return [memory for memory in self.memories if model and memory.model == model]


@dataclass(frozen=True)
class Promise:
    """What is known of a model beside itself: who it is, and what its training measured, None where it is not known.

    Attributes
    ----------
    model : what tells it from all others
    backtest : table of its evaluation, see ``churn.Backtest``
    importance : what each group of features adds, see ``churn.importance``
    run_id : of the training run; empty where it was not tracked
    """

    model: str = ""
    backtest: pd.DataFrame | None = None
    importance: pd.DataFrame | None = None
    run_id: str = ""
