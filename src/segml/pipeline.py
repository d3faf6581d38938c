"""The whole flow as functions of tables: no files, no clock, no MLflow."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import isnan

import pandas as pd
from ibis.expr.types import Table

from segml import features, labels
from segml.actions import assemble, base_margin, margin_notices
from segml.churn import (
    Backtest,
    RiskModel,
    Split,
    Terms,
    assess,
    backevaluation_splits,
    evaluate,
    interval_coverage,
    profit_metrics,
    scored_mask,
    scoring_dates,
    split_at,
)
from segml.churn.hazard import followed_rows, period_ends
from segml.config import Config
from segml.data import DEMO, PUBLIC, Cleaned, Deduplicated, Ledger, LedgerRow, Tables, clean, deduplicate, prepare_extra
from segml.features.periods import revenue_by_month
from segml.features.silent import silent_categories
from segml.language import _, ngettext, speaking
from segml.schema import DataError
from segml.segments import (
    Caution,
    KMeansSegments,
    NextPeriod,
    Playbook,
    RuleLabels,
    assign_rules,
    base_cautions,
    classify_products,
    cohort_table,
    find_segments,
    label_segments,
    next_period,
    profiles,
    scheme_cautions,
    stability,
)
from segml.windows import as_timestamp, is_over, midnight_after, shift

STALE_DAYS = 92
"""How long after its last line a log may still be looked back on: later, everybody would look inactive."""

QUIET_DAYS = 7
"""A log that ends so shortly before the as-of date is taken to be complete up to it: nobody ordered over a weekend."""

MONTHS_SHOWN = 24

Stage = Callable[[str], None]


def _silently(name: str) -> None:
    """Tell nobody which stage begins."""


@dataclass(frozen=True)
class Prepared:
    """Clean order lines, and the moment from which the run looks back.

    Attributes
    ----------
    source : what the transactions are called in messages
    as_of : features rest on lines strictly before it
    log_start, log_end : the first purchase, and midnight after the last line
    customers : deduplicated cards, or None where no customers table was given
    extra : usage, contracts and touches, as far as they were given, under the customers' canonical numbers
    extra_rows : what of them could not be used, for the ledger
    silent_days : from the end of the log to the moment of use: the as-of date, or today for an export without one
    """

    cleaned: Cleaned
    customers: Deduplicated | None
    extra: Mapping[str, Table]
    extra_rows: tuple[LedgerRow, ...]
    source: str
    as_of: pd.Timestamp
    log_start: pd.Timestamp
    log_end: pd.Timestamp
    silent_days: float
    notices: tuple[str, ...]

    @property
    def observed_until(self) -> pd.Timestamp:
        """Label windows end by then: the as-of date, or the end of a log that stops well before it."""
        is_complete = self.log_end >= shift(self.as_of, days=-QUIET_DAYS)
        return self.as_of if is_complete else self.log_end

    @property
    def ledger(self) -> Ledger:
        """The account of the cleaning, customer cards included."""
        rows = self.customers.rows if self.customers is not None else ()
        return self.cleaned.ledger.with_corrections((*rows, *self.extra_rows))

    @property
    def customer_names(self) -> dict[str, str]:
        """Return the name of each customer where a customers table tells it."""
        cards = self.customers.customers if self.customers is not None else pd.DataFrame()
        if "name" not in cards.columns:
            return {}
        return dict(cards.set_index("customer_id")["name"].dropna())

    @property
    def lines(self) -> Table:
        """The order lines that count."""
        return self.cleaned.lines


@dataclass(frozen=True)
class Scorer:
    """All that scoring needs: what was learnt (None where there was too little), and under which configuration."""

    config: Config
    risk: RiskModel | None
    clusters: KMeansSegments | None
    trained_at: pd.Timestamp


@dataclass(frozen=True)
class Decided:
    """Decisions at one as-of date, with what they rest on.

    Attributes
    ----------
    features : one row a customer: features, and the described columns
    decisions : one row a customer
    labels : the schemes behind the labels, their rules in words, and which are off
    """

    features: pd.DataFrame
    decisions: pd.DataFrame
    labels: RuleLabels


@dataclass(frozen=True)
class Segmentation:
    """What there is to say about the segments of a base.

    Attributes
    ----------
    profiles : one row a segment of each scheme
    products : one row a product with its ABC and XYZ class; no rows where no products are known
    cohorts : one row a cohort and age
    revenue_by_month : ``month``, ``revenue`` of the whole base
    silent : what customers who still buy have stopped buying, one row a customer and category, most money first
    cautions : the sufficiency gate's warnings
    """

    profiles: pd.DataFrame
    products: pd.DataFrame
    cohorts: pd.DataFrame
    revenue_by_month: pd.DataFrame
    silent: pd.DataFrame
    cautions: tuple[Caution, ...]


@dataclass(frozen=True)
class Training:
    """What a training run learnt, decided and measured."""

    prepared: Prepared
    scorer: Scorer
    decided: Decided
    segmentation: Segmentation
    backtest: Backtest
    metrics: dict[str, float]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Snapshots:
    """Features and labels of all customers at several as-of dates, and who of them is scored.

    ``silence`` tells of the periods of the horizon, see ``labels.silence``; None where churn is learnt without them.
    """

    features: pd.DataFrame
    labels: pd.DataFrame
    scored: pd.Series[bool]
    silence: pd.DataFrame | None = None

    def at(self, moment: pd.Timestamp) -> pd.DataFrame:
        """Return the features at one as-of date."""
        return self.features[self.features["as_of"] == moment]

    def training(self, split: Split) -> pd.DataFrame:
        """Return the features of the customers scored at the training dates."""
        return self.features[self.features["as_of"].isin(split.training) & self.scored]

    def followed(self, split: Split, horizon_days: int) -> pd.DataFrame | None:
        """Return the scored snapshots at all training dates with what is known of their silence; see ``silence``."""
        if self.silence is None:
            return None
        snapshots = self.features[self.features["as_of"].isin([*split.training, *split.recent]) & self.scored]
        return followed_rows(snapshots, self.silence, horizon_days, known_until=split.test)


def prepare(tables: Tables, config: Config, *, today: date) -> Prepared:
    """Clean the tables and settle the as-of date.

    Parameters
    ----------
    today : the day of the run; lines dated later are not believed

    Raises
    ------
    DataError : nothing usable is left, or the as-of date lies outside the data
    """
    with speaking(config.report.language):
        return _prepare(tables, config, today)


def _prepare(tables: Tables, config: Config, today: date) -> Prepared:
    cards = tables.extra.get("customers")
    customers = deduplicate(cards, same_name=config.data.cleaning.same_name) if cards is not None else None
    aliases = customers.aliases if customers is not None else None
    cleaned = clean(tables.transactions, config.data.cleaning, today=today, aliases=aliases)
    extra, extra_rows = prepare_extra(tables.extra, aliases, _buyers(cleaned.lines))
    log_start, log_end = _extent(cleaned.lines)
    as_of = as_timestamp(config.as_of) if config.as_of is not None else log_end
    stale = check_as_of(as_of, log_start, log_end)
    notices = (*cleaned.notices, *(customers.notices if customers is not None else ()), *stale)
    is_live = config.as_of is None and config.data.transactions not in (DEMO, *PUBLIC)
    silent = ((as_timestamp(today) if is_live else as_of) - log_end).days
    return Prepared(
        cleaned, customers, extra, extra_rows, tables.source, as_of, log_start, log_end, max(silent, 0), notices
    )


def check_as_of(as_of: pd.Timestamp, log_start: pd.Timestamp, log_end: pd.Timestamp) -> tuple[str, ...]:
    """Raise ``DataError`` for an as-of date outside the log; return a notice for one well after its end."""
    if not log_start < as_of <= shift(log_end, days=STALE_DAYS):
        raise DataError(
            f"as-of date {as_of.date()} lies outside the data: the first purchase is of {log_start:%Y-%m-%d}, the last "
            f"line of {shift(log_end, days=-1):%Y-%m-%d}; choose a date after the first and at most {STALE_DAYS} days "
            "after the last"
        )
    silent_days = (as_of - log_end).days
    if silent_days <= QUIET_DAYS:
        return ()
    told = ngettext(
        "the log ends {n} day before the as-of date", "the log ends {n} days before the as-of date", silent_days
    )
    return (told.format(n=silent_days),)


def train(
    prepared: Prepared, config: Config, *, playbook: Playbook | None = None, stage: Stage = _silently
) -> Training:
    """Run the whole flow: features, segments, evaluation out of time, final models, decisions.

    Parameters
    ----------
    playbook : names and strategies of segments; default the built-in one
    stage : called with the name of each stage as it begins
    """
    with speaking(config.report.language):
        return _train(prepared, config, playbook, stage)


def _train(prepared: Prepared, config: Config, playbook: Playbook | None, stage: Stage) -> Training:
    latest = split_at(
        prepared.observed_until, prepared.log_start, config=config.churn, horizon_days=config.horizon_days
    )
    splits = evaluation_splits(prepared, config)
    rehearsal = _rehearsal_dates(prepared, config)
    stage("features")
    tested = _tested(splits, config)
    snapshots = build_snapshots(prepared, config, [prepared.as_of, *rehearsal, *_dates([latest]), *tested])
    now = snapshots.at(prepared.as_of)
    if now.empty:
        raise DataError(f"nobody has bought anything before the as-of date {prepared.as_of.date()}; set a later one")
    stage("segments")
    found = find_segments(now, config.segments, config.seed)
    metrics = prepared.ledger.metrics()
    notices = [*prepared.notices, *found.notices]
    if found.model is not None:
        metrics |= stability(now, found.model, config.segments, config.seed)
        outlook = _next_period(snapshots, rehearsal, config)
        metrics |= outlook.metrics
        notices.append(outlook.sentence)
    stage("evaluation out of time")
    backtest = run_backtest(snapshots, splits, config)
    stage("scores")
    risk, why_not = _learn(snapshots, latest, now, config)
    scorer = Scorer(config, risk, found.model, prepared.as_of)
    decided = decide(now, prepared, scorer)
    stage("profiles")
    segmentation = describe_segments(decided, prepared, scorer, playbook)
    about_base = [caution.message for caution in segmentation.cautions if not caution.scheme]
    notices += [*backtest.notices, *why_not, *margin_notices(now, config.actions), *about_base]
    metrics |= backtest.metrics
    return Training(prepared, scorer, decided, segmentation, backtest, metrics, tuple(dict.fromkeys(notices)))


def score(prepared: Prepared, scorer: Scorer, *, is_strict: bool = True) -> Decided:
    """Return decisions at ``prepared.as_of`` by a trained scorer.

    Parameters
    ----------
    is_strict : False leaves out schemes that the configuration asks for, but whose tables are not at hand
    """
    with speaking(scorer.config.report.language):
        now = features.build(prepared.lines, prepared.as_of, scorer.config.features)
        return decide(now, prepared, scorer, is_strict=is_strict)


def decide(now: pd.DataFrame, prepared: Prepared, scorer: Scorer, *, is_strict: bool = True) -> Decided:
    """Return the decisions about the customers whose features at one as-of date are given."""
    config = scorer.config
    base = described(now, prepared, config)
    risk = _risk(base, config.segments.lifecycle.assign(base).astype("str"), scorer)
    scores = {name: risk[name] for name in ("p_churn", "p_stagnation")}
    labels = assign_rules(base.assign(**scores), config.segments, is_strict=is_strict)
    decisions = assemble(
        base,
        labels.table.merge(label_segments(now, scorer.clusters), on="customer_id", validate="1:1"),
        risk,
        horizon_days=config.horizon_days,
        config=config.actions,
        lifecycle=config.segments.lifecycle,
    )
    return Decided(base, decisions, labels)


def describe_segments(
    decided: Decided, prepared: Prepared, scorer: Scorer, playbook: Playbook | None = None
) -> Segmentation:
    """Return profiles, products, cohorts and cautions; see ``Segmentation``."""
    config, base, labels = scorer.config.segments, decided.features, decided.labels
    at_risk_from = scorer.config.churn.risk_bands[1]
    history_days = (prepared.as_of - prepared.log_start) / pd.Timedelta(days=1)
    months = revenue_by_month(prepared.lines, prepared.as_of, MONTHS_SHOWN).sum().rename("revenue").reset_index()
    return Segmentation(
        profiles(decided.decisions, base, labels.rules, scorer.clusters, playbook, p_churn_from=at_risk_from),
        classify_products(prepared.lines, prepared.as_of, config.abc, config.xyz),
        cohort_table(prepared.lines, prepared.as_of, config.cohort.period),
        months,
        _silent(decided, prepared, scorer.config),
        (
            *base_cautions(len(base), silent_days=prepared.silent_days, history_days=history_days, config=config),
            *scheme_cautions(labels, base, config, playbook),
        ),
    )


def _silent(decided: Decided, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return what customers have gone silent in; those whose stage says that they are inactive are left out."""
    found = silent_categories(
        prepared.lines, prepared.as_of, config.actions.silent_by, silent_gaps=config.actions.silent_gaps
    )
    decisions = decided.decisions
    inactive = decisions.loc[decisions["lifecycle"] == "inactive", "customer_id"]
    return found[~found["customer_id"].isin(inactive)].reset_index(drop=True)


