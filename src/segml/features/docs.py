"""The list of features as a page; ``python -m segml.features.docs > docs/features.md`` writes it."""

from __future__ import annotations

from itertools import groupby

from segml.features.catalog import CATALOG, described
from segml.features.spec import Described, Feature

_HEAD = """\
# Features

One row a customer and as-of date, from order lines strictly before it; customers without a purchase before it have
none. This page is written by `python -m segml.features.docs > docs/features.md`.

- A *purchase line* has a positive amount, a *return line* a negative one. An *order* has at least one purchase line; a
  *purchase day* is a calendar day with at least one.
- *Revenue* is net: returns subtract. What says "before returns" counts purchase lines only.
- A line that was cancelled counts up to the moment of its cancellation, and never after.
- "The last 90 days" are the 90 × 24 hours up to the as-of date, its first moment included, the as-of date not. A
  *month* is 30 days, counted back from the as-of date.
- A ratio is NaN (unknown) where its denominator is zero or negative.
- *Input* tells whether the models read the feature; *group* is what the reasons of a score call it.
"""
_DESCRIBED_HEAD = """\
# Described columns

What customers are like, beside the features; no model reads these. All are there in every table; they are unknown
where what they *need* was not given. Columns of a survey (`data.survey_columns`) follow them under their own names.
"""


def render() -> str:
    """Return the page, with the default configuration's windows."""
    sections = (_section(family, list(features)) for family, features in groupby(CATALOG, lambda f: f.family))
    beside = (_described(family, list(columns)) for family, columns in groupby(described(), lambda d: d.family))
    return "\n".join([_HEAD, *sections, _DESCRIBED_HEAD, *beside])


def _section(family: str, features: list[Feature]) -> str:
    head = [
        f"## {family.capitalize()}",
        "",
        "| feature | unit | meaning | group | input |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(_row(feature) for feature in features), ""])


def _row(feature: Feature) -> str:
    is_input = "yes" if feature.is_model_input else "no"
    return f"| `{feature.name}` | {feature.unit} | {feature.meaning} | {feature.group} | {is_input} |"


def _described(family: str, columns: list[Described]) -> str:
    head = [f"## {family.capitalize()}", "", "| column | unit | meaning | needs |", "| --- | --- | --- | --- |"]
    rows = [f"| `{column.name}` | {column.unit} | {column.meaning} | {column.source} |" for column in columns]
    return "\n".join([*head, *rows, ""])


if __name__ == "__main__":
    print(render(), end="")
