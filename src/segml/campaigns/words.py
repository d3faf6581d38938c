"""What a plan promises and an effect says, in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pandas as pd

from segml.campaigns.checks import SUSPICIOUS
from segml.campaigns.power import Past, detectable
from segml.config import CampaignConfig, Outcome
from segml.language import N_, _, ngettext

_PROMISES: dict[Outcome, str] = {
    "revenue": N_(
        "With {n} customers, {treated} of them treated, you can see an effect of ±{share:.0%} on revenue "
        "(±{effect:,.0f} a customer in {days} days; so far {mean:,.0f})."
    ),
    "bought": N_(
        "With {n} customers, {treated} of them treated, you can see an effect of ±{points:.1f} points on the share "
        "that buys within {days} days (so far {mean:.0%})."
    ),
    "orders": N_(
        "With {n} customers, {treated} of them treated, you can see an effect of ±{share:.0%} on orders "
        "(±{effect:.2f} a customer in {days} days; so far {mean:.2f})."
    ),
}
_WISHES: dict[Outcome, str] = {
    "revenue": N_("To see ±{share:.0%} on revenue takes {n} customers."),
    "bought": N_("To see ±{points:.1f} points on the share that buys takes {n} customers."),
    "orders": N_("To see ±{share:.0%} on orders takes {n} customers."),
}
_EFFECTS: dict[Outcome, str] = {
    "revenue": N_(
        "Revenue a customer within {days} days: {difference:+,.0f} by the treatment ({level:.0%} interval {low:+,.0f} "
        "to {high:+,.0f}), against {control:,.0f} without it."
    ),
    "bought": N_(
        "Share that buys within {days} days: {difference:+.1f} points by the treatment ({level:.0%} interval "
        "{low:+.1f} to {high:+.1f}), against {control:.1f}% without it."
    ),
    "orders": N_(
        "Orders a customer within {days} days: {difference:+.2f} by the treatment ({level:.0%} interval {low:+.2f} "
        "to {high:+.2f}), against {control:.2f} without it."
    ),
}
OUTCOMES: dict[Outcome, str] = {
    "revenue": N_("revenue a customer"),
    "bought": N_("share that buys"),
    "orders": N_("orders a customer"),
}


def promise(found: Past, outcome: Outcome, config: CampaignConfig) -> str:
    """Return how large an effect a test of these customers can show."""
    effect = detectable(found, outcome, config)
    if math.isnan(effect):
        words = _("With {n} customers no effect on {outcome} can be seen: there are too few, or they hardly vary.")
        return words.format(n=found.customers, outcome=_(OUTCOMES[outcome]))
    return _(_PROMISES[outcome]).format(
        n=found.customers,
        treated=round(found.customers * config.share),
        share=effect / found.mean if found.mean > 0 else math.nan,
        points=100 * effect,
        effect=effect,
        mean=found.mean,
        days=config.days,
    )


def wish(effect: float, customers: int | None, outcome: Outcome) -> str:
    """Return how many customers an effect takes; of the share who buy it is a share, else one of the mean."""
    if customers is None:
        return _("An effect of this size on {outcome} cannot be seen by any number of customers.").format(
            outcome=_(OUTCOMES[outcome])
        )
    return _(_WISHES[outcome]).format(n=customers, share=effect, points=100 * effect)


def cautions_before(segments: int, explained: float) -> tuple[str, ...]:
    """Return what to bear in mind of a plan for so many segments."""
    told = []
    if explained >= 0.01:
        words = _(
            "What customers did before explains {share:.0%} of the differences between them; without it the test would "
            "take {times:.1f} times as many customers."
        )
        told.append(words.format(share=explained, times=1 / max(1 - explained, 1e-9)))
    if segments > 1:
        told.append(_("A segment alone shows less: read the effect of all customers first."))
    return tuple(told)


def finding(table: pd.DataFrame, config: CampaignConfig) -> tuple[str, ...]:
    """Return what the effect is, whether chance explains it, and whether the segments say more.

    Parameters
    ----------
    table : ``effects.effects``
    """
    whole = table.iloc[0]
    if math.isnan(whole["low"]):
        return (_("All customers did the same: nothing can be told."),)
    return (_effect(whole, config), _verdict(whole), *_of_segments(table))


def cautions_after(ratio: float, treated: int, customers: int, vanished: int) -> tuple[str, ...]:
    """Return what speaks against reading the effect.

    Parameters
    ----------
    ratio : p-value of the sample ratio; NaN: not tested
    vanished : customers without any order line
    """
    return (*_about_ratio(ratio, treated, customers), *_about_vanished(vanished))


def _effect(row: pd.Series, config: CampaignConfig) -> str:
    unit = 100 if config.outcome == "bought" else 1
    return _(_EFFECTS[config.outcome]).format(
        days=config.days,
        level=1 - config.alpha,
        difference=unit * row["difference"],
        low=unit * row["low"],
        high=unit * row["high"],
        control=unit * row["control_mean"],
    )


def _verdict(row: pd.Series) -> str:
    if row["stands_out"]:
        return (
            _("Chance hardly makes such a difference: the campaign works.")
            if row["difference"] > 0
            else _("Chance hardly makes such a difference: the campaign does harm.")
        )
    if row["is_too_wide"]:
        return _(
            "This is noise: the interval is too wide to tell a useful effect from none, and holds both. Do not act on "
            "the difference."
        )
    return _("No effect is shown: chance makes such differences. What is outside of the interval is unlikely.")


def _of_segments(table: pd.DataFrame) -> Iterator[str]:
    segments = table.iloc[1:]
    if segments.empty:
        return
    names = segments.loc[segments["stands_out"], "segment"]
    if len(names):
        words = _("Looked at together ({n} segments), these stand out from chance: {names}.")
        yield words.format(n=len(segments), names=", ".join(names))
    else:
        words = _(
            "No segment's effect stands out once {n} are looked at together: the largest of them is what chance "
            "brings. Do not pick it."
        )
        yield words.format(n=len(segments))
    wide = int(segments["is_too_wide"].sum())
    if wide:
        words = ngettext(
            "The interval of {n} segment is too wide to be of use.",
            "The intervals of {n} segments are too wide to be of use.",
            wide,
        )
        yield words.format(n=wide)


def _about_ratio(ratio: float, treated: int, customers: int) -> Iterator[str]:
    if ratio < SUSPICIOUS:
        words = _(
            "The arms are not what was assigned: {treated} of {n} customers are treated, which chance does not make "
            "(p = {p:.1g}). Find out why before you read the effect."
        )
        yield words.format(treated=treated, n=customers, p=ratio)


def _about_vanished(vanished: int) -> Iterator[str]:
    if vanished:
        words = ngettext(
            "{n} customer has no order at all in the data; it counts as zero, as assigned.",
            "{n} customers have no order at all in the data; they count as zero, as assigned.",
            vanished,
        )
        yield words.format(n=vanished)
