"""Whether the model still holds: the verdict, how earlier scores proved, and what drifted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.display import Grid
from segml.features import catalog
from segml.language import N_, NO_BREAK, _
from segml.monitor import Matured, lasting
from segml.monitor.drift import told
from segml.monitor.matured import FIGURES
from segml.pipeline import Refresh
from segml.report.pictures import picture
from segml.report.refreshed.part import Part
from segml.report.words import NOTHING, decimal, interval, number, readable

DRIFT_ROWS = 12
ABOUT = {
    "ranking": N_("ranking"),
    "calibration": N_("probabilities"),
    "clusters": N_("found segments"),
    "drift": N_("drift"),
    "age": N_("age"),
    "data": N_("data"),
}
FINDINGS = {
    "keep": N_("keep"),
    "recalibrate": N_("recalibrate"),
    "retrain": N_("retrain"),
    "cannot tell": N_("cannot tell"),
    "look": N_("have a look"),
}
TARGETS = {"churn": N_("Churn"), "stagnation": N_("Stagnation")}


def model(refresh: Refresh) -> Part:
    """Return the part of the page that is about the model."""
    verdict = refresh.verdict
    checks = tuple((_(ABOUT[check.about]), _(FINDINGS[check.finding]), check.words) for check in verdict.checks)
    return Part(
        "model",
        _("Does the model hold?"),
        lead=_lead(refresh),
        alarms=(verdict.headline,) if verdict.decision != "keep" else (),
        tables=(Grid(_("What was looked at"), (_("about"), _("speaks for"), _("because")), checks, words=(0, 1, 2)),),
        parts=tuple(part for part in (_proved(refresh.watch.matured), _drifted(refresh)) if not part.is_empty),
    )


def _lead(refresh: Refresh) -> tuple[str, ...]:
    if refresh.recalibrated is not None:
        return (
            _(
                "The model at the level of what came lies beside this page, in the folder recalibrated; {share:.0%} of "
                "the error was taken away. Who ranks first stays first. Whether it is used is for a person to decide."
            ).format(share=refresh.config.monitor.recalibration_share),
        )
    return (refresh.verdict.headline,) if refresh.verdict.decision == "keep" else ()


def _proved(matured: Matured | None) -> Part:
    title = _("How earlier scores proved")
    if matured is None or matured.table.empty:
        return Part("proved", title)
    dates = matured.table["as_of"]
    lead = _("Scores of {first} to {last}: {n:,} rows, compared with what the training promised out of time.")
    rows = tuple(
        (
            f"{_(TARGETS[row['target']])}: {_(FIGURES[row['figure']])}",
            decimal(row["value"], 3),
            interval(row["value_low"], row["value_high"], 3),
            decimal(row["promised"], 3),
            decimal(row["difference"], 3),
        )
        for row in matured.figures.to_dict("records")
    )
    columns = (_("measure"), _("proved"), _("95 % interval"), _("promised"), _("difference"))
    pictures = [
        picture(
            f"proved-{target}",
            _("{target}: predicted share against what came; the numbers count customers.").format(target=_(name)),
            partial(plots.plot_reliability, part),
        )
        for target, name in TARGETS.items()
        if len(part := matured.reliability[matured.reliability["target"] == target])
    ]
    return Part(
        "proved",
        title,
        lead=(lead.format(first=dates.min().date(), last=dates.max().date(), n=len(dates)),),
        pictures=tuple(pictures),
        tables=(Grid(_("Out of time"), columns, rows),),
    )


def _drifted(refresh: Refresh) -> Part:
    found = refresh.watch.drift
    title = _("Drift of what the scores rest on")
    if found.empty:
        return Part("drift", title)
    return Part(
        "drift",
        title,
        lead=told(found),
        tables=(_drift_table(found, _meanings(refresh)),),
        notes=(
            _(
                "Stable, moderate, large: by the population stability index, where it exceeds both its bound and what "
                "chance gives 95 % of the time. A season shows against the last refresh, and not against last year."
            ),
        ),
    )


def _drift_table(found: pd.DataFrame, meanings: Mapping[str, str]) -> Grid:
    references = list(dict.fromkeys(found["reference"]))
    furthest = lasting(found)["feature"].head(DRIFT_ROWS).tolist()
    cells = {(row["feature"], row["reference"]): _cell(row) for row in found.to_dict("records")}
    rows = tuple(
        (readable(name), meanings.get(name, ""), *(cells.get((name, ref), NOTHING) for ref in references))
        for name in furthest
    )
    beyond = found["feature"].nunique() - len(rows)
    return Grid(
        _("Furthest from where they were: stability index, band, median then and now"),
        (_("feature or score"), _("what it is"), *(_(reference) for reference in references)),
        rows,
        words=tuple(range(len(references) + 2)),
        more=_("{n} more are in drift.csv").format(n=beyond) if beyond else "",
    )


def _meanings(refresh: Refresh) -> dict[str, str]:
    """Return what each feature is; what is said of missing values is left out."""
    return {feature.name: _(feature.meaning).partition(";")[0] for feature in catalog(refresh.config.features)}


def _cell(row: Mapping[Any, Any]) -> str:
    told = f"{decimal(row['psi'], 2)} {_(row['band'])}"
    if pd.isna(row["median_then"]):
        return told
    return f"{told}, {_medians(row['median_then'], row['median_now'])}"


def _medians(then: float, now: float) -> str:
    """Return two medians, written alike: as the larger of them reads best."""
    largest = max(abs(then), abs(now))
    if largest >= 100 or (then.is_integer() and now.is_integer()):
        written = number(then), number(now)
    else:
        digits = 1 if largest >= 10 else 2
        written = decimal(then, digits), decimal(now, digits)
    return f"{NO_BREAK}→{NO_BREAK}".join(written)
