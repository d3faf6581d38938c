"""How good the scores are, told against every baseline."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from segml import plots
from segml.churn.names import name_of
from segml.churn.risk import band_rates
from segml.language import N_, _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.tables import records, with_perfect
from segml.report.words import decimal, interval, share

OUTCOMES = {"churn": "churned", "stagnation": "stagnated"}
TITLES = {"churn": N_("Churn"), "stagnation": N_("Stagnation")}
COIN = 0.5
TENTH = 0.1
MONEY = ("revenue_at_risk", "run_rate", "p_stagnation", "perfect")
QUALITY = {
    "average_precision": (
        N_("average precision"),
        N_("1 is perfect; chance is the share of those it happens to"),
    ),
    "brier": (N_("Brier score"), N_("squared error of the probability; lower is better")),
    "ece": (N_("calibration error"), N_("mean distance of probabilities from what happened; lower is better")),
    "lift_at_10": (N_("lift in the first tenth"), N_("times as many as a random tenth holds")),
    "loss_captured_at_10": (
        N_("lost revenue in the first tenth"),
        N_("share of it, ranked by probability × run rate"),
    ),
}
CALIBRATION = {
    "churn": N_("Calibration of churn: predicted share against what happened; the numbers count customers."),
    "stagnation": N_("Calibration of stagnation: predicted share against what happened; the numbers count customers."),
}
GAINS = {
    "churn": N_("Share of all cases of churn that is found when customers are called in each order."),
    "stagnation": N_("Share of all cases of stagnation that is found when customers are called in each order."),
}


CALLED = {
    "churn": N_(
        "Calls of churn, with an error of {error} allowed: out of time {cases} of those who left had not been called "
        "safe, and {others} of those who stayed had not been called to leave; {called} of all were called either."
    ),
    "stagnation": N_(
        "Calls of stagnation, with an error of {error} allowed: out of time {cases} of those who stagnated had not "
        "been called safe, and {others} of the others had not been called to stagnate; {called} of all were called "
        "either."
    ),
}


class Measure(NamedTuple):
    """A metric with the ends of its 95 % interval; NaN where unknown."""

    value: float
    low: float
    high: float


def risk(content: ReportContent) -> dict[str, Any]:
    """Return tables, sentences and pictures; ``missing`` says why there are none."""
    measured = [target for target in OUTCOMES if f"{target}/roc_auc" in content.metrics]
    if not measured:
        return {"missing": _("The scores could not be checked against the past; see the notices.")}
    return {
        "missing": "",
        "verdicts": {_(TITLES[target]): verdict(content.metrics, target) for target in measured},
        "ranking": _ranking(content.metrics),
        "quality": _quality(content.metrics),
        "calls": _calls(content),
        "bands": _bands(content),
        "pictures": [*_calibration(content), *_gains(content), *_money(content)],
    }


def verdict(metrics: Mapping[str, float], target: str) -> str:
    """Say in words whether the model beats the best baseline at ranking customers, or only seems to."""
    own, rivals = _measure(metrics, f"{target}/roc_auc"), _baselines(metrics, target)
    if not rivals:
        lonely = _("No baseline was computed; nothing tells how hard-won the model's {area} is.")
        return lonely.format(area=decimal(own.value, 3))
    name = max(rivals, key=lambda rival: rivals[rival].value)
    lead = metrics.get(f"{target}/roc_auc_minus_{name}_low", own.low - rivals[name].value)
    figures = {"own": decimal(own.value, 3), "best": decimal(rivals[name].value, 3), "name": name_of(name)}
    told = _ahead_or_not(own.value - rivals[name].value, lead).format(**figures)
    doubt = _("It can hardly be told from a coin toss.")
    return f"{told} {doubt}" if own.low <= COIN else told


def _ahead_or_not(distance: float, lead: float) -> str:
    if distance <= 0:
        return _(
            "The baseline “{name}” ranks at least as well as the model ({own} against {best}): the model adds nothing."
        )
    if lead > 0:
        return _("The model is ahead of every baseline. The best of them is “{name}” ({own} against {best}).")
    return _("The model is ahead of “{name}” ({own} against {best}), but within the margin of error: it may be luck.")


def _measure(metrics: Mapping[str, float], name: str) -> Measure:
    return Measure(*(metrics.get(f"{name}{end}", math.nan) for end in ("", "_low", "_high")))


def _baselines(metrics: Mapping[str, float], target: str) -> dict[str, Measure]:
    found = (re.fullmatch(rf"baseline/(\w+)_{target}_roc_auc", name) for name in metrics)
    return {match[1]: _measure(metrics, match[0]) for match in found if match}


def _ranking(metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row a contender: the model first, then the baselines, best first; a cell a target."""
    baselines = {target: _baselines(metrics, target) for target in OUTCOMES}
    nothing = Measure(math.nan, math.nan, math.nan)
    names = sorted({name for found in baselines.values() for name in found})
    names.sort(key=lambda name: -max(found.get(name, nothing).value for found in baselines.values()))
    rows = {name_of("model"): [_measure(metrics, f"{target}/roc_auc") for target in OUTCOMES]}
    rows |= {name_of(name): [found.get(name, nothing) for found in baselines.values()] for name in names}
    return [{"name": name, "cells": [_cell(measure, 3) for measure in row]} for name, row in rows.items()]


