"""Who bought what: baskets of customers and of orders."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines import engine
from segml.config import CrossSellConfig
from segml.data.engine import connect, to_table
from segml.features.baskets import Baskets, gather
from segml.schema import ORDER_LINES, DataError

__all__ = ["engine"]

AS_OF = pd.Timestamp("2025-01-01")
ANY = CrossSellConfig(min_customers=1)


def days_ago(days: int) -> pd.Timestamp:
    return AS_OF - pd.Timedelta(days=days)


def lines_of(rows: list[tuple[str, str, int, str | None, float]], **columns: Any) -> pd.DataFrame:
    """Return order lines: customer, order, days before the as-of date, category, amount."""
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "days", "category", "amount"])
    table["ordered_at"] = [days_ago(days) for days in table.pop("days")]
    types = {"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]", "amount": "float64"}
    return table.assign(cancelled_at=None, **columns).reindex(columns=ORDER_LINES.names).astype(types)


LINES = lines_of(
    [
        ("anna", "1", 10, "glue", 100.0),
        ("anna", "1", 10, "tape", 40.0),
        ("anna", "2", 5, "glue", 50.0),
        ("anna", "3", 3, "glue", -20.0),
        ("bert", "4", 365, "glue", 70.0),  # the window's first day
        ("bert", "5", 8, "tape", 30.0),
        ("bert", "6", 4, "tape", -30.0),  # brought back: not bought
        ("cleo", "7", 366, "tape", 90.0),  # before the window
        ("cleo", "8", 9, "glue", 10.0),
        ("cleo", "8", 9, "glue", 10.0),
        ("dora", "9", 0, "glue", 10.0),  # the future
        ("dora", "10", 7, None, 10.0),
        ("emil", "1", 6, "board", 10.0),  # an order number of somebody else, too
    ]
)


def shown(baskets: Baskets) -> dict[str, Any]:
    """Return who bought what for how much, who once did, and the baskets in words."""
    spend, former, bought = (matrix.tocoo() for matrix in (baskets.spend, baskets.former, baskets.bought))
    owners = baskets.customers[baskets.owner]
    held = pd.Series(baskets.items[bought.col]).groupby(bought.row).agg(sorted).map(tuple)
    return {
        "spend": {
            (baskets.customers[row], baskets.items[column]): money
            for row, column, money in zip(spend.row, spend.col, spend.data, strict=True)
        },
        "former": set(zip(baskets.customers[former.row], baskets.items[former.col], strict=True)),
        "baskets": sorted(zip(owners, held, strict=True)),
    }


def test_who_bought_what_in_the_window_net_of_returns() -> None:
    baskets = gather(LINES, AS_OF, ANY)
    assert shown(baskets) == {
        "spend": {
            ("anna", "glue"): 130.0,
            ("anna", "tape"): 40.0,
            ("bert", "glue"): 70.0,
            ("cleo", "glue"): 20.0,
            ("emil", "board"): 10.0,
        },
        "former": {("bert", "tape"), ("cleo", "tape")},
        "baskets": [("anna", ("glue", "tape")), ("bert", ("glue",)), ("cleo", ("glue",)), ("emil", ("board",))],
    }
    assert baskets.basket_count == 4


def test_orders_hold_what_their_customer_kept() -> None:
    baskets = gather(LINES, AS_OF, ANY.model_copy(update={"basket": "order"}))
    assert shown(baskets)["baskets"] == [
        ("anna", ("glue",)),
        ("anna", ("glue", "tape")),
        ("bert", ("glue",)),
        ("cleo", ("glue",)),
        ("emil", ("board",)),
    ]
    assert baskets.basket_count == 5


def test_items_that_too_few_buy_are_left_out_and_counted() -> None:
    baskets = gather(LINES, AS_OF, CrossSellConfig(min_customers=2))
    assert list(baskets.items) == ["glue"]
    assert (baskets.left_out.rare, baskets.left_out.beyond) == (2, 0)
    assert baskets.left_out.rare_share == pytest.approx(50 / 270)
    assert baskets.basket_count == 4  # emil's basket counts, though nothing in it is looked at
    assert len(baskets.owner) == 3


def test_items_beyond_the_most_bought_are_left_out_and_counted() -> None:
    baskets = gather(LINES, AS_OF, CrossSellConfig(min_customers=1, max_items=2))
    assert list(baskets.items) == ["board", "glue"]  # of equals, the first by name
    assert (baskets.left_out.rare, baskets.left_out.beyond) == (0, 1)
    assert baskets.left_out.beyond_share == pytest.approx(40 / 270)


def test_later_lines_and_cancellations_change_nothing() -> None:
    later = lines_of([("anna", "20", 0, "board", 5.0), ("zoe", "21", -3, "glue", 5.0)])
    regretted = LINES.assign(cancelled_at=AS_OF)
    told = shown(gather(LINES, AS_OF, ANY))
    assert shown(gather(pd.concat([LINES, later]), AS_OF, ANY)) == told
    assert shown(gather(regretted, AS_OF, ANY)) == told


def test_what_was_cancelled_before_was_never_bought() -> None:
    gone = LINES.assign(cancelled_at=LINES["ordered_at"].where(LINES["category"] == "tape"))
    assert shown(gather(gone, AS_OF, ANY))["former"] == set()


@pytest.mark.parametrize("basket", ["customer", "order"])
def test_neither_the_order_of_rows_nor_threads_change_anything(basket: str) -> None:
    config = ANY.model_copy(update={"basket": basket})
    one, other = gather(LINES, AS_OF, config), gather(to_table(LINES[::-1], connect(2)), AS_OF, config)
    for name in ("spend", "former", "bought"):
        first, second = getattr(one, name), getattr(other, name)
        for part in ("data", "indices", "indptr"):
            assert np.array_equal(getattr(first, part), getattr(second, part))
    assert np.array_equal(one.owner, other.owner)


@pytest.mark.parametrize("basket", ["customer", "order"])
def test_every_engine_tells_the_same(engine: Any, basket: str) -> None:
    config = ANY.model_copy(update={"basket": basket})
    found = gather(to_table(LINES, engine), AS_OF, config)
    assert shown(found) == shown(gather(LINES, AS_OF, config))
    assert found.basket_count == gather(LINES, AS_OF, config).basket_count


def test_without_items_there_is_nothing() -> None:
    for basket in ("customer", "order"):
        baskets = gather(LINES.assign(category=None), AS_OF, ANY.model_copy(update={"basket": basket}))
        assert baskets.basket_count == len(baskets.customers) == len(baskets.items) == baskets.bought.shape[0] == 0


def test_lines_without_a_column_are_refused() -> None:
    with pytest.raises(DataError, match=r"order lines lack columns \['category'\]"):
        gather(LINES.drop(columns="category"), AS_OF, ANY)


logs = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from("123"),
        st.integers(1, 500),
        st.sampled_from(["glue", "tape", "board", "nails", None]),
        st.sampled_from([-20.0, -10.0, 10.0, 20.0]),
    ),
    max_size=60,
)


@settings(max_examples=25, deadline=None)
@given(logs)
def test_as_a_plain_reading_of_the_lines_has_it(rows: list[tuple[str, str, int, str | None, float]]) -> None:
    lines = lines_of(rows)
    baskets = gather(lines, AS_OF, ANY)
    named = lines.dropna(subset="category")
    recent = named[named["ordered_at"] >= days_ago(365)]
    net = recent.groupby(["customer_id", "category"])["amount"].sum()
    ever = named[named["amount"] > 0].groupby(["customer_id", "category"]).size().index
    kept = net[(net > 0) & net.index.isin(ever)]
    looked_at = set(kept.index.get_level_values(1))
    assert shown(baskets)["spend"] == kept.to_dict()
    assert shown(baskets)["former"] == {pair for pair in ever if pair not in kept.index and pair[1] in looked_at}
