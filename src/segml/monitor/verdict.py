"""Keep, recalibrate or retrain, and why: what a refresh advises about the model in use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isnan, nan
from typing import Any, Literal

import pandas as pd
from scipy.stats import norm

from segml.clusters.identity import Refit
from segml.config import MonitorConfig
from segml.language import N_, _, ngettext
from segml.monitor.drift import lasting, share_drifted
from segml.monitor.matured import Matured

Decision = Literal["keep", "recalibrate", "retrain"]
Finding = Literal["keep", "recalibrate", "retrain", "cannot tell", "look"]

RETRAIN_ADVISED = 10
"""Exit code for schedulers."""

_WIDER = float(norm.ppf(1 - 0.05 / 8) / norm.ppf(1 - 0.05 / 2))
"""Ranking and calibration of two targets are four chances of a false alarm: each may take a quarter of 5 %."""

TARGETS = {"churn": N_("Churn"), "stagnation": N_("Stagnation")}
_DECISIONS = {
    "keep": N_("Keep the model."),
    "recalibrate": N_("Recalibrate: the model ranks as promised, but its probabilities are off."),
    "retrain": N_("Retrain the model."),
}


@dataclass(frozen=True)
class Check:
    """What one part of the watch found.

    Attributes
    ----------
    about : ranking, calibration, clusters, drift, age or data
    finding : what it speaks for; that it cannot tell; or that somebody should look, whatever the decision
    words : in a sentence
    """

    about: str
    finding: Finding
    words: str


@dataclass(frozen=True)
class Verdict:
    """What to do about the model, and why.

    Attributes
    ----------
    decision : keep, recalibrate or retrain
    checks : all that was looked at, in order
    """

    decision: Decision
    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """10 where retraining is advised, else 0."""
        return RETRAIN_ADVISED if self.decision == "retrain" else 0

    @property
    def headline(self) -> str:
        """The verdict in a sentence, in the language spoken."""
        return _(_DECISIONS[self.decision])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, in sentences: what speaks for the decision."""
        return tuple(check.words for check in self.checks if check.finding == self.decision)

    @property
    def unknown(self) -> tuple[str, ...]:
        """What cannot be told, in sentences."""
        return tuple(check.words for check in self.checks if check.finding == "cannot tell")

    @property
    def cautions(self) -> tuple[str, ...]:
        """What to look at before anything is done, in sentences: a model learns the faults of its data."""
        return tuple(check.words for check in self.checks if check.finding == "look")

    def table(self) -> pd.DataFrame:
        """Return one row a check: ``about``, ``finding``, ``words``."""
        rows = [(check.about, check.finding, check.words) for check in self.checks]
        return pd.DataFrame(rows, columns=["about", "finding", "words"])

    def summary(self) -> dict[str, object]:
        """Return the verdict as plain values."""
        return {
            "decision": self.decision,
            "headline": self.headline,
            "exit_code": self.exit_code,
            "reasons": list(self.reasons),
            "unknown": list(self.unknown),
            "cautions": list(self.cautions),
            "checks": self.table().to_dict("records"),
        }


def verdict(
    *,
    matured: Matured | None = None,
    drift: pd.DataFrame | None = None,
    refit: Refit | None = None,
    age_days: float = nan,
    data_alarms: Iterable[str] = (),
    config: MonitorConfig | None = None,
) -> Verdict:
    """Return what to do about the model in use.

    Retrain: it ranks significantly worse than its backtest promised, and worse than at any of its test dates; or the
    found segments no longer fit; or features on which much of the score rests drifted far against every reference; or
    it is too old. Recalibrate: none of these, and significantly more or fewer cases came than expected. Keep: neither,
    as far as can be told. What is not given cannot be told, and is said to be so. Where nothing is wrong, ranking and
    calibration together alarm in about one refresh of twenty.

    Parameters
    ----------
    matured : earlier scores of this model whose horizon is over
    drift : of the model's inputs, over the scored customers, with their importance; see ``drift.drift``
    refit : of the found segments on the customers of today; None: there are none, or they were not refitted
    age_days : of the model, from the moment it looks back from
    data_alarms : what is wrong with the data, in sentences, such as ``quality.Quality.alarms``; it changes no decision
    config : bounds; default ``MonitorConfig()``
    """
    rule = config if config is not None else MonitorConfig()
    alarms = (Check("data", "look", words) for words in data_alarms)
    checks = (*_performance(matured, rule), _clusters(refit), _drifted(drift, rule), _age(age_days, rule), *alarms)
    return Verdict(_decision(checks), checks)


def _decision(checks: Iterable[Check]) -> Decision:
    found = {check.finding for check in checks}
    if "retrain" in found:
        return "retrain"
    return "recalibrate" if "recalibrate" in found else "keep"


def _performance(matured: Matured | None, rule: MonitorConfig) -> Iterable[Check]:
    if matured is None or matured.table.empty:
        none = _("No earlier score has matured: how good the model proves cannot be told yet.")
        yield Check("ranking", "cannot tell", none)
        yield Check("calibration", "cannot tell", none)
        return
    for target in TARGETS:
        if matured.cases(target) < rule.min_cases:
            yield Check("ranking", "cannot tell", _too_few(matured, target, rule))
        else:
            yield _ranking(matured, target, rule)
            yield _calibration(matured, target, rule)


