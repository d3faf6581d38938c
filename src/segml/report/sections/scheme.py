"""One scheme as the report shows it: its segments as rows, and how large they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.language import _
from segml.report.pictures import Picture, picture
from segml.report.tables import records

TEXTS = ("typical_category", "typical_size", "typical_region", "rule", "differences", "strategy")


@dataclass(frozen=True)
class SchemeSection:
    """One scheme: what it asks, its segments, its pictures; ``missing`` says why there are none.

    ``is_open`` tells what is shown at once; the other schemes unfold on a click.
    """

    name: str
    title: str
    question: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    cautions: Sequence[str] = ()
    missing: str = ""
    is_open: bool = True

    @property
    def has_margin(self) -> bool:
        """Whether the margin of any segment is known."""
        return any(not math.isnan(row["margin_rate"]) for row in self.rows)


def scheme_rows(profiles: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one row a segment; ``words`` is what there is to say about it beside the figures."""
    return [{**row, "words": _said(row)} for row in records(profiles.fillna(dict.fromkeys(TEXTS, "")))]


def _said(row: dict[str, Any]) -> list[str]:
    typical = ", ".join(filter(None, (row["typical_category"], row["typical_size"], row["typical_region"])))
    mostly = _("mostly {values}").format(values=typical) if typical else ""
    suggested = _("suggested: {strategy}").format(strategy=row["strategy"]) if row["strategy"] else ""
    return list(filter(None, (row["rule"], row["differences"], mostly, suggested)))


def sizes(name: str, title: str, profiles: pd.DataFrame) -> Picture:
    """Return the picture of each segment's share of customers and of revenue."""
    return picture(
        f"sizes-{name}",
        _("{scheme}: share of customers and of revenue of each segment.").format(scheme=title),
        partial(plots.plot_segments, profiles.assign(segment=profiles["name"]).fillna({"revenue_share": 0.0})),
        height=0.42 * len(profiles) + 0.45,
    )