def _quality(metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return one row a further metric of the model."""
    return [
        {
            "name": _(words),
            "note": _(note),
            "cells": [_cell(_measure(metrics, f"{target}/{name}"), 1 if "lift" in name else 3) for target in OUTCOMES],
        }
        for name, (words, note) in QUALITY.items()
        if any(f"{target}/{name}" in metrics for target in OUTCOMES)
    ]


def _cell(measure: Measure, digits: int) -> dict[str, str]:
    return {"value": decimal(measure.value, digits), "interval": interval(measure.low, measure.high, digits)}


def _calls(content: ReportContent) -> list[str]:
    """Return a sentence a target on how the calls held, where they were asked for and checked."""
    error, metrics = content.config.churn.conformal_error, content.metrics
    return [
        _(told).format(
            error=share(math.nan if error is None else error),
            cases=share(metrics[f"conformal/{target}_coverage_cases"]),
            others=share(metrics[f"conformal/{target}_coverage_others"]),
            called=share(metrics[f"conformal/{target}_called_will"] + metrics[f"conformal/{target}_called_safe"]),
        )
        for target, told in CALLED.items()
        if f"conformal/{target}_coverage_cases" in metrics and f"conformal/{target}_coverage_others" in metrics
    ]


def _bands(content: ReportContent) -> list[dict[str, Any]]:
    if content.backtest is None or content.backtest.empty:
        return []
    rates = band_rates(content.backtest, content.config.churn.risk_bands)
    return records(rates.assign(band=rates["band"].map(_), range=_ranges(rates["p_from"], rates["p_below"])))


def _ranges(starts: pd.Series[float], ends: pd.Series[float]) -> list[str]:
    between = [
        _("{low} to {high}").format(low=share(start), high=share(end)) for start, end in zip(starts, ends, strict=True)
    ]
    lowest = _("under {share}").format(share=share(ends.iloc[0]))
    return [lowest, *between[1:-1], _("{share} and more").format(share=share(starts.iloc[-1]))]


def _calibration(content: ReportContent) -> list[Picture]:
    if content.reliability is None:
        return []
    parts = {target: content.reliability[content.reliability["target"] == target] for target in OUTCOMES}
    return [
        picture(
            f"calibration-{target}",
            _(CALIBRATION[target]),
            partial(plots.plot_reliability, part),
        )
        for target, part in parts.items()
        if not part.empty
    ]


def _gains(content: ReportContent) -> list[Picture]:
    if content.gains is None:
        return []
    parts = {target: content.gains[content.gains["target"] == target] for target in OUTCOMES}
    return [
        picture(
            f"gains-{target}",
            _(GAINS[target]),
            partial(plots.plot_gains, with_perfect(part, _rate(content, target))),
        )
        for target, part in parts.items()
        if not part.empty
    ]


def _rate(content: ReportContent, target: str) -> float:
    return 0.0 if content.backtest is None else float(content.backtest[OUTCOMES[target]].mean())


def _money(content: ReportContent) -> list[Picture]:
    if content.gains is None:
        return []
    gains = content.gains[(content.gains["target"] == "loss") & content.gains["strategy"].isin(MONEY)]
    if gains.empty:
        return []
    tenth = gains[gains["share_of_customers"].round(6) == TENTH].set_index("strategy")["share_captured"]
    reached = ", ".join(f"{name_of(name)} {share(tenth[name])}" for name in MONEY if name in tenth)
    caption = _(
        "Lost revenue that is reached when customers are called in each order. With the first tenth: {reached}."
    )
    return [picture("money", caption.format(reached=reached), partial(plots.plot_money, gains))]
