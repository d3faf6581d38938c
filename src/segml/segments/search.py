"""The search for segments: every way to cluster is measured, one is chosen, and what it is worth is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any

import pandas as pd
from sklearn.base import clone

from segml.clusters import (
    RULE,
    SAMPLE_SIZE,
    Candidate,
    Choice,
    HDBSCANSegments,
    KMeansSegments,
    Thresholds,
    choose,
    measure,
    paragraph,
    with_rules,
)
from segml.config import ClustersConfig, SegmentsConfig
from segml.display import Displayed
from segml.language import _, ngettext
from segml.progress import Progress, silently
from segml.segments.candidates import candidates, check
from segml.segments.continuity import MIN_SEGMENTS, Continuity, continuity
from segml.segments.found import ClusterModel
from segml.segments.past import Earlier, Past
from segml.segments.portrait import Portrait, portrait
from segml.segments.trials import Trial, mean_of, trial, weights
from segml.segments.validity import REVENUE_FIFTHS, RFM_SEGMENTS, Lead, lead, told_rule, verdict

VALIDATIONS = 3
"""Earlier periods at the most, one horizon apart, by which candidates are chosen."""

TESTED_COLUMNS = ("customer_id", "segment", "log_revenue")
TESTED = ("tested_eta2", "tested_eta2_low", "tested_eta2_high")
LEAD = ("tested_lead", "tested_lead_low", "tested_lead_high")
FIGURES = {
    "n_segments": "segments/n_clusters",
    "min_jaccard": "segments/min_jaccard",
    "agreement": "segments/agreement",
    "prediction_strength": "segments/prediction_strength",
    "smallest_share": "segments/smallest_share",
    "noise_share": "segments/noise_share",
    "silhouette": "segments/silhouette",
    "gap": "segments/gap",
    "next_period_eta2": "segments/validation_eta2",
    **{name: name.replace("tested", "segments/next_period") for name in (*TESTED, *LEAD)},
}
"""Columns of the table of candidates, and the metrics by which they are tracked."""

Clusterer = KMeansSegments | HDBSCANSegments


@dataclass(frozen=True, repr=False)
class FoundSegments(Displayed):
    """What the search found.

    Attributes
    ----------
    model : fitted and described; None where there is none, and ``notices`` say why
    table : one row a candidate or simple rule: the columns of ``clusters.measure``, and ``tested_eta2`` with its
        interval, which is what each explains of a period that had no part in the choice; ``is_chosen``;
        ``tested_lead`` with its interval, by which the chosen one is ahead there of the rule with the highest
        ``next_period_eta2``
    portrait : the segments one by one
    lasting : what the last horizon did to customers and model; None where history is too short
    reasons : sentences on the choice
    notices : what the reader should know besides
    tested : the period that had no part in the choice: ``customer_id``, ``segment`` as the chosen candidate had it, and
        ``log_revenue``, log1p of what the customer went on to buy; no rows where history is too short
    """

    model: ClusterModel | None = None
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    portrait: Portrait | None = None
    lasting: Continuity | None = None
    reasons: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    tested: pd.DataFrame = field(default_factory=partial(pd.DataFrame, columns=TESTED_COLUMNS))

    def __repr__(self) -> str:
        found = "none" if self.model is None else f"{self.model.n_clusters_}"
        return f"FoundSegments({found}, of {len(self.table)} compared)"

    @property
    def remarks(self) -> tuple[str, ...]:
        """All there is to say about the segments, in words: why these, what they tell, how they last, who they are."""
        if self.model is None:
            return ()
        return (*self.reasons, *([self.lasting.remark] if self.lasting else []), self.model.explained_)

    @property
    def means(self) -> pd.DataFrame:
        """How far each segment lies from the base, in standard deviations: a row a segment, a column a feature.

        Both by their names in words; no rows where there is no model, NaN in the row of a segment without customers.
        """
        if self.model is None:
            return pd.DataFrame()
        features = [name.replace("_", " ") for name in self.model.features]
        return pd.DataFrame(self.model.means_, index=self.model.segment_names_, columns=features)

    @property
    def metrics(self) -> dict[str, float]:
        """Figures of the chosen candidate and of the rules beside it, by the name of the metric."""
        if self.model is None:
            return {}
        return {
            **figures(self.table[self.table["is_chosen"]].iloc[0]),
            **_of_rules(self.table),
            **(self.lasting.metrics if self.lasting else {}),
            "segments/surrogate_fidelity": self.model.fidelity_,
            "segments/surrogate_worst_recall": self.model.worst_recall_,
        }

    def alternatives(self) -> list[tuple[str, dict[str, object], dict[str, float]]]:
        """Return each candidate's name, parameters and figures, as a run of its own tells them."""
        if self.table.empty:
            return []
        rows = self.table[self.table["algorithm"] != RULE]
        return [
            (
                str(row["candidate"]),
                {"algorithm": row["algorithm"], "size": int(row["size"]), "is_chosen": bool(row["is_chosen"])},
                figures(row),
            )
            for _place, row in rows.iterrows()
        ]


