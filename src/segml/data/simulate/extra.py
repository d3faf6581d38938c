"""Lines that the truth does not have: exact repeats, cancelling lines, and lines that are no products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml.data.simulate.draws import sample
from segml.data.simulate.ledger import Planted, added

REPEATED = 0.012
"""Share of whole lines that stand twice."""


@dataclass(frozen=True)
class NonProduct:
    """A line that is no product: its code, the share of lines it follows, its money, and how often it is a credit."""

    code: str
    share: float
    low: float
    high: float
    credited: float


NON_PRODUCTS = (
    NonProduct("DELIVERY", 0.015, 300, 3_500, 0.0),
    NonProduct("SERVICE FEE", 0.002, 500, 9_000, 0.0),
    NonProduct("MANUAL", 0.001, 50, 20_000, 0.6),
    NonProduct("BANK CHARGES", 0.0005, 100, 1_500, 1.0),
)


def repeats(rng: Generator, whole: pd.DataFrame) -> tuple[pd.DataFrame, Planted]:
    """Return lines that stand a second time, the same in every field."""
    again = whole.iloc[sample(rng, np.arange(len(whole)), REPEATED)]
    return again, added("exact_repeats", "exact repeat", again)


def cancelling(raw: pd.DataFrame) -> tuple[pd.DataFrame, Planted]:
    """Return a negative line, without a pointer, for each purchase that is cancelled."""
    bought = raw[raw["cancelled_at"].notna()].sort_values(["cancelled_at", "line_id"])
    money = ["amount", "quantity", "margin", "discount"]
    lines = bought.assign(
        **{column: -bought[column] for column in money},
        ordered_at=bought["cancelled_at"],
        booked_at=bought["cancelled_at"],
        order_id=pd.Series([f"X-{number:07d}" for number in range(1, len(bought) + 1)], bought.index, "str"),
    )
    return lines, added("cancellations", "cancelling line", lines)


def non_products(rng: Generator, whole: pd.DataFrame) -> tuple[list[pd.DataFrame], list[Planted]]:
    """Return lines for freight, fees and corrections on existing orders."""
    frames = [_non_product(rng, kind, whole) for kind in NON_PRODUCTS]
    entries = [added("non_product", kind.code, lines) for kind, lines in zip(NON_PRODUCTS, frames, strict=True)]
    return frames, entries


def _non_product(rng: Generator, kind: NonProduct, whole: pd.DataFrame) -> pd.DataFrame:
    orders = whole[whole["amount"] > 0].drop_duplicates("order_id")
    orders = orders.iloc[sample(rng, np.arange(len(orders)), min(1.0, kind.share * len(whole) / max(len(orders), 1)))]
    price = np.round(rng.uniform(kind.low, kind.high, len(orders)), 2)
    sign = np.where(rng.random(len(orders)) < kind.credited, -1.0, 1.0)
    nothing = pd.Series(None, index=orders.index, dtype="str")
    return orders.assign(
        product_id=pd.Series(kind.code, index=orders.index, dtype="str"),
        category=nothing,
        quantity=sign,
        unit_price=price,
        amount=sign * price,
        margin=np.nan,
        discount=0.0,
    )