def described(now: pd.DataFrame, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return the features with the described columns beside them."""
    cards = prepared.customers.customers if prepared.customers is not None else None
    return features.describe(prepared.lines, now, customers=cards, **prepared.extra, xyz=config.segments.xyz)


def backtest(prepared: Prepared, config: Config, *, stage: Stage = _silently) -> Backtest:
    """Evaluate the scores out of time; the first two steps of ``train`` that this needs, and no more."""
    with speaking(config.report.language):
        return _backtest(prepared, config, stage)


def _backtest(prepared: Prepared, config: Config, stage: Stage) -> Backtest:
    splits = evaluation_splits(prepared, config)
    stage("features")
    snapshots = build_snapshots(prepared, config, _tested(splits, config))
    stage("evaluation out of time")
    return run_backtest(snapshots, splits, config)


def evaluation_splits(prepared: Prepared, config: Config) -> tuple[Split, ...]:
    """Return the test dates of the out-of-time evaluation with their training dates."""
    return backevaluation_splits(
        prepared.log_start,
        prepared.observed_until,
        config=config.churn,
        backtest=config.backtest,
        horizon_days=config.horizon_days,
    )


def build_snapshots(prepared: Prepared, config: Config, dates: Iterable[pd.Timestamp]) -> Snapshots:
    """Return features at all dates, in one pass, and labels at those whose window is over."""
    table = features.build(prepared.lines, sorted(set(dates)), config.features)
    is_past = is_over(table["as_of"], prepared.observed_until, days=config.horizon_days)
    outcomes = labels.build(
        prepared.lines,
        table[is_past],
        config.horizon_days,
        config.labels,
        known_until=prepared.observed_until,
    )
    lifecycle = config.segments.lifecycle
    stages = [lifecycle.assign(snapshot).astype("str") for _, snapshot in table.groupby("as_of", sort=True)]
    if not stages:
        return Snapshots(table, outcomes, pd.Series(dtype="bool"))
    scored = scored_mask(pd.concat(stages).reindex(table.index), table["purchase_day_count"], config.churn)
    return Snapshots(table, outcomes, scored, _silence(table, prepared, config))


def _silence(table: pd.DataFrame, prepared: Prepared, config: Config) -> pd.DataFrame | None:
    if config.churn.model == "direct":
        return None
    periods = period_ends(config.horizon_days)
    return labels.silence(prepared.lines, table, periods, known_until=prepared.observed_until)


def run_backtest(snapshots: Snapshots, splits: Sequence[Split], config: Config) -> Backtest:
    """Return the out-of-time evaluation of the risk model against its baselines, of next orders and of contacts."""
    found = evaluate(
        snapshots.features,
        snapshots.labels,
        snapshots.scored,
        splits,
        config=config.churn,
        horizon_days=config.horizon_days,
        seed=config.seed,
        tier=config.segments.tier,
        silence=snapshots.silence,
    )
    further = {**_order_metrics(snapshots, splits, config), **_profit_metrics(snapshots, found, config)}
    return replace(found, metrics={**found.metrics, **further})


def _order_metrics(snapshots: Snapshots, splits: Sequence[Split], config: Config) -> dict[str, float]:
    """Return how often the interval of the next order held at the test dates."""
    tested = snapshots.features[snapshots.features["as_of"].isin([split.test for split in splits])]
    scored = snapshots.scored.loc[tested.index]
    held = interval_coverage(tested, snapshots.labels, scored, horizon_days=config.horizon_days)
    return {} if isnan(held) else {"next_order/coverage_80": held}


def _profit_metrics(snapshots: Snapshots, found: Backtest, config: Config) -> dict[str, float]:
    """Return what contacts would have earned, at the margin of the latest test date; nothing without their cost."""
    actions = config.actions
    if actions.contact_cost is None or found.table.empty:
        return {}
    margin = base_margin(snapshots.at(found.table["as_of"].max()), actions)
    terms = Terms(actions.contact_cost, actions.success_rate, 1.0 if isnan(margin) else margin)
    return profit_metrics(found.table, terms, resamples=config.churn.bootstrap, seed=config.seed)


def _buyers(lines: Table) -> list[str]:
    """Return all customers of the order lines."""
    customers: list[str] = lines.select("customer_id").distinct().to_pyarrow()["customer_id"].to_pylist()
    return customers


def _extent(lines: Table) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the first purchase, and midnight after the last line."""
    is_purchase = lines.amount > 0
    extent = lines.aggregate(first=lines.ordered_at.min(where=is_purchase), last=lines.ordered_at.max())
    first, last = (column[0].as_py() for column in extent.to_pyarrow().columns)
    if first is None:
        raise DataError(
            "no purchase is left after cleaning: no amount is above zero; check which column data.columns.amount maps, "
            "and what the ledger took away"
        )
    return pd.Timestamp(first).as_unit("us"), midnight_after(pd.Timestamp(last))


def _rehearsal_dates(prepared: Prepared, config: Config) -> tuple[pd.Timestamp, ...]:
    """Return where clusters are learnt and where they are measured, one horizon apart; empty where history is short."""
    measured = shift(prepared.observed_until, days=-config.horizon_days)
    learnt = shift(measured, days=-config.horizon_days)
    enough = shift(prepared.log_start, days=config.churn.min_history_days)
    return (learnt, measured) if learnt >= enough else ()


def _dates(splits: Iterable[Split]) -> set[pd.Timestamp]:
    return {moment for split in splits for moment in split.dates}


def _tested(splits: Sequence[Split], config: Config) -> set[pd.Timestamp]:
    """Return all dates that the evaluation reads: of tests, of training, and of lists whose lead time it measures."""
    return _dates(splits) | set(scoring_dates(splits, spacing_days=config.churn.spacing_days))


def _next_period(snapshots: Snapshots, rehearsal: tuple[pd.Timestamp, ...], config: Config) -> NextPeriod:
    if not rehearsal:
        return NextPeriod({}, _("no check of the clusters on a next period: the history is too short for it"))
    learnt, measured = rehearsal
    outcomes = snapshots.labels[snapshots.labels["as_of"] == measured]
    return next_period(snapshots.at(learnt), snapshots.at(measured), outcomes, config.segments, config.seed)


def _learn(
    snapshots: Snapshots, split: Split, now: pd.DataFrame, config: Config
) -> tuple[RiskModel | None, tuple[str, ...]]:
    """Return the model for scores at the as-of date, or none and the reason."""
    if len(now) < config.segments.min_customers:
        too_few = ngettext(
            "no scores: {n} customer, fewer than segments.min_customers = {least}",
            "no scores: {n} customers, fewer than segments.min_customers = {least}",
            len(now),
        )
        return None, (too_few.format(n=len(now), least=config.segments.min_customers),)
    if not split.training:
        too_short = _(
            "no scores: the history is shorter than {days} days (churn.min_history_days) and one horizon of {horizon}; "
            "there is nothing to learn from"
        )
        return None, (too_short.format(days=config.churn.min_history_days, horizon=config.horizon_days),)
    model = RiskModel().fit(
        snapshots.training(split),
        snapshots.labels,
        base=now,
        config=config.churn,
        horizon_days=config.horizon_days,
        seed=config.seed,
        followed=snapshots.followed(split, config.horizon_days),
    )
    return model, model.notices_


def _risk(base: pd.DataFrame, lifecycle: pd.Series[str], scorer: Scorer) -> pd.DataFrame:
    """Return the scores, bands and reasons of each customer, on the index of the features."""
    churn, alarm_from = scorer.config.churn, scorer.config.actions.min_p_stagnation
    scored = scored_mask(lifecycle, base["purchase_day_count"], churn)
    return assess(scorer.risk, base, lifecycle, scored, churn, alarm_from=alarm_from)
