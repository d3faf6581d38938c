"""A campaign measured: outcomes of its customers, the effect, and whether to believe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml import windows
from segml.campaigns import words
from segml.campaigns.checks import even_ratio, sample_ratio
from segml.campaigns.effects import effects
from segml.campaigns.kept import TREATMENT
from segml.campaigns.outcomes import outcomes
from segml.config import CampaignConfig
from segml.language import _, ngettext


@dataclass(frozen=True)
class Measured:
    """What a campaign brought.

    Attributes
    ----------
    table : ``effects.EFFECTS``, all customers first
    customers : one row a customer: segment, stratum, arm, outcome, before
    finding : the effect in words
    cautions : what speaks against it
    """

    table: pd.DataFrame
    customers: pd.DataFrame
    finding: tuple[str, ...]
    cautions: tuple[str, ...]


def measure(
    lines: Any,
    customers: pd.DataFrame,
    config: CampaignConfig,
    *,
    known_from: pd.Timestamp,
    known_until: pd.Timestamp,
    share: float | None,
) -> Measured:
    """Return the effect of a campaign on ``config.outcome`` over ``config.days``, as assigned (intent to treat).

    Customers who were added later, and whose windows are not over, are not counted yet.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``)
    customers : ``customer_id, segment, stratum, arm, starts_on``, one row a customer
    known_from, known_until : between which moments the log is complete
    share : of the treated, as it was meant; None where nobody said: then segments are compared with each other

    Raises
    ------
    DataError : no window is over, or an arm is too small
    """
    is_over = windows.is_over(customers["starts_on"], known_until, days=config.days)
    counted = customers[is_over] if is_over.any() else customers
    found = outcomes(lines, counted, config.days, config.outcome, known_until=known_until)
    whole = counted.join(found)
    table = effects(whole, config)
    is_treated = whole["arm"] == TREATMENT
    present = whole["known_since"].notna()
    if share is None:
        ratio = even_ratio(is_treated, whole["segment"])
    else:
        ratio = min(sample_ratio(is_treated, share), sample_ratio(is_treated[present], share))
    cautions = words.cautions_after(ratio, int(is_treated[present].sum()), int(present.sum()), int((~present).sum()))
    short = _about_history(counted["starts_on"].min(), config, known_from)
    late = _about_late(len(customers) - len(counted))
    return Measured(table, whole, words.finding(table, config), (*cautions, *late, *short))


def _about_late(customers: int) -> tuple[str, ...]:
    if not customers:
        return ()
    told = ngettext(
        "{n} customer who was added later is not counted yet: its window is not over.",
        "{n} customers who were added later are not counted yet: their windows are not over.",
        customers,
    )
    return (told.format(n=customers),)


def _about_history(start: pd.Timestamp, config: CampaignConfig, known_from: pd.Timestamp) -> tuple[str, ...]:
    if not windows.before(windows.shift(start, days=-config.days), known_from):
        return ()
    told = _("The log begins within the {days} days before the campaign: they adjust the effect less than they could.")
    return (told.format(days=config.days),)
