"""ABC: who makes the money."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pydantic import model_validator

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.cuts import lowest, told
from segml.schemes.ranking import share_above
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, PositiveFloat, Share


def abc_classes(money: ArrayLike, a_share: float = 0.80, b_share: float = 0.95) -> Labels:
    """Return A, B or C for customers, products or anything else that brings money.

    By falling money, A are those who together make the first ``a_share`` of it, B the next up to ``b_share``, C the
    rest. The one who crosses a line belongs to the better class, equals share a class, money of zero or less is C and
    takes nothing off the total. Where nobody brings any money, all are "not enough data".

    >>> abc_classes([70, 15, 11, 4, 0]).tolist()
    ['A', 'A', 'B', 'C', 'C']
    """
    before = share_above(money)
    classes = {NOT_ENOUGH_DATA: np.isnan(before), "A": before < a_share, "B": before < b_share}
    return first_match(classes, otherwise="C")


class Abc(Scheme):
    """Customers by falling net revenue of the last ``window_days``, or by margin of the last 365 days.

    Where ``a_from`` and ``b_from`` are given, the money itself decides, not its share: A and B begin there.
    """

    column = "abc"
    title = N_("ABC")
    question = N_("Which customers make the bulk of the money?")
    labels = ("A", "B", "C")
    learns = ("a_from", "b_from")

    by: Literal["revenue", "margin"] = "revenue"
    a_share: Share = 0.80
    b_share: Share = 0.95
    window_days: Positive = 365
    a_from: PositiveFloat | None = None
    b_from: PositiveFloat | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Abc:
        if self.a_share >= self.b_share:
            raise ValueError(f"a_share ({self.a_share}) must lie below b_share ({self.b_share})")
        return self

    @model_validator(mode="after")
    def _cut_points_go_together(self) -> Abc:
        if (self.a_from is None) != (self.b_from is None):
            raise ValueError("a_from and b_from go together; give both, or neither for shares of the money")
        if self.a_from is not None and self.b_from is not None and self.a_from < self.b_from:
            raise ValueError(f"b_from ({self.b_from:g}) must be at most a_from ({self.a_from:g})")
        return self

    @model_validator(mode="after")
    def _margin_has_one_window(self) -> Abc:
        if self.by == "margin" and self.window_days != 365:
            raise ValueError(f"by margin, window_days must be 365; found {self.window_days}")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Money of the window."""
        return (f"{self.by}_{self.window_days}d",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer."""
        money = known[self.requires[0]]
        if self.a_from is None or self.b_from is None:
            return abc_classes(money, self.a_share, self.b_share)
        return first_match({"A": money >= self.a_from, "B": money >= self.b_from}, otherwise="C")

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the money from which on customers are A and B."""
        money = known[self.requires[0]]
        before = share_above(money)
        if np.isnan(before).any():
            return {}
        return {"a_from": lowest(money, before < self.a_share), "b_from": lowest(money, before < self.b_share)}

    def by_shares(self) -> Abc:
        """Return the same rule for other things than customers, whose money is of another size: cut points open."""
        return self.model_copy(update=dict.fromkeys(self.learns))

    def rules(self) -> Rules:
        """Return the classes in words."""
        money = _("margin") if self.by == "margin" else _("revenue")
        if self.a_from is not None and self.b_from is not None:
            return self._cut_rules(money, told(self.a_from), told(self.b_from))
        classes = {
            "A": _("largest customers, together {a:.0%} of the {money} of the last {days} days"),
            "B": _("the next, up to {b:.0%} of the {money}"),
            "C": _("the rest, and customers without {money} in the window"),
        }
        figures = {"a": self.a_share, "b": self.b_share, "days": self.window_days, "money": money}
        return {label: text.format(**figures) for label, text in classes.items()}

    def _cut_rules(self, money: str, a_from: str, b_from: str) -> Rules:
        classes = {
            "A": _("{money} of the last {days} days of {a} and more"),
            "B": _("from {b} to below {a}"),
            "C": _("below {b}"),
        }
        figures = {"money": money, "days": self.window_days, "a": a_from, "b": b_from}
        return {label: text.format(**figures) for label, text in classes.items()}
