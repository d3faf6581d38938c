"""The list of features as a page; ``python -m segml.features.docs > docs/features.md`` writes it."""

from __future__ import annotations

from itertools import groupby

from segml.features.catalog import CATALOG
from segml.features.spec import Feature

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


def render() -> str:
    """Return the page, with the default configuration's windows."""
    sections = (_section(family, list(features)) for family, features in groupby(CATALOG, lambda f: f.family))
    return "\n".join([_HEAD, *sections])


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


if __name__ == "__main__":
    print(render(), end="")
