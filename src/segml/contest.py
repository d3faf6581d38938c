"""A registered model meets the champion: what the registry and the runs hold of both, judged and written down.

Both models are read back from their runs, so that it is all one whether a training, an upload or the registry's own
command asks.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from math import nan
from pathlib import Path

import pandas as pd

from segml import config, outputs, pipeline, promotion
from segml.config import Config, TrackingConfig
from segml.description import GAP
from segml.language import _, speaking
from segml.pipeline import Prepared
from segml.promotion import Contender, Verdict
from segml.schema import InputError, RegistryError
from segml.tracking.versions import (
    CHALLENGER,
    CHAMPION,
    RECIPE_TAG,
    TRAINING_RUN_TAG,
    VERDICT_TAG,
    ChampionChangedError,
    Registry,
    Version,
)
from segml.windows import as_timestamp

ATTEMPTS = 5
"""So many times a model is judged anew because another command has changed the champion in the meantime."""
REASONS_TAG = "segml.verdict_reasons"
FIGURES = ("churn/roc_auc", "stagnation/roc_auc", "segments/min_jaccard")
"""Metrics of the run that are tags of the version."""

Evaluate = Callable[[Config, list[date]], pd.DataFrame]
"""The backtest table of a configuration at test dates, on the data at hand."""


@dataclass(frozen=True)
class Entry:
    """A version of the model with what the rule reads of it; ``made_by`` is None where that cannot be known."""

    version: Version
    contender: Contender
    made_by: Config | None
    tags: dict[str, str]


def evaluator(prepared: Prepared, settings: Config, stage: Callable[[str], None]) -> Evaluate:
    """Return what evaluates another model's recipe on the data of this run."""

    def evaluate(made_by: Config, dates: list[date]) -> pd.DataFrame:
        recipe = config.with_test_dates(config.learnt_under(settings, made_by), dates)
        return pipeline.backtest(prepared, recipe, stage=stage).table

    return evaluate


def settle(
    tracking: TrackingConfig, number: str, *, say: Callable[[str], None], evaluate: Evaluate | None = None
) -> Verdict:
    """Describe a version that has just been registered, judge it by the rule of its own run, and crown who wins.

    Parameters
    ----------
    number : of the version
    say : told what the user may want to know besides
    evaluate : evaluates the champion's recipe where its stored backtest is of other data; None: no data at hand

    Raises
    ------
    TrackingError : the store is away; the model is registered, and waits
    """
    registry = Registry(tracking, say)
    mended = registry.mend()
    if mended:
        say(mended)
    challenger = read(registry, registry.version(number))
    made_by = challenger.made_by or Config()
    with speaking(made_by.report.language):
        if CHAMPION in challenger.version.aliases:
            return Verdict(False, "nothing new", _("Version {version} is champion already.").format(version=number), ())
        registry.describe(number, challenger.tags)
        verdict = _crown_the_winner(registry, challenger, made_by.promotion, evaluate)
        _write_down(registry, challenger, verdict)
    return verdict


def read(registry: Registry, version: Version) -> Entry:
    """Return a version with what its run tells of it."""
    try:
        return _read(registry, version)
    except InputError as error:
        return Entry(version, Contender.unreadable(version.number, str(error)), None, {})


def compare(one: Entry, other: Entry, rule: config.PromotionConfig, evaluate: Evaluate | None) -> Verdict:
    """Return what the rule says of a version against another as champion; nothing is changed."""
    challenger, champion = one.contender, other.contender
    if promotion.needs_evaluation(challenger, champion):
        champion = _evaluated(champion, other.made_by, challenger, evaluate)
    return promotion.judge(challenger, champion, rule)


def offer(tracking: TrackingConfig, number: str, *, say: Callable[[str], None]) -> str:
    """Describe a version that a refresh has recalibrated, and make it challenger; return in words what to do with it.

    No rule judges it: its ranking is that of the version it was made from, and a level off may be a season.

    Raises
    ------
    TrackingError : the store is away; the model is registered, and waits
    """
    registry = Registry(tracking, say)
    entry = read(registry, registry.version(number))
    said = _("Version {version} is the model at the level of what came; `{command}` makes it champion.").format(
        version=number, command=f"python -m segml.registry promote {number}"
    )
    registry.challenge(number)
    own = {name: value for name, value in entry.tags.items() if name != RECIPE_TAG}  # who rolls it back means no recipe
    tags = {**own, VERDICT_TAG: f"{CHALLENGER}: recalibrated", REASONS_TAG: said}
    registry.describe(number, tags, _markdown(entry, said, ()))
    return said


def evaluated_on(entry: Entry, data_digest: str, evaluate: Evaluate) -> Entry:
    """Return a version with its backtest on other data than its own, at its own test dates."""
    if entry.made_by is None or entry.contender.backtest is None:
        return entry
    table = evaluate(entry.made_by, _dates(entry.contender.backtest))
    return replace(entry, contender=replace(entry.contender, backtest=table, data_digest=data_digest))


