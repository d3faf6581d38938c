"""The rule by which a newly trained model becomes champion: two models in, a verdict in words out.

A model with another recipe has to be better out of time, on the same customers, dates and outcomes; one with the same
recipe has to be newer. Neither may have found less stable segments. Where that cannot be told, the champion stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import Any, Literal

import pandas as pd

from segml.churn import mean_metrics, paired_differences
from segml.config import PromotionConfig
from segml.language import N_, _
from segml.windows import before

Outcome = Literal[
    "first", "better", "newer", "nothing new", "not better", "worse", "less stable", "not comparable", "taken back"
]
"""Why a model is promoted (the first three) or stays challenger."""

PROMOTED: tuple[Outcome, ...] = ("first", "better", "newer")
KEYS = ["customer_id", "as_of"]
TARGETS = {"churn": ("churned", "p_churn"), "stagnation": ("stagnated", "p_stagnation")}
"""Target -> the columns of a backtest with what happened, and with its probability."""

COLUMNS = ["figure", "challenger", "champion", "difference", "difference_low", "difference_high"]
"""Of the table of a verdict."""


SEED = 0
"""Of the redrawn customers: the same two models always get the same verdict."""

_NAMES = {"churn": N_("Churn"), "stagnation": N_("Stagnation")}


@dataclass(frozen=True)
class Contender:
    """A model as the rule sees it.

    Attributes
    ----------
    version : its number in the registry
    recipe : ``config.recipe_digest`` of its configuration
    data_digest : of the order lines it was made from
    as_of : the moment it looks back from
    horizon_days, currency : as configured
    stability : lowest Jaccard of a found segment; NaN where none were found
    backtest : rows of ``Backtest.table``; None where there is none
    unknown : why there is none, or why nothing is known of the model
    taken_back : the version of the same recipe from which the champion was rolled back, if any
    trained_by : the run that trained it; that of a recalibrated model trained the model that it was made from
    """

    version: str
    recipe: str
    data_digest: str
    as_of: pd.Timestamp
    horizon_days: int
    currency: str = ""
    stability: float = nan
    backtest: pd.DataFrame | None = None
    unknown: str = ""
    taken_back: str = ""
    trained_by: str = ""

    @classmethod
    def unreadable(cls, version: str, why: str) -> Contender:
        """Return a model of which nothing is known but its version."""
        return cls(version, "", "", pd.Timestamp(0), 0, unknown=why)

    @property
    def is_known(self) -> bool:
        """Whether it is known what the model was made from."""
        return bool(self.recipe)


@dataclass(frozen=True)
class Verdict:
    """Whether a challenger becomes champion, and why.

    Attributes
    ----------
    is_promoted : it becomes champion
    outcome : the reason in a word
    decision : the verdict in a sentence
    reasons : what it rests on, in sentences
    table : one row a figure, columns ``COLUMNS``; NaN where not known
    """

    is_promoted: bool
    outcome: Outcome
    decision: str
    reasons: tuple[str, ...]
    table: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=COLUMNS))

    @property
    def figures(self) -> dict[str, float]:
        """Return the known differences to the champion, by the name of the metric."""
        return {
            f"promotion/{row['figure']}_{column}": float(row[column])
            for row in self.table.to_dict("records")
            for column in COLUMNS[3:]
            if pd.notna(row[column])
        }

    def summary(self) -> dict[str, object]:
        """Return the verdict as plain values."""
        return {
            "is_promoted": self.is_promoted,
            "outcome": self.outcome,
            "decision": self.decision,
            "reasons": list(self.reasons),
            "figures": self.figures,
        }


@dataclass(frozen=True)
class _Finding:
    """What one part of the rule found; ``against`` is the outcome where it speaks against the challenger."""

    words: str
    against: Outcome | None = None


def judge(challenger: Contender, champion: Contender | None, rule: PromotionConfig) -> Verdict:
    """Return whether the challenger becomes champion.

    The backtest of the champion is read only where the recipes differ; it has to be of the same dates and data.
    """
    if champion is None:
        words = _("There is no champion yet: version {version} is the first.").format(version=challenger.version)
        decision = _decision("first", challenger.version, "", rule)
        return Verdict(rule.automatic, "first", decision, (words,))
    return _Match(challenger, champion, rule).verdict()


def needs_evaluation(challenger: Contender, champion: Contender) -> bool:
    """Tell whether the verdict takes a backtest of the champion that is not stored: other data, or other dates."""
    match = _Match(challenger, champion, PromotionConfig())
    return (
        match.obstacle() is None and challenger.recipe != champion.recipe and not _share_backtest(challenger, champion)
    )


def _share_backtest(one: Contender, other: Contender) -> bool:
    if one.backtest is None or other.backtest is None or one.data_digest != other.data_digest:
        return False
    return set(one.backtest["as_of"]) == set(other.backtest["as_of"])


def differences(challenger: pd.DataFrame, champion: pd.DataFrame, *, resamples: int) -> pd.DataFrame:
    """Return the areas under the curve of two backtests of the same customers and dates, and their difference.

    One row a target that has the same outcomes in both, columns ``COLUMNS``; no row where it has one outcome only. The
    95 % interval of the difference is paired: customers are redrawn, the same for both models.
    """
    apart = paired_differences([challenger], [champion], resamples=resamples, seed=SEED)
    new, old = (mean_metrics([table], resamples=0, seed=SEED) for table in (challenger, champion))
    rows = [
        {
            "figure": f"{target}_roc_auc",
            "challenger": new[area],
            "champion": old[area],
            **{f"difference{end}": apart[f"{area}{end}"] for end in ("", "_low", "_high")},
        }
        for target, area in ((target, f"{target}/roc_auc") for target in _same_outcomes(challenger, champion))
        if f"{area}_low" in apart
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _in_common(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of two backtests that are about the same customers and dates, in the same order."""
    common = one[KEYS].merge(other[KEYS], on=KEYS)
    own, others = (common.merge(table, on=KEYS, how="left", validate="1:1") for table in (one, other))
    return own, others


