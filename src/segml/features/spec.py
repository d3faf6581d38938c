"""What a feature is: its name, unit and meaning, and the expression that computes it, in one place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

Grain = Literal["total", "batch", "order", "last", "day", "product", "category", "customer"]
"""What one row of the table is that a formula sees, at each as-of date; ``segml.features.grains`` makes them.

``customer`` is the frame of all that was computed before, one row a customer and as-of date (pandas). The others are
Ibis tables: of ``total``, one row a customer and date too, the formula is a column; of the rest, an aggregate over a
customer's rows.
"""

Group = Literal[
    "rhythm",
    "silence",
    "tenure",
    "order value",
    "revenue level",
    "revenue trend",
    "season",
    "margin",
    "assortment",
    "renewal of assortment",
    "order size",
    "returns",
    "description",
]
"""The readable groups that reasons in words speak of; ``description`` holds no model input."""

Formula = Callable[[Any], Any]


@dataclass(frozen=True)
class Ingredient:
    """A column that features are made of, and nobody sees."""

    name: str
    grain: Grain = field(kw_only=True)
    formula: Formula = field(kw_only=True, repr=False, compare=False)


@dataclass(frozen=True)
class Feature:
    """One feature: what people read about it, and how it is computed.

    Attributes
    ----------
    name : the column, with its unit or window in it
    family : the file that defines it
    unit : days, money, share, …
    meaning : one line; says when it is NaN (unknown)
    group : what reasons in words call it
    is_model_input : False for what people are told, but no model reads
    source : what has to be given for it beyond customers, dates and amounts, as a hint for people; "" for nothing
    """

    name: str
    family: str
    unit: str
    meaning: str
    group: Group
    is_model_input: bool = True
    source: str = ""
    grain: Grain = field(kw_only=True)
    formula: Formula = field(kw_only=True, repr=False, compare=False)


@dataclass(frozen=True)
class Described:
    """A column beside the features that tells what a customer is like; its fields are those of ``Feature``."""

    name: str
    family: str
    unit: str
    meaning: str
    source: str = ""
    group: Group = "description"
    is_model_input: bool = False


Definition = Feature | Ingredient