def _crown_the_winner(
    registry: Registry, challenger: Entry, rule: config.PromotionConfig, evaluate: Evaluate | None
) -> Verdict:
    number = challenger.version.number
    for _attempt in range(ATTEMPTS):
        champion = registry.champion()
        verdict = (
            compare(challenger, read(registry, champion), rule, evaluate)
            if champion is not None
            else promotion.judge(challenger.contender, None, rule)
        )
        if not verdict.is_promoted:
            registry.challenge(number)
            return verdict
        try:
            registry.promote(
                number,
                reason=" ".join((verdict.decision, *verdict.reasons)),
                at=datetime.now(UTC),
                in_place_of=champion.number if champion is not None else "",
            )
        except ChampionChangedError:
            continue
        return verdict
    raise RegistryError(
        f"version {number} could not be judged: others change the champion all the time; see "
        f"`python -m segml.registry compare --version {number}`"
    )


def _write_down(registry: Registry, challenger: Entry, verdict: Verdict) -> None:
    """Say the verdict where it is looked for: on the version, in words below its figures, and on the run."""
    role = CHAMPION if verdict.is_promoted else CHALLENGER
    tags = {VERDICT_TAG: f"{role}: {verdict.outcome}", REASONS_TAG: "\n".join((verdict.decision, *verdict.reasons))}
    registry.describe(challenger.version.number, tags, _markdown(challenger, verdict.decision, verdict.reasons))
    registry.tag_run(challenger.version.run_id, tags, verdict.figures)


def _read(registry: Registry, version: Version) -> Entry:
    run = registry.run(version.run_id)
    if TRAINING_RUN_TAG in run.data.tags:
        run = registry.run(run.data.tags[TRAINING_RUN_TAG])
    run_id = run.info.run_id
    told, metrics = run.data.tags, run.data.metrics
    lacking = [name for name in ("segml.data_digest", "segml.as_of") if name not in told]
    if lacking:
        raise RegistryError(f"its run {run_id} lacks the tags {lacking}: an older segml made it")
    with tempfile.TemporaryDirectory() as folder:
        values = config.read_yaml(registry.fetch(run_id, outputs.CONFIG, Path(folder)))
        table = pd.read_parquet(registry.fetch(run_id, outputs.BACKTEST, Path(folder)))
    made_by = config.from_mapping(values, source=f"the configuration of version {version.number}")
    recipe = config.recipe_digest(made_by)
    contender = Contender(
        version.number,
        recipe,
        told["segml.data_digest"],
        as_timestamp(told["segml.as_of"]),
        made_by.horizon_days,
        made_by.report.currency,
        metrics.get("segments/min_jaccard", nan),
        table if len(table) else None,
        "" if len(table) else _("nobody was scored at a test date of version {version}").format(version=version.number),
        registry.rolled_back_from(recipe),
        run_id,
    )
    tags = {
        "segml.data": told.get("segml.data", ""),
        "segml.data_digest": contender.data_digest,
        "segml.as_of": told["segml.as_of"],
        "segml.horizon_days": str(made_by.horizon_days),
        RECIPE_TAG: recipe,
        "segml.config_digest": config.digest(made_by),
        **{name: _with_interval(metrics, name) for name in FIGURES if name in metrics},
    }
    return Entry(version, contender, made_by, {name: value for name, value in tags.items() if value})


def _evaluated(
    champion: Contender, made_by: Config | None, challenger: Contender, evaluate: Evaluate | None
) -> Contender:
    """Return the champion with its recipe evaluated at the challenger's dates, or why it was not."""
    if challenger.backtest is None or made_by is None:
        return champion
    if evaluate is None:
        why = _(
            "the backtest of version {champion} is of other data or dates, and the data are not at hand; "
            "`python -m segml.registry compare --version {version} --config FILE` evaluates it again"
        ).format(champion=champion.version, version=challenger.version)
        return replace(champion, backtest=None, unknown=why)
    try:
        return replace(champion, backtest=evaluate(made_by, _dates(challenger.backtest)))
    except InputError as error:
        why = _("the recipe of version {champion} cannot be evaluated on these data: {error}")
        return replace(champion, backtest=None, unknown=why.format(champion=champion.version, error=error))


def _dates(backtest: pd.DataFrame) -> list[date]:
    return sorted(moment.date() for moment in backtest["as_of"].unique())


def _markdown(entry: Entry, decision: str, reasons: Sequence[str]) -> str:
    """Return the description of a version; the list of versions shows its beginning without any layout."""
    rows = [f"| {name.removeprefix('segml.')}{GAP} | {value} |" for name, value in entry.tags.items()]
    listed = [f"- {reason}" for reason in reasons]
    return "\n".join([decision, "", *listed, "", "| | |", "| --- | --- |", *rows])


def _with_interval(metrics: dict[str, float], name: str) -> str:
    low, high = metrics.get(f"{name}_low"), metrics.get(f"{name}_high")
    shown = f"{metrics[name]:.3f}"
    return shown if low is None or high is None else f"{shown} [{low:.3f}, {high:.3f}]"