def find_segments(
    customers: pd.DataFrame,
    config: SegmentsConfig,
    seed: int,
    *,
    past: Past | None = None,
    jobs: int = 1,
    progress: Progress = silently,
) -> FoundSegments:
    """Return the segments that come back when customers are drawn anew, are big enough, and tell the next period most.

    What comes back and what is big enough is measured on these customers; what tells the next period on earlier ones,
    of which the latest is left for a test.

    Parameters
    ----------
    customers : one row a customer at one as-of date, with the columns that ``config.clusters`` names
    config : the clusterers, the rules beside them, and the fewest customers worth clustering
    seed : of restarts and samples
    past : earlier bases; candidates learnt at one are tried on the next
    jobs : processes
    progress : called with the name of each candidate that has been measured

    Raises
    ------
    DataError : feature columns missing or not numbers, customers repeated, or more than one as-of date
    """
    past = past if past is not None else Past()
    if len(customers) < config.min_customers:
        return FoundSegments(notices=(_too_few(len(customers), config),))
    check(config.clusters, customers)
    # The latest period tests the choice: it must not weigh features, nor know more than one horizon ago was known.
    ways = candidates(config.clusters, len(customers), seed, partial(weights, past, 1, customers["as_of"].iloc[0]))
    table = _measured(ways, customers, config.clusters, seed, jobs, progress)
    if table.loc[table["algorithm"] == config.clusters.kind, "n_segments"].max() < MIN_SEGMENTS:
        return FoundSegments(notices=(_nothing_there(config),))
    tested = trial(past, 0, len(customers), config, seed)
    earlier = [trial(past, place, len(customers), config, seed) for place in range(1, 1 + VALIDATIONS)]
    chosen_on = mean_of([found for found in earlier if found is not None]) or tested
    table = _with_trials(table, chosen_on, tested)
    eligible = table[table["algorithm"].isin([config.clusters.kind, RULE])]
    choice = choose(eligible, Thresholds(share=config.clusters.min_share))
    way = next(way.model for way in ways if way.name == choice.name)
    before = past.before(0)
    is_comparable = before is not None and len(before.features) >= config.min_customers
    lasting = continuity(clone(way), before, customers) if before is not None and is_comparable else None
    model = way.fit(customers)
    if model.n_clusters_ < MIN_SEGMENTS:
        return FoundSegments(notices=(_nothing_there(config),))
    model = model.describe(customers)
    ahead = _ahead(choice, tested, config, seed)
    outlook = _outlook(choice, ahead, chosen_on, tested)
    return FoundSegments(
        model,
        _with_choice(table, choice, ahead),
        portrait(model, customers, resamples=config.clusters.bootstrap, seed=seed),
        lasting,
        (paragraph(choice, told_rule), outlook),
        (*_notices(model, choice, config), outlook),
        _tested(choice, before, tested),
    )


def figures(row: pd.Series[Any]) -> dict[str, float]:
    """Return the known figures of a candidate, by the name of the metric."""
    return {metric: float(row[column]) for column, metric in FIGURES.items() if pd.notna(row[column])}


def _measured(
    ways: list[Candidate], customers: pd.DataFrame, config: ClustersConfig, seed: int, jobs: int, progress: Progress
) -> pd.DataFrame:
    """Return the table of all candidates; those of one algorithm see the same customers on the same scale."""
    tables = []
    for _kind, group in groupby(ways, key=attrgetter("algorithm")):
        models = list(group)
        inputs = models[0].model.inputs(customers)
        found = measure(
            [replace(way, model=_for_sample(way.model.clusterer, len(inputs))) for way in models],
            inputs,
            scaler=models[0].model.clusterer.scaler,
            resamples=config.bootstrap,
            seed=seed,
            n_jobs=jobs,
            progress=progress,
        )
        tables.append(found)
    return pd.concat(tables, ignore_index=True)


def _for_sample(clusterer: Clusterer, customers: int) -> Clusterer:
    """Return the clusterer as it suits the sample that criteria see: the least size of HDBSCAN shrinks with it."""
    if isinstance(clusterer, KMeansSegments) or customers <= SAMPLE_SIZE:
        return clusterer
    fitted = min(customers, clusterer.sample_size)
    least = max(2, round(clusterer.min_cluster_size * SAMPLE_SIZE / fitted))
    shrunk: HDBSCANSegments = clone(clusterer).set_params(min_cluster_size=least)
    return shrunk


def _with_trials(table: pd.DataFrame, chosen_on: Trial | None, tested: Trial | None) -> pd.DataFrame:
    """Return the table with what each candidate explains of the periods, and simple rules below."""
    unknown = pd.DataFrame(columns=["eta2", "eta2_low", "eta2_high", "eta2_error"], dtype="float64")
    chosen, test = (found.table if found is not None else unknown for found in (chosen_on, tested))
    rules = chosen.loc[~chosen.index.isin(table["candidate"]), ["eta2", "eta2_error"]]
    table = with_rules(table, {str(name): (eta, error) for name, eta, error in rules.itertuples()})
    names = table["candidate"]
    return table.assign(
        next_period_eta2=names.map(chosen["eta2"]),
        next_period_error=names.map(chosen["eta2_error"]),
        tested_eta2=names.map(test["eta2"]),
        tested_eta2_low=names.map(test["eta2_low"]),
        tested_eta2_high=names.map(test["eta2_high"]),
    )


