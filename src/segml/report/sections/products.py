"""Products by money and steadiness."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.language import _
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.tables import cells, records
from segml.report.words import number, share
from segml.schema import NOT_ENOUGH_DATA

ROWS = 10


@dataclass(frozen=True)
class ProductsSection:
    """The largest products, and the matrix of all; empty where no products are known."""

    summary: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


def products(content: ReportContent) -> ProductsSection:
    """Return the largest products with their classes, and the nine-cell matrix."""
    table = content.products
    if table is None or table.empty:
        return ProductsSection()
    known = table.astype({"abc": "str", "xyz": "str", "category": "str"})
    rows = known.head(ROWS).assign(label=known["abc"] + known["xyz"].where(known["xyz"] != NOT_ENOUGH_DATA, ""))
    return ProductsSection(_summary(known), records(rows.fillna({"category": ""})), _matrix(known))


def _summary(known: pd.DataFrame) -> str:
    largest = known[known["abc"] == "A"]
    total = known["revenue_365d"].sum()
    text = _("{count} of {all} products are class A and bring {share} of the revenue of the last 365 days.")
    held = share(largest["revenue_365d"].sum() / total) if total > 0 else share(float("nan"))
    return text.format(count=number(len(largest)), all=number(len(known)), share=held)


def _matrix(known: pd.DataFrame) -> list[Picture]:
    classed = known[(known[["abc", "xyz"]] != NOT_ENOUGH_DATA).all(axis=1)]
    if classed.empty:
        return []
    caption = _("Products by ABC × XYZ: how many, and their share of revenue; A is large, X is steady.")
    draw = partial(plots.plot_abc_xyz, cells(classed, "abc", "xyz"))
    return [picture("products-abc-xyz", caption, draw, height=2.4)]