def _same_outcomes(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    return [target for target, (outcome, _score) in TARGETS.items() if one[outcome].equals(other[outcome])]


def _same_scores(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return all(one[score].equals(other[score]) for _outcome, score in TARGETS.values())


@dataclass(frozen=True)
class _Match:
    """A challenger against a champion."""

    challenger: Contender
    champion: Contender
    rule: PromotionConfig

    def verdict(self) -> Verdict:
        obstacle = self.obstacle()
        if obstacle is not None:
            return obstacle
        if self.challenger.recipe == self.champion.recipe:
            same = _(
                "The recipe is that of version {champion}, so the scores out of time are the same by construction."
            )
            return self._of_the_newer(same.format(champion=self.champion.version))
        return self._of_the_better()

    def obstacle(self) -> Verdict | None:
        """Return the verdict where the two may not be compared at all."""
        new, old = self.challenger, self.champion
        unread = next((one for one in (new, old) if not one.is_known), None)
        if unread is not None:
            words = _("Not comparable: what version {version} was made from cannot be read ({why}).")
            return self._ends("not comparable", words.format(version=unread.version, why=unread.unknown))
        if new.trained_by and new.trained_by == old.trained_by:
            words = _(
                "It comes from the training of version {champion} and ranks alike; which level of probabilities holds "
                "is for a person to judge."
            )
            return self._ends("nothing new", words.format(champion=old.version))
        if new.horizon_days != old.horizon_days:
            words = _("Not comparable: it looks {days} days ahead, version {champion} {other} days (horizon_days).")
            return self._ends(
                "not comparable", words.format(days=new.horizon_days, champion=old.version, other=old.horizon_days)
            )
        if new.currency and old.currency and new.currency != old.currency:
            words = _(
                "Not comparable: its money is {currency}, that of version {champion} is {other} (report.currency)."
            )
            return self._ends(
                "not comparable", words.format(currency=new.currency, champion=old.version, other=old.currency)
            )
        if before(new.as_of, old.as_of):
            words = _("It looks back from {date}, version {champion} from a later date, {other}.")
            return self._ends("not comparable", words.format(date=_day(new), champion=old.version, other=_day(old)))
        if new.taken_back:
            words = _("A model of the same recipe, version {version}, was rolled back: only a hand puts it in again.")
            return self._ends("taken back", words.format(version=new.taken_back))
        return None

    def _of_the_newer(self, same: str) -> Verdict:
        """Judge a challenger that scores as the champion does: it has to look back from a later date."""
        new, old = self.challenger, self.champion
        if not before(old.as_of, new.as_of):
            nothing = _("Nothing new: both look back from {date}.").format(date=_day(new))
            return self._ends("nothing new", same, nothing)
        newer = _("It has learnt up to {date}, the champion up to {other}.").format(date=_day(new), other=_day(old))
        stable = self._stability()
        return self._ends(stable.against or "newer", same, newer, stable.words)

    def _of_the_better(self) -> Verdict:
        """Judge a challenger of another recipe: it has to be better out of time."""
        one, other = self.challenger.backtest, self.champion.backtest
        if one is None or other is None:
            return self._unknown(self.challenger.unknown if one is None else self.champion.unknown)
        own, others = _in_common(one, other)
        either = len(one) + len(other) - len(own)
        if own.empty or len(own) < self.rule.min_common_share * either:
            few = _(
                "of {either} customers and dates that either scores, both score {n}; at least {share:.0%} are needed"
            )
            return self._unknown(few.format(either=either, n=len(own), share=self.rule.min_common_share))
        if len(own) == either and _same_scores(own, others):
            same = _("The recipe differs from that of version {champion} in nothing that changes scores.")
            return self._of_the_newer(same.format(champion=self.champion.version))
        return self._of_the_differences(differences(own, others, resamples=self.rule.bootstrap))

    def _of_the_differences(self, found: pd.DataFrame) -> Verdict:
        if found.empty:
            return self._unknown(_("no outcome of churn or stagnation is the same for both and varies among customers"))
        left_out = [name for target, name in _NAMES.items() if f"{target}_roc_auc" not in set(found["figure"])]
        not_compared = _("{target}: not compared, the outcomes are not the same in both backtests.")
        stable, outcome = self._stability(), _out_of_time(found)
        return self._ends(
            stable.against if outcome == "better" and stable.against is not None else outcome,
            *(_told(row, self.champion.version) for row in found.to_dict("records")),
            *(not_compared.format(target=_(name)) for name in left_out),
            stable.words,
            found=found,
        )

    def _stability(self) -> _Finding:
        """Return whether the found segments are as stable as the champion's, within the tolerance."""
        new, old, least = self.challenger.stability, self.champion.stability, self.rule.stability_tolerance
        if isnan(old):
            return _Finding(_("The champion has no found segments whose stability could drop."))
        if isnan(new):
            return _Finding(_("It has no found segments, the champion has."), "less stable")
        if new < old - least:
            dropped = _("Segments: lowest Jaccard {new:.3f} after {old:.3f}, a drop of more than {least:.3f}.")
            return _Finding(dropped.format(new=new, old=old, least=least), "less stable")
        kept = _("Segments: lowest Jaccard {new:.3f} after {old:.3f}, no drop of more than {least:.3f}.")
        return _Finding(kept.format(new=new, old=old, least=least))

    def _unknown(self, why: str) -> Verdict:
        words = _("The recipe differs from that of version {champion}, and which is better cannot be told: {why}.")
        return self._ends("not comparable", words.format(champion=self.champion.version, why=why))

    def _ends(self, outcome: Outcome, *reasons: str, found: pd.DataFrame | None = None) -> Verdict:
        """Return the verdict; its table has the stability, which has no interval, below what was found out of time."""
        new, old = self.challenger.stability, self.champion.stability
        stability = pd.DataFrame([["min_jaccard", new, old, new - old, nan, nan]], columns=COLUMNS)
        table = stability if found is None else pd.concat([found, stability], ignore_index=True)
        decision = _decision(outcome, self.challenger.version, self.champion.version, self.rule)
        return Verdict(outcome in PROMOTED and self.rule.automatic, outcome, decision, reasons, table)


def _decision(outcome: Outcome, challenger: str, champion: str, rule: PromotionConfig) -> str:
    if outcome in PROMOTED and not rule.automatic:
        words = _("Version {version} waits for a promotion by hand: promotion.automatic is off.")
    elif not champion:
        words = _("Version {version} becomes champion.")
    elif outcome in PROMOTED:
        words = _("Version {version} becomes champion in place of version {champion}.")
    else:
        words = _("Version {version} stays challenger; champion is version {champion}.")
    return words.format(version=challenger, champion=champion)


def _out_of_time(found: pd.DataFrame) -> Outcome:
    if (found["difference_high"] < 0).any():
        return "worse"
    return "better" if (found["difference_low"] > 0).any() else "not better"


def _told(row: Mapping[Any, Any], champion: str) -> str:
    """Return one difference in a sentence."""
    means = _("no clear difference")
    if row["difference_low"] > 0:
        means = _("better")
    elif row["difference_high"] < 0:
        means = _("worse")
    words = _(
        "{target}: ROC-AUC {new:.3f} against {old:.3f} of version {champion} on the same customers, {by:+.3f} "
        "[{low:+.3f}, {high:+.3f}]: {means}."
    )
    return words.format(
        target=_(_NAMES[row["figure"].removesuffix("_roc_auc")]),
        new=row["challenger"],
        old=row["champion"],
        champion=champion,
        by=row["difference"],
        low=row["difference_low"],
        high=row["difference_high"],
        means=means,
    )


def _day(contender: Contender) -> str:
    return str(contender.as_of.date())
