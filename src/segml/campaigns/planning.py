"""A test planned: what effect it can show, measured on a past period of the same length."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from segml import windows
from segml.campaigns import words
from segml.campaigns.assignment import check_customers, segment_of, strata_of, takes_part
from segml.campaigns.effects import ALL
from segml.campaigns.outcomes import MEASURES, outcomes
from segml.campaigns.power import Past, needed, past, power_table
from segml.config import CampaignConfig, Outcome
from segml.language import _
from segml.schema import DataError

LEAST = 10
"""Customers below which a segment's past says nothing."""


@dataclass(frozen=True)
class Planned:
    """What a test of these customers can show.

    Attributes
    ----------
    table : ``power.POWER``, every outcome, of each all customers first
    promises : the same in words, the outcome of the configuration first
    """

    table: pd.DataFrame
    promises: tuple[str, ...]
    notices: tuple[str, ...]


def plan(
    lines: Any,
    customers: pd.DataFrame,
    config: CampaignConfig,
    *,
    known_from: pd.Timestamp,
    known_until: pd.Timestamp,
    earlier: pd.DataFrame | None = None,
    effect: float | None = None,
) -> Planned:
    """Return the smallest effects that a test would show, on each outcome, for all customers and a segment each.

    What customers do in ``days``, and how far the ``days`` before foretell it, is measured on a period that is over.
    With earlier decisions it is the period after them: a rehearsal of the test, strata included. Without, it is the
    last ``days`` of the log, of customers who had bought before them. The segments then come from the very orders that
    are measured and would foretell them too well; so only the period before counts, and the test shows rather more.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``)
    customers : decisions, one row a customer, with the columns of ``config.strata`` and ``config.where``
    known_from, known_until : between which moments the log is complete
    earlier : decisions of one date, ``as_of``, at least ``days`` before the end of the log
    effect : one that is wished to be seen, a share of the mean (of ``bought``: a share, 0.05 is five points)

    Raises
    ------
    DataError : columns missing, a customer twice, nobody takes part, or nothing is over since the earlier decisions
    """
    segments = segment_of(_chosen(customers, config), config)
    if earlier is None:
        base = _last_period(_chosen(customers, config), config, known_until)
    else:
        base = _rehearsal(_chosen(earlier, config), config)
    tables, promises = [], []
    for outcome in sorted(MEASURES, key=lambda name: name != config.outcome):
        found = base.join(outcomes(lines, base, config.days, outcome, known_until=known_until))
        pasts = _pasts(found[windows.before(found["known_since"], found["starts_on"])], segments)
        tables.append(power_table(pasts, outcome, config))
        promises += _promised(pasts[ALL], outcome, config, effect)
        if outcome == config.outcome:
            promises += words.cautions_before(len(pasts), pasts[ALL].explained)
    notices = (*_about_earlier(earlier), *_about_history(base["starts_on"].iloc[0], config, known_from))
    return Planned(pd.concat(tables, ignore_index=True), tuple(promises), notices)


def _chosen(customers: pd.DataFrame, config: CampaignConfig) -> pd.DataFrame:
    check_customers(customers, config.strata)
    chosen = customers[takes_part(customers, config)]
    if chosen.empty:
        raise DataError(f"campaign.where = {config.where!r} holds for none of the {len(customers)} customers")
    return chosen


def _last_period(customers: pd.DataFrame, config: CampaignConfig, known_until: pd.Timestamp) -> pd.DataFrame:
    start = windows.shift(known_until, days=-config.days)
    return _base(customers, segment_of(customers, config), pd.Series(ALL, index=customers.index), start)


def _rehearsal(customers: pd.DataFrame, config: CampaignConfig) -> pd.DataFrame:
    dates = sorted(customers["as_of"].unique()) if "as_of" in customers.columns else []
    if len(dates) != 1:
        raise DataError(f"earlier decisions need one date in a column as_of; found {[str(date) for date in dates]}")
    start = windows.as_timestamp(dates[0])
    return _base(customers, segment_of(customers, config), strata_of(customers, config), start)


def _base(
    customers: pd.DataFrame, segment: pd.Series[str], stratum: pd.Series[str], start: pd.Timestamp
) -> pd.DataFrame:
    numbers = customers["customer_id"].astype("str")
    return pd.DataFrame({"customer_id": numbers, "starts_on": start, "segment": segment, "stratum": stratum})


def _pasts(found: pd.DataFrame, segments: pd.Series[str]) -> dict[str, Past]:
    """Return what is known of all customers, and of each segment, for as many customers as there are now."""
    if len(found) < LEAST:
        raise DataError(
            f"a plan needs at least {LEAST} customers who bought before the period that it is measured on; found "
            f"{len(found)}: take a smaller campaign.days, or more data"
        )
    now = segments.value_counts().sort_index()
    pasts = {ALL: replace(past(found), customers=len(segments))}
    for name, customers in now.items():
        own = found[found["segment"] == name]
        if len(now) > 1 and len(own) >= LEAST:
            pasts[str(name)] = replace(past(own), customers=int(customers))
    return pasts


def _promised(found: Past, outcome: Outcome, config: CampaignConfig, effect: float | None) -> list[str]:
    told = [words.promise(found, outcome, config)]
    if effect is not None:
        size = effect if outcome == "bought" else effect * found.mean
        told.append(words.wish(effect, needed(size, found, outcome, config), outcome))
    return told


def _about_earlier(earlier: pd.DataFrame | None) -> tuple[str, ...]:
    if earlier is not None:
        return ()
    return (
        _(
            "This rests on the orders that made the segments: decisions of one test length ago, given as --earlier, "
            "make the plan exact."
        ),
    )


def _about_history(start: pd.Timestamp, config: CampaignConfig, known_from: pd.Timestamp) -> tuple[str, ...]:
    if not windows.before(windows.shift(start, days=-config.days), known_from):
        return ()
    told = _("The log begins within the {days} days before the measured period: the test will show rather more.")
    return (told.format(days=config.days),)
