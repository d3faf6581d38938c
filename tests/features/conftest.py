"""Order lines to build features from: small, random, and with every trait that real ones have."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.schema import ORDER_LINES

TEXT = ("customer_id", "order_id", "product_id", "category", "channel", "region")
TIMES = ("ordered_at", "cancelled_at")

Maker = Callable[[list[dict[str, Any]]], pd.DataFrame]


def make_lines(rows: Any) -> pd.DataFrame:
    """Return order lines with all columns and their types; what a row leaves out is null."""
    lines = pd.DataFrame(rows, columns=list(ORDER_LINES.names))
    numbers = set(ORDER_LINES.names) - {*TEXT, *TIMES}
    return lines.astype(
        {**dict.fromkeys(TEXT, "str"), **dict.fromkeys(TIMES, "datetime64[us]"), **dict.fromkeys(numbers, "float64")}
    )


@pytest.fixture(scope="session")
def line_maker() -> Maker:
    return make_lines


@pytest.fixture(scope="session")
def random_lines() -> pd.DataFrame:
    """Some 4,000 lines of 60 customers over three years, in no order."""
    rng = np.random.default_rng(11)
    orders = 900
    order = rng.integers(0, orders, 4000)
    customer = rng.integers(0, 60, orders)
    seconds = rng.integers(0, 3 * 365 * 86_400, orders)
    product = rng.integers(0, 40, len(order))
    amount = np.round(rng.lognormal(3, 1.5, len(order)), 2) * rng.choice([1, 1, 1, 1, 1, 1, -1, 0], len(order))
    start = pd.Timestamp("2022-01-01")
    moment = start + pd.to_timedelta(seconds[order] + rng.choice([0, 0, 0, 86_400], len(order)), unit="s")
    cancelled = moment + pd.to_timedelta(rng.integers(1, 300 * 86_400, len(order)), unit="s")
    texts = {
        "customer_id": "c" + pd.Series(customer[order]).astype("str"),
        "order_id": "o" + pd.Series(order // 2).astype("str"),  # some orders of two customers share a number
        "product_id": ("p" + pd.Series(product).astype("str")).where(rng.random(len(order)) > 0.05),
        "category": ("k" + pd.Series(product // 8).astype("str")).where(rng.random(len(order)) > 0.1),
        "region": pd.Series(rng.choice(["north", "south", "west"], len(order))).where(rng.random(len(order)) > 0.7),
    }
    lines = pd.DataFrame(texts).assign(
        ordered_at=moment,
        amount=amount,
        margin=np.where(rng.random(len(order)) > 0.3, np.round(amount * 0.3, 2), np.nan),
        discount=np.where(rng.random(len(order)) > 0.3, np.round(np.abs(amount) * 0.1, 2), np.nan),
        cancelled_at=pd.Series(cancelled).where((amount > 0) & (rng.random(len(order)) < 0.15)),
    )
    return make_lines(lines.to_dict("records"))