def _of_rules(table: pd.DataFrame) -> dict[str, float]:
    rules = table.set_index("candidate")
    told = {
        f"segments/{metric}_eta2{end}": rules[f"tested_eta2{end}"].get(name, float("nan"))
        for name, metric in ((RFM_SEGMENTS, "rfm"), (REVENUE_FIFTHS, "revenue_fifths"))
        for end in ("", "_low", "_high")
    }
    return {metric: float(value) for metric, value in told.items() if pd.notna(value)}


def _with_choice(table: pd.DataFrame, choice: Choice, ahead: Lead | None) -> pd.DataFrame:
    """Return the table with what was chosen, and by how much that is ahead of the best rule on the tested period."""
    is_chosen = table["candidate"] == choice.name
    known = ahead if ahead is not None else Lead(*(float("nan"),) * 3)
    columns = {name: pd.Series(value, table.index).where(is_chosen) for name, value in zip(LEAD, known, strict=True)}
    return table.assign(is_chosen=is_chosen, **columns)


def _best_rule(choice: Choice) -> str:
    return str(choice.rules.set_index("candidate")["next_period_eta2"].idxmax())


def _ahead(choice: Choice, tested: Trial | None, config: SegmentsConfig, seed: int) -> Lead | None:
    if tested is None:
        return None
    one, other = tested.groupings[choice.name], tested.groupings[_best_rule(choice)]
    return lead(one, other, tested.values, resamples=config.interval_resamples, seed=seed)


def _tested(choice: Choice, before: Earlier | None, tested: Trial | None) -> pd.DataFrame:
    if before is None or tested is None:
        return pd.DataFrame(columns=TESTED_COLUMNS)
    columns = (before.features["customer_id"], tested.groupings[choice.name], tested.values)
    return pd.DataFrame(dict(zip(TESTED_COLUMNS, columns, strict=True)))


def _outlook(choice: Choice, ahead: Lead | None, chosen_on: Trial | None, tested: Trial | None) -> str:
    """Return what the chosen segments are worth on the period that had no part in the choice, against the best rule."""
    if tested is None or ahead is None:
        return _("No check of the clusters on a next period: the history is too short for it, or tells too little.")
    rule = _best_rule(choice)
    text = (
        _(
            "Of the next period's revenue, which had no part in the choice, the clusters tell {clusters:.1%}, {name} "
            "{rule:.1%}: {verdict}."
        )
        if chosen_on is not tested
        else _(
            "Of the next period's revenue, by which they were chosen too (history is too short for another), the "
            "clusters tell {clusters:.1%}, {name} {rule:.1%}: {verdict}."
        )
    )
    eta = tested.table["eta2"]
    return text.format(
        clusters=eta[choice.name], name=told_rule(rule), rule=eta[rule], verdict=verdict(ahead, told_rule(rule))
    )


def _too_few(customers: int, config: SegmentsConfig) -> str:
    return ngettext(
        "no clusters: {n} customer, fewer than segments.min_customers = {least}; the rules label everyone",
        "no clusters: {n} customers, fewer than segments.min_customers = {least}; the rules label everyone",
        customers,
    ).format(n=customers, least=config.min_customers)


def _nothing_there(config: SegmentsConfig) -> str:
    if config.clusters.kind == "hdbscan":
        return _(
            "no clusters: HDBSCAN finds fewer than two dense groups of customers; lower "
            "segments.clusters.hdbscan.min_cluster_size, or set segments.clusters.kind to kmeans"
        )
    return _("no clusters: all customers are alike in every feature of segments.clusters.kmeans.features")


def _notices(model: ClusterModel, choice: Choice, config: SegmentsConfig) -> tuple[str, ...]:
    """Return what the reader should know before using the segments."""
    found, asked = model.n_clusters_, config.clusters.kmeans.k
    notices = []
    if choice.verdict.is_resampled and not choice.is_natural:
        notices.append(_("no natural clusters: the found segments are a convenience"))
    if config.clusters.kind == "kmeans" and asked is not None and found < asked:
        fewer = ngettext(
            "{n} cluster instead of segments.clusters.kmeans.k = {k}: the customers have no more different profiles",
            "{n} clusters instead of segments.clusters.kmeans.k = {k}: the customers have no more different profiles",
            found,
        )
        notices.append(fewer.format(n=found, k=asked))
    smallest = choice.candidate["smallest_share"]
    if smallest < config.clusters.min_share:
        tiny = _("the smallest cluster holds {share:.1%} of customers, hardly worth an effort of its own")
        notices.append(tiny.format(share=smallest))
    return tuple(notices)
