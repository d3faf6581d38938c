"""Schemes that the configuration makes up: their names, and what people call them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator

from segml.schemes.scheme import Scheme
from segml.settings import Section

RESERVED = frozenset(
    {
        "customer_id",
        "as_of",
        "rfm_cell",
        "cluster",
        "cluster_name",
        "p_churn",
        "p_stagnation",
        "risk_band",
        "churn_call",
        "stagnation_call",
        "run_rate",
        "revenue_at_risk",
        "reasons",
        "next_order_expected",
        "next_order_from",
        "next_order_to",
        "expected_profit",
        "action",
    }
)
"""Columns of decisions beside those of the built-in schemes."""


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", name):
        raise ValueError(
            f"{name!r} is to be a column: up to 63 lower-case letters, digits and underscores, a letter first, such as "
            "win_back_value"
        )
    return name


ColumnName = Annotated[str, AfterValidator(_checked_name)]


class NamedSection(Section):
    """What people call a scheme of the configuration; by default, its name in words."""

    title: str = ""
    question: str = ""


class Named(Scheme):
    """A scheme whose labels stand in the column ``key``."""

    key: ColumnName
    given: NamedSection

    @property
    def name(self) -> str:
        """The column of the labels."""
        return self.key

    # Built-in schemes know their title when the class is written, these when the configuration is read.

    @property
    def title(self) -> str:  # type: ignore[override]
        """The title given, else the name in words."""
        return self.given.title or self.key.replace("_", " ").capitalize()

    @property
    def question(self) -> str:  # type: ignore[override]
        """The question given, else the title."""
        return self.given.question or self.title


def check_order(schemes: Sequence[Scheme], taken: Iterable[str]) -> None:
    """Raise ``ValueError`` where a scheme has a name that is taken, or reads one that is applied after it.

    Parameters
    ----------
    schemes : the schemes of the configuration, in the order in which they are applied
    taken : names of the built-in schemes
    """
    names = [scheme.name for scheme in schemes]
    not_free = RESERVED.union(taken)
    for place, scheme in enumerate(schemes):
        if scheme.name in not_free or scheme.name in names[:place]:
            raise ValueError(f"the name {scheme.name!r} is taken; choose another")
        later = [column for column in scheme.requires if column in names[place:]]
        if later:
            raise ValueError(
                f"{scheme.name!r} reads {later[0]!r}, which is not applied before it: custom schemes come before "
                "nested ones, each in their order"
            )
