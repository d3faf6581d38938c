"""What the scores rest on: how much worse customers are ranked out of time when a group of features is shuffled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from segml.churn.inputs import KEYS
from segml.churn.intervals import interval_table
from segml.churn.metrics import Array, Ranking, Statistics, roc_auc
from segml.churn.model import TARGETS, RiskModel
from segml.churn.reasons import groups_of
from segml.churn.summary import SCORES

REPEATS = 3
"""Shuffles of each group; the drop is their mean."""

AT_MOST_CUSTOMERS = 10_000
"""Customers of a date that are shuffled among themselves; more would cost time and tell nothing new."""

IMPORTANCE_KEYS = ["group", "target"]
SHUFFLED_COLUMNS = [*KEYS, *TARGETS.values(), "group", "repeat"]


def shuffled_scores(model: RiskModel, features: pd.DataFrame, *, repeats: int = REPEATS, seed: int) -> pd.DataFrame:
    """Return the scores of customers who got the figures of others in one group of features at a time.

    A group's columns move together, so that what they say of each other stays true. Which customer gets whose figures
    depends on the seed, the as-of date and the set of customers, not on the order of the rows.

    Parameters
    ----------
    features : scored customers at one as-of date

    Returns
    -------
    Long table: ``customer_id``, ``as_of``, ``group`` ("" for the true figures), ``repeat``, ``p_churn``,
    ``p_stagnation``; of at most ``AT_MOST_CUSTOMERS`` customers.
    """
    generator = np.random.default_rng([seed, *features["as_of"].unique().astype("datetime64[s]").astype("int64")])
    rows = _sample(features.sort_values("customer_id", ignore_index=True), generator).assign(group="", repeat=0)
    mixed = pd.concat([rows, *_mixed(rows, groups_of(model), repeats, generator)], ignore_index=True)
    scores = model.predict(mixed)[list(TARGETS.values())]
    return pd.concat([mixed[KEYS], scores, mixed[["group", "repeat"]]], axis=1)


def _sample(rows: pd.DataFrame, generator: np.random.Generator) -> pd.DataFrame:
    if len(rows) <= AT_MOST_CUSTOMERS:
        return rows
    return rows.iloc[np.sort(generator.choice(len(rows), AT_MOST_CUSTOMERS, replace=False))].reset_index(drop=True)


def _mixed(
    rows: pd.DataFrame, groups: Mapping[str, Sequence[str]], repeats: int, generator: np.random.Generator
) -> Iterator[pd.DataFrame]:
    """Yield the rows with the columns of one group dealt out anew, for each group and repeat."""
    for group, names in groups.items():
        for repeat in range(repeats):
            others = rows[names].iloc[generator.permutation(len(rows))].set_axis(rows.index)
            yield rows.assign(**{name: others[name] for name in names}, group=group, repeat=repeat)


def importance(table: pd.DataFrame, shuffled: pd.DataFrame, *, resamples: int, seed: int) -> pd.DataFrame:
    """Return by how much each group of features lifts the area under the curve out of time.

    Parameters
    ----------
    table : the backtest's table
    shuffled : ``shuffled_scores`` of its test dates, one below the other
    resamples, seed : of the bootstrap over customers

    Returns
    -------
    One row a group and target, ``auc_drop`` with ``_low`` and ``_high``; the group that both targets need most first.
    """
    true = shuffled.loc[shuffled["group"] == "", KEYS].sort_values(["as_of", "customer_id"])
    outcomes = true.merge(table, on=KEYS, how="left", validate="1:1")
    groups = [group for group in shuffled["group"].unique() if group]
    wide = {
        probability: shuffled.pivot(index=["as_of", "customer_id"], columns=["group", "repeat"], values=probability)
        for probability in TARGETS.values()
    }
    parts = {
        (group, target): _drop(outcomes[outcome], wide[probability], group)
        for group in groups
        for target, (outcome, probability) in SCORES.items()
    }
    found = interval_table(
        parts,
        outcomes["customer_id"].to_numpy(),
        keys=IMPORTANCE_KEYS,
        names=["auc_drop"],
        resamples=resamples,
        seed=seed,
    )
    both = found.groupby("group")["auc_drop"].transform("mean")
    return (
        found.assign(both=both)
        .sort_values(["both", *IMPORTANCE_KEYS], ascending=[False, True, True], ignore_index=True)
        .drop(columns="both")
    )


def _drop(outcome: pd.Series[bool], scores: pd.DataFrame, group: str) -> Statistics:
    """Return the area with the true figures minus the mean area over the shuffles, as a function of weights."""
    happened = outcome.to_numpy(dtype=bool)
    true = Ranking.by(scores[("", 0)])
    shuffles = [Ranking.by(column) for _, column in scores[group].items()]

    def of(weights: Array) -> dict[str, Array]:
        areas = [roc_auc(ranking, happened, weights) for ranking in shuffles]
        return {"auc_drop": roc_auc(true, happened, weights) - np.mean(areas, axis=0)}

    return of