def _too_few(matured: Matured, target: str, rule: MonitorConfig) -> str:
    few = ngettext(
        "{target}: {n} matured case of the rarer outcome, at least {least} are needed (monitor.min_cases); its scores "
        "cannot be judged.",
        "{target}: {n} matured cases of the rarer outcome, at least {least} are needed (monitor.min_cases); its scores "
        "cannot be judged.",
        matured.cases(target),
    )
    return few.format(target=_(TARGETS[target]), n=matured.cases(target), least=rule.min_cases)


def _ranking(matured: Matured, target: str, rule: MonitorConfig) -> Check:
    """Judge the area under the curve: a drop counts beyond chance, beyond the tolerance and below every test date."""
    area = matured.row(target, "roc_auc")
    told = {"target": _(TARGETS[target]), "now": area["value"]}
    if isnan(area["difference"]):
        alone = _("{target}: ROC-AUC {now:.3f} on matured scores; there is no promise to compare it with.")
        return Check("ranking", "cannot tell", alone.format(**told))
    told |= {name: area[name] for name in ("promised", "difference", "difference_low", "difference_high")}
    is_worse = (
        _ends(area, "difference")[1] < 0
        and area["difference"] < -rule.auc_tolerance
        and area["value"] < area["promised_worst"]
    )
    if is_worse:
        words = _(
            "{target}: ranks worse than promised, ROC-AUC {now:.3f} after {promised:.3f}, {difference:+.3f} "
            "[{difference_low:+.3f}, {difference_high:+.3f}]."
        )
    else:
        words = _(
            "{target}: ranks no worse than promised, ROC-AUC {now:.3f} after {promised:.3f}, {difference:+.3f} "
            "[{difference_low:+.3f}, {difference_high:+.3f}]."
        )
    return Check("ranking", "retrain" if is_worse else "keep", words.format(**told))


def _calibration(matured: Matured, target: str, rule: MonitorConfig) -> Check:
    """Judge the level: cases off what was expected beyond chance, and beyond the tolerance either way."""
    level = matured.row(target, "observed_to_expected")
    low, high = 1 / (1 + rule.calibration_tolerance), 1 + rule.calibration_tolerance
    surely_low, surely_high = _ends(level, "value")
    is_off = surely_low > 1 or surely_high < 1
    is_far = not low <= level["value"] <= high
    told = {
        "target": _(TARGETS[target]),
        "observed": matured.row(target, "observed")["value"],
        "expected": matured.row(target, "expected")["value"],
        **{name: level[name] for name in ("value", "value_low", "value_high")},
    }
    if is_off and is_far:
        words = _(
            "{target}: probabilities are off: {observed:.1%} happened, {expected:.1%} were expected, {value:.2f} times "
            "as many [{value_low:.2f}, {value_high:.2f}]."
        )
    else:
        words = _(
            "{target}: probabilities hold: {observed:.1%} happened, {expected:.1%} were expected, {value:.2f} times "
            "as many [{value_low:.2f}, {value_high:.2f}]."
        )
    return Check("calibration", "recalibrate" if is_off and is_far else "keep", words.format(**told))


def _ends(row: Mapping[Any, Any], name: str) -> tuple[float, float]:
    """Return a figure's 95 % interval, widened for the number of figures that are looked at."""
    value = row[name]
    return value - _WIDER * (value - row[f"{name}_low"]), value + _WIDER * (row[f"{name}_high"] - value)


def _clusters(refit: Refit | None) -> Check:
    if refit is None:
        return Check("clusters", "cannot tell", _("Whether the found segments still fit was not looked at."))
    return Check("clusters", "keep" if refit.still_fits else "retrain", refit.verdict)


def _drifted(drift: pd.DataFrame | None, rule: MonitorConfig) -> Check:
    if drift is None or drift.empty:
        return Check("drift", "cannot tell", _("There is no earlier base to tell a drift of the features from."))
    mildest = lasting(drift)
    share = share_drifted(mildest)
    if isnan(share):
        unknown = _(
            "How much the scores rest on each feature is not known, so whether the drift matters cannot be told."
        )
        return Check("drift", "cannot tell", unknown)
    names = ", ".join(mildest.loc[mildest["band"] == "large", "feature"].head(3))
    told = {"share": share, "bound": rule.drift_share, "names": names}
    if share >= rule.drift_share and names:
        words = _(
            "Features that carry {share:.0%} of the score drifted far against every reference, {bound:.0%} or more is "
            "too much: {names}."
        )
        return Check("drift", "retrain", words.format(**told))
    if not names:
        return Check("drift", "keep", _("No feature drifted far against every reference."))
    words = _("Features that drifted far against every reference carry {share:.0%} of the score: {names}.")
    return Check("drift", "keep", words.format(**told))


def _age(age_days: float, rule: MonitorConfig) -> Check:
    if isnan(age_days):
        return Check("age", "cannot tell", _("The age of the model is not known."))
    told = {"n": round(age_days), "most": rule.max_age_days}
    if age_days >= rule.max_age_days:
        old = ngettext(
            "The model is {n} day old, {most} or more is too old (monitor.max_age_days).",
            "The model is {n} days old, {most} or more is too old (monitor.max_age_days).",
            told["n"],
        )
        return Check("age", "retrain", old.format(**told))
    young = ngettext("The model is {n} day old.", "The model is {n} days old.", told["n"])
    return Check("age", "keep", young.format(**told))
