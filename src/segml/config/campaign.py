"""Settings of a campaign test."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from segml.schemes.expression import Expression
from segml.settings import Positive, PositiveFloat, Section

Outcome = Literal["revenue", "bought", "orders"]


class CampaignConfig(Section):
    """A campaign test: who gets the treatment is drawn within strata, and never drawn again.

    The effect is told by the first of ``strata``. A campaign is assigned once: later calls add customers, with the
    same share, strata, days and seed. ``too_wide``: an interval whose half is wider than this share of the control's
    mean is called noise.
    """

    name: Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")] = "campaign"
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5  # of the customers that is treated
    where: str | None = None  # rule over columns of the decisions: who takes part; null: everybody
    strata: Annotated[tuple[str, ...], Field(min_length=1)] = ("tier", "risk_band")  # columns of the decisions
    min_stratum: Annotated[int, Field(ge=2)] = 10  # customers; smaller strata are pooled
    seed: Annotated[int, Field(ge=0)] = 0  # of the draw
    start: date | None = None  # first day of the window; null: the day of the assignment
    days: Positive = 90  # length of the window, and of the one before it
    outcome: Outcome = "revenue"  # that the campaign is judged by
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05  # 1 - this is the level of intervals
    power: Annotated[float, Field(gt=0.5, lt=1)] = 0.8  # chance to see an effect that is there
    too_wide: PositiveFloat = 0.25  # of the control's mean

    @field_validator("where")
    @classmethod
    def _is_a_rule(cls, where: str | None) -> str | None:
        if where is not None:
            Expression(where)
        return where

    @field_validator("strata")
    @classmethod
    def _each_once(cls, strata: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(strata)) < len(strata):
            raise ValueError(f"strata names a column twice: {', '.join(strata)}")
        return strata
