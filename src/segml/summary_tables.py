"""The tables by which a run is told in short: the console prints them, the description of the run shows them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml.actions.triggers import trigger_name
from segml.churn import Backtest
from segml.churn.names import name_of
from segml.language import _, ngettext, numerals
from segml.monitor import CAUSES
from segml.pipeline import Refresh, Training

UNKNOWN = "–"
TARGETS = ("churn", "stagnation")
BASELINES = ("recency", "recency_to_gap", "pareto_nbd")
IN_MONEY = {
    "revenue_at_risk": "stagnation/loss_captured_at_10",
    "run_rate": "baseline/run_rate_loss_captured_at_10",
    "p_stagnation": "baseline/p_stagnation_loss_captured_at_10",
    "perfect": "baseline/perfect_loss_captured_at_10",
}
"""Ways to rank customers, and the metric of how much of the lost revenue each reaches."""


@dataclass(frozen=True)
class TextTable:
    """A table of ready text: its first column holds names, and so do those in ``words``; the others hold figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)


def whole(value: float) -> str:
    """Return a whole number; a dash where it is unknown."""
    return UNKNOWN if math.isnan(value) else numerals(f"{value:,.0f}")


def share(value: float) -> str:
    """Return a share as a percentage; a dash where it is unknown."""
    return UNKNOWN if math.isnan(value) else numerals(f"{value:.0%}")


def measure(metrics: Mapping[str, float], key: str) -> str:
    """Return a metric with its 95 % interval, if it has one; a dash where it is unknown."""
    if key not in metrics:
        return UNKNOWN
    value, low, high = (metrics.get(f"{key}{end}", math.nan) for end in ("", "_low", "_high"))
    return _decimal(value) if math.isnan(low) else f"{_decimal(value)} [{_decimal(low)}, {_decimal(high)}]"


def moved(found: Refresh) -> TextTable:
    """Return who moved in the schemes that the page shows, by cause."""
    schemes = found.moves.schemes if found.moves is not None else {}
    rows = []
    for name in found.config.refresh.shown:
        if name in schemes:
            causes = schemes[name].by_cause.set_index("cause")["customers"]
            counts = (whole(float(causes[cause])) for cause in CAUSES)
            rows.append((name, share(schemes[name].share_kept), whole(float(schemes[name].moved)), *counts))
    head = (_("scheme"), _("stayed"), _("moved"), *(_(cause) for cause in CAUSES))
    return TextTable(_("Who moved, and what changed"), head, tuple(rows))


def tasks(found: Refresh) -> TextTable:
    """Return what each trigger asks for."""
    counts = found.tasks.counts
    rows = tuple(
        (
            trigger_name(row["trigger"]),
            *(whole(float(row[name])) for name in ("found", "issued", "cooling_down", "over_capacity")),
        )
        for row in counts[counts["found"] > 0].to_dict("records")
    )
    head = (_("trigger"), _("found"), _("issued"), _("asked lately"), _("no time"))
    return TextTable(_("What to do"), head, rows)


def headline(training: Training) -> str:
    """Return the run in one sentence: customers, those scored, and the money at risk."""
    decisions, horizon = training.decisions, training.config.horizon_days
    who = ngettext(
        "{n:,} customer on {day}, {scored:,} scored", "{n:,} customers on {day}, {scored:,} scored", len(decisions)
    )
    what = ngettext(
        "{money:,.0f} at risk over the next {n} day", "{money:,.0f} at risk over the next {n} days", horizon
    )
    scored = int(decisions["p_churn"].notna().sum())
    told = who.format(n=len(decisions), day=training.prepared.as_of.date(), scored=scored)
    return f"{told}; {what.format(money=float(decisions['revenue_at_risk'].sum()), n=horizon)}"


def lifecycle(training: Training) -> TextTable:
    """Return the stages of the lifecycle that anybody is in."""
    return _segments(training, "lifecycle", _("Lifecycle"), _("stage"))


def found_segments(training: Training) -> TextTable:
    """Return the found segments that anybody is in."""
    return _segments(training, "cluster_name", _("Found segments"), _("segment"))


def ranking(metrics: Mapping[str, float]) -> TextTable:
    """Return how well the scores rank customers, against every baseline."""
    rows = [("segml", *(measure(metrics, f"{target}/roc_auc") for target in TARGETS))]
    rows += [
        (name_of(name), *(measure(metrics, f"baseline/{name}_{target}_roc_auc") for target in TARGETS))
        for name in BASELINES
    ]
    title = _("Out of time, ROC-AUC [95 % interval]")
    return TextTable(title, ("", _("churn"), _("stagnation")), tuple(rows), words=(0, 1, 2))


def money(metrics: Mapping[str, float]) -> TextTable:
    """Return which share of the lost revenue the first tenth of each ranking reaches."""
    rows = tuple((name_of(name), measure(metrics, key)) for name, key in IN_MONEY.items() if key in metrics)
    title = _("Share of the lost revenue in the first tenth [95 % interval]")
    return TextTable(title, (_("ranked by"), _("reached")), rows, words=(0, 1))


def by_date(found: Backtest) -> TextTable:
    """Return base rates and areas under the curve at each test date."""
    columns = (_("date"), _("customers"), _("churn rate"), "ROC-AUC", _("stagnation rate"), "ROC-AUC")
    rows = (_of_date(row) for row in found.by_date.to_dict("records"))
    return TextTable(_("By test date"), columns, tuple(rows))


def calls(training: Training, most: int) -> TextTable:
    """Return the customers to call first, and why."""
    listed = training.call_list()
    rows = (
        (str(row["customer_id"]), whole(row["revenue_at_risk"]), str(row["reasons"]))
        for row in listed.head(most).to_dict("records")
    )
    title = _("Call first (of {n:,})").format(n=len(listed))
    return TextTable(title, (_("customer"), _("at risk"), _("why")), tuple(rows), words=(0, 2))


def _segments(training: Training, scheme: str, title: str, first: str) -> TextTable:
    profiles = training.profiles
    shown = profiles[(profiles["scheme"] == scheme) & (profiles["customers"] > 0)]
    columns = (first, _("customers"), _("revenue share"), _("at risk"))
    return TextTable(title, columns, tuple(_of_segment(row) for row in shown.to_dict("records")))


def _of_segment(row: Mapping[Any, Any]) -> tuple[str, ...]:
    at_risk = row["revenue_at_risk"]
    shown = UNKNOWN if pd.isna(at_risk) or not at_risk else whole(at_risk)
    return str(row["segment"]), whole(row["customers"]), share(row["revenue_share"]), shown


def _of_date(row: Mapping[Any, Any]) -> tuple[str, ...]:
    figures = (
        text for target in TARGETS for text in (share(row[f"{target}_rate"]), _decimal(row[f"{target}_roc_auc"]))
    )
    return str(row["as_of"].date()), whole(row["customers"]), *figures


def _decimal(value: float) -> str:
    return UNKNOWN if math.isnan(value) else numerals(f"{value:.3f}")
