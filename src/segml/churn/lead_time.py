"""How early the score alarms: who of the customers that left for good was listed, how soon after the last purchase."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segml.churn.inputs import KEYS, check_columns
from segml.churn.intervals import interval_table
from segml.churn.metrics import Array, Statistics, weighted_mean
from segml.churn.schedule import Split
from segml.windows import shift

QUIET_DAYS = 180
"""Who has bought nothing for so long, to the end of what is known, left for good."""

LIST_SHARE = 0.20
WITHIN_DAYS = (30, 60, 90)
RULES = {"silent_60d": 60}
"""Rules of thumb beside the lists: name -> days of silence that are exceeded; their list is as long as it gets."""

STRATEGIES = {
    "model": "p_churn",
    "pareto_nbd": "pareto_nbd_p_churn",
    "recency_to_gap": "recency_to_gap",
    "recency": "recency_days",
}
"""Ways to fill a list, and the column that each ranks by."""

LEAD_KEYS = ["strategy", "within_days"]


def scoring_dates(splits: Sequence[Split], *, spacing_days: int) -> tuple[pd.Timestamp, ...]:
    """Return the dates at which lists are drawn up, oldest first: back from the last test date to the first.

    Lists at the test dates alone, a horizon apart, would miss most customers in their first month of silence.
    """
    if not splits:
        return ()
    first, last = min(split.test for split in splits), max(split.test for split in splits)
    steps = range((last - first).days // spacing_days + 1)
    return tuple(sorted(shift(last, days=-spacing_days * step) for step in steps))


def left_for_good(
    features: pd.DataFrame, labels: pd.DataFrame, *, horizon_days: int, quiet_days: int = QUIET_DAYS
) -> pd.Series[pd.Timestamp]:
    """Return the last purchase of each customer who left for good, by ``customer_id``.

    Silence is seen to the end of the latest label window: these customers bought nothing in the horizon after the
    latest labelled date, and had been silent before it for the rest of ``quiet_days``.
    """
    check_columns(features, [*KEYS, "recency_days"], "features")
    check_columns(labels, [*KEYS, "churned"], "labels")
    latest = labels[labels["as_of"] == labels["as_of"].max()]
    known = latest.loc[latest["churned"].astype(bool), KEYS].merge(features[[*KEYS, "recency_days"]], on=KEYS)
    gone = known[known["recency_days"] >= quiet_days - horizon_days]
    last = gone["as_of"] - pd.to_timedelta(gone["recency_days"], unit="D")
    purchases: pd.Series[pd.Timestamp] = last.set_axis(gone["customer_id"]).rename("last_purchase").sort_index()
    return purchases


def lead_time(
    scores: pd.DataFrame,
    last_purchase: pd.Series[pd.Timestamp],
    *,
    list_share: float = LIST_SHARE,
    within_days: Sequence[int] = WITHIN_DAYS,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Return the share of lost customers that each way to warn had listed soon after their last purchase.

    Parameters
    ----------
    scores : one row a scored customer and date, with the columns of ``STRATEGIES``; each score rests on what was
        known at its date
    last_purchase : of the customers who left for good, by ``customer_id``; see ``left_for_good``
    list_share : length of the lists, as a share of the customers scored at a date; ties at the end stay off
    within_days : how soon after the last purchase
    resamples, seed : of the bootstrap over lost customers

    Returns
    -------
    One row a way to warn and ``within_days``: ``leavers`` (lost customers who were scored within the shortest of
    these times, and the longest of which was over by the last list: every list had its chance), ``list_share`` (mean
    length of the list as a share of the scored), ``caught`` with ``_low`` and ``_high``: the share of the leavers that
    were on a list by then.
    """
    check_columns(scores, [*KEYS, *STRATEGIES.values()], "scores")
    listed = _listed(scores, list_share)
    last = last_purchase.reindex(scores["customer_id"]).to_numpy(dtype="datetime64[us]")
    since = (pd.to_datetime(scores["as_of"]) - last) / pd.Timedelta(days=1)
    is_over = last <= scores["as_of"].max() - pd.Timedelta(days=max(within_days))
    alarms = scores[["customer_id"]].assign(since=since, **listed)[(since > 0) & is_over]
    customers = np.unique(alarms.loc[alarms["since"] <= min(within_days), "customer_id"])
    parts = {
        (strategy, days): _caught(alarms.loc[alarms["since"] <= days].groupby("customer_id")[strategy].max()[customers])
        for strategy in listed
        for days in within_days
    }
    table = interval_table(parts, customers, keys=LEAD_KEYS, names=["caught"], resamples=resamples, seed=seed)
    table.insert(2, "leavers", len(customers))
    table.insert(3, "list_share", table["strategy"].map(listed.groupby(scores["as_of"]).mean().mean()))
    return table


def _listed(scores: pd.DataFrame, share: float) -> pd.DataFrame:
    """Tell which rows are on the list of their date, one column a way to warn."""
    by_date = scores.groupby("as_of")
    room = share * by_date["customer_id"].transform("size")
    lists = {
        name: by_date[column].rank(method="max", ascending=False, na_option="bottom") <= room
        for name, column in STRATEGIES.items()
    }
    return pd.DataFrame(lists).assign(**{name: scores["recency_days"] > days for name, days in RULES.items()})


def _caught(listed: pd.Series[bool]) -> Statistics:
    """Return the share that was listed, as a function of weights."""
    flags = listed.to_numpy(dtype=bool)

    def of(weights: Array) -> dict[str, Array]:
        return {"caught": weighted_mean(flags, weights)}

    return of
