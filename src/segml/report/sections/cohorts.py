"""Cohorts: who stayed, and what they brought."""

from __future__ import annotations

from functools import partial

from segml import plots
from segml.language import _
from segml.plots.cohorts import CohortValue
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture


def cohorts(content: ReportContent) -> list[Picture]:
    """Return heat maps of retention and revenue by cohort and age; none where there are no two cohorts to compare."""
    table = content.cohorts
    if table is None or table["cohort"].nunique() < 2 or table["age"].nunique() < 2:
        return []
    shape = {"width": 2.0 + 0.5 * table["age"].nunique(), "height": 0.8 + 0.3 * table["cohort"].nunique()}
    captions: dict[CohortValue, str] = {
        "retention": _("Share of each cohort that bought in each period after its first purchase."),
        "revenue_per_customer": _("Revenue of each period per customer of the cohort, those who left included."),
    }
    return [
        picture(f"cohorts-{value}", caption, partial(plots.plot_cohorts, table, value=value), **shape)
        for value, caption in captions.items()
    ]
