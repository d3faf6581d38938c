"""The whole refresh: what a model decides now, what moved since the last time, and what to do on Monday."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from segml import actions, monitor
from segml.actions import CrossSelling, KeyAccounts, Tasks
from segml.config import Config
from segml.display import Displayed
from segml.features import baskets
from segml.language import speaking
from segml.monitor import Delivery, Quality, Verdict
from segml.pipeline.deciding import Decided, Scorer, score
from segml.pipeline.effect import Effect, effect
from segml.pipeline.memory import Memory, Past, Promise
from segml.pipeline.moves import Moves, moves
from segml.pipeline.prepared import Prepared
from segml.pipeline.segmentation import Segmentation, describe_segments
from segml.pipeline.stage import Stage
from segml.pipeline.watching import Watch, watch
from segml.progress import silently
from segml.segments import Playbook, load_playbook


@dataclass(frozen=True, repr=False)
class Refresh(Displayed):
    """What a refresh found and what it asks for.

    Attributes
    ----------
    prepared : the lines, and the moment they are looked back from
    scorer : what decided
    decided : features, decisions and labels at that moment
    segmentation : profiles, products, cohorts
    delivery, quality : what the lines look like; against last time, None where that is not known
    moves : who moved where since the last refresh, and why; None at the first
    watch : whether the model still holds
    effect : what became of the segments
    accounts : the sheet of key accounts, and who is close to entering or leaving the tier
    selling : what sells with what
    tasks : what to do, by whom, until when
    """

    prepared: Prepared
    scorer: Scorer
    past: Past
    promise: Promise
    playbook: Playbook
    decided: Decided
    segmentation: Segmentation
    delivery: Delivery
    quality: Quality | None
    moves: Moves | None
    watch: Watch
    effect: Effect
    accounts: KeyAccounts
    selling: CrossSelling
    tasks: Tasks

    def __repr__(self) -> str:
        return f"Refresh({self.prepared.source!r}, as of {self.prepared.as_of.date()}: {self.verdict.decision})"

    @property
    def config(self) -> Config:
        """The configuration of the refresh."""
        return self.scorer.config

    @property
    def verdict(self) -> Verdict:
        """Keep, recalibrate or retrain."""
        return self.watch.verdict

    @cached_property
    def recalibrated(self) -> Scorer | None:
        """The model at the level of what came, where the verdict advises it."""
        matured = self.watch.matured
        if self.verdict.decision != "recalibrate" or matured is None:
            return None
        return self.scorer.recalibrated(matured.table, self.config.monitor)

    @property
    def decisions(self) -> pd.DataFrame:
        """One row a customer; behind the columns of a training's, where each was before and since when it is there."""
        return self.decided.decisions if self.moves is None else self.moves.noted(self.decided.decisions)

    @property
    def metrics(self) -> dict[str, float]:
        """Return the figures that a tracked run shows: data, migration, drift, proof of the scores, effect, tasks."""
        issued, matured = self.tasks.issued, self.watch.matured
        bands = monitor.lasting(self.watch.drift)["band"] if len(self.watch.drift) else pd.Series(dtype="str")
        return {
            **self.prepared.ledger.metrics(),
            **(self.moves.metrics if self.moves is not None else {}),
            "drift/moderate": float((bands == "moderate").sum()),
            "drift/large": float((bands == "large").sum()),
            **(matured.metrics() if matured is not None else {}),
            **self.effect.metrics,
            "tasks/issued": float(len(issued)),
            "tasks/held_back": float(len(self.tasks.table) - len(issued)),
            "tasks/money": math.fsum(issued["money"]),
        }

    def memory(self, facts: Mapping[str, Any] | None = None) -> Memory:
        """Return what the next refresh compares with."""
        return Memory(
            as_of=self.prepared.as_of,
            decisions=self.decisions,
            features=self.decided.features,
            tasks=self.tasks.issued,
            delivery=self.delivery,
            scorer=self.scorer,
            model=self.promise.model,
            names=self.prepared.customer_names,
            facts=facts or {},
        )


def refresh(
    prepared: Prepared,
    scorer: Scorer,
    *,
    past: Past | None = None,
    promise: Promise | None = None,
    plan: pd.DataFrame | None = None,
    playbook: Playbook | None = None,
    stage: Stage = silently,
) -> Refresh:
    """Return what a model decides at ``prepared.as_of``, and what is different from earlier refreshes.

    Parameters
    ----------
    prepared : the lines of today
    scorer : the model, under the configuration of this refresh; see ``config.learnt_under``
    past : what earlier refreshes left; None: there was none
    promise : what the training of the model measured
    plan : revenue planned with key accounts, see ``actions.against_plan``
    playbook : names and strategies of segments; default the built-in one
    stage : called with the name of each stage as it begins
    """
    with speaking(scorer.config.report.language):
        return _refresh(
            prepared, scorer, past or Past(), promise or Promise(), plan, playbook or load_playbook(None, ()), stage
        )


def _refresh(
    prepared: Prepared,
    scorer: Scorer,
    past: Past,
    promise: Promise,
    plan: pd.DataFrame | None,
    playbook: Playbook,
    stage: Stage,
) -> Refresh:
    config = scorer.config
    planned = actions.against_plan(plan, prepared.lines, prepared.as_of) if plan is not None else None
    stage("scores")
    decided = score(prepared, scorer)
    stage("migration")
    moved = _moves(past, decided, prepared, scorer, promise)
    stage("drift")
    delivery = monitor.delivered(prepared.lines, prepared.as_of, prepared.ledger.to_dict())
    quality = _quality(past.last, delivery, prepared, config)
    alarms = quality.alarms if quality is not None else ()
    watched = watch(prepared, scorer, decided, past, promise, data_alarms=alarms)
    stage("effectiveness")
    worked = effect(prepared, scorer, decided, past)
    stage("tasks")
    selling = actions.cross_sell(baskets.gather(prepared.lines, prepared.as_of, config.cross_sell), config.cross_sell)
    tasks = actions.find_tasks(
        decided.features, decided.decisions, config, history=past.tasks, cross_sell=selling.offers
    )
    stage("profiles")
    return Refresh(
        prepared=prepared,
        scorer=scorer,
        past=past,
        promise=promise,
        playbook=playbook,
        decided=decided,
        segmentation=describe_segments(decided, prepared, scorer, playbook),
        delivery=delivery,
        quality=quality,
        moves=moved,
        watch=watched,
        effect=worked,
        accounts=_accounts(decided, past, planned, playbook, config),
        selling=selling,
        tasks=tasks,
    )


def _moves(past: Past, decided: Decided, prepared: Prepared, scorer: Scorer, promise: Promise) -> Moves | None:
    if past.last is None:
        return None
    is_same = bool(promise.model) and past.last.model == promise.model
    return moves(past.last, decided, prepared, scorer, is_same_model=is_same)


def _accounts(
    decided: Decided, past: Past, planned: pd.DataFrame | None, playbook: Playbook, config: Config
) -> KeyAccounts:
    return actions.key_accounts(
        decided.features,
        decided.decisions,
        config,
        playbook=playbook,
        earlier=past.last.decisions if past.last is not None else None,
        plan=planned,
    )


def _quality(last: Memory | None, delivery: Delivery, prepared: Prepared, config: Config) -> Quality | None:
    if last is None or last.delivery is None:
        return None
    return monitor.quality(last.delivery, delivery, prepared.lines, config.monitor)
