"""What sells with what, and to whom it is offered."""

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import segml
from segml.actions.cross_sell import RULES, CrossSelling, cross_sell
from segml.actions.offering import OFFERS, PRIOR_CUSTOMERS
from segml.config import CrossSellConfig
from segml.features.baskets import gather
from segml.language import speaking
from segml.schema import ORDER_LINES

AS_OF = pd.Timestamp("2025-01-01")
CONFIG = CrossSellConfig(per_customer=2)

Row = tuple[str, str, float, int]


def customers(name: str, count: int, **money: float) -> list[Row]:
    """Return purchases of so many customers, of each item for so much money, ten days before the as-of date."""
    return [(f"{name}{place:03}", item, amount, 10) for place in range(count) for item, amount in money.items()]


def lines_of(rows: list[Row]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["customer_id", "category", "amount", "days"])
    table["ordered_at"] = AS_OF - pd.to_timedelta(table.pop("days"), unit="D")
    types = {"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]", "amount": "float64"}
    table = table.assign(order_id=table["customer_id"], cancelled_at=None)
    return table.reindex(columns=ORDER_LINES.names).astype(types)


# Two items each: glue goes with tape, the others with anything.
ROWS = [
    *customers("both", 80, glue=200.0, tape=50.0),
    *customers("glue_nails", 20, glue=100.0, nails=10.0),
    *customers("glue_board", 20, glue=100.0, board=10.0),
    *customers("tape_nails", 20, tape=20.0, nails=10.0),
    *customers("tape_board", 20, tape=20.0, board=10.0),
    *customers("saws_nails", 20, saws=10.0, nails=10.0),
    *customers("saws_board", 20, saws=10.0, board=10.0),
    *customers("nails_board", 20, nails=10.0, board=10.0),
    *customers("glue_saws", 20, glue=400.0, saws=10.0),
    *customers("tape_saws", 20, tape=20.0, saws=10.0),
    *[
        row
        for other in ("glue", "tape", "nails", "board", "saws")
        for row in customers(f"{other}_wire", 20, **{other: 100.0 if other == "glue" else 20.0}, wire=10.0)
    ],
    ("glue_nails000", "tape", 30.0, 400),  # once bought tape
    *customers("single", 20, glue=80.0),
    *customers("rare", 3, glass=1.0),
]


def sell(rows: list[Row], config: CrossSellConfig = CONFIG) -> CrossSelling:
    return cross_sell(gather(lines_of(rows), AS_OF, config), config)


def offer_of(found: CrossSelling, customer: str, item: str) -> dict[str, Any]:
    rows = found.offers[(found.offers["customer_id"] == customer) & (found.offers["item"] == item)]
    assert len(rows) == 1
    return {str(name): value for name, value in rows.iloc[0].items()}


@pytest.fixture(scope="module")
def found() -> CrossSelling:
    return sell(ROWS)


def test_one_pair_is_a_rule_both_ways_with_the_figures_that_people_know(found: CrossSelling) -> None:
    assert found.rules[["bought", "item"]].values.tolist() == [["glue", "tape"], ["tape", "glue"]]
    rule = found.rules.iloc[0]
    assert (rule["baskets_bought"], rule["baskets_item"], rule["baskets_both"]) == (180, 160, 80)
    assert rule["customers_both"] == 80
    assert rule["support"] == pytest.approx(80 / 383)
    assert rule["confidence"] == pytest.approx(80 / 180)
    assert rule["lift"] == pytest.approx((80 / 180) / (160 / 383))
    assert rule["lift_like"] > 1.3
    assert rule["p_adjusted"] == pytest.approx(15 * rule["p_value"])


def test_offers_go_to_those_who_buy_the_one_and_never_bought_the_other(found: CrossSelling) -> None:
    tape = found.offers[found.offers["item"] == "tape"]
    groups = tape["customer_id"].str.rstrip("0123456789").value_counts()
    assert groups.to_dict() == {"glue_nails": 19, "glue_board": 20, "glue_saws": 20, "glue_wire": 20, "single": 20}
    assert "glue_nails000" not in set(tape["customer_id"])


def test_the_money_of_an_offer_is_what_customers_like_this_one_spend(found: CrossSelling) -> None:
    offer = offer_of(found, "glue_board003", "tape")
    # Of those who buy glue and one thing beside tape at most, 80 of 180 buy tape; the confidence counts as ten of them.
    share = (80 + PRIOR_CUSTOMERS * 80 / 180) / (180 + PRIOR_CUSTOMERS)
    assert offer["share_like"] == pytest.approx(share)
    assert offer["typical_spend"] == pytest.approx(25.0)  # a quarter of the money on glue
    assert offer["expected_money"] == pytest.approx(25.0 * share)
    assert offer["spend_bought"] == 100.0
    assert offer["bought"] == "glue"


def test_nobody_is_thought_to_spend_more_than_nine_in_ten_of_an_items_buyers(found: CrossSelling) -> None:
    offer = offer_of(found, "glue_saws003", "tape")
    assert offer["typical_spend"] == 50.0  # not a quarter of 400


def test_the_reason_is_told_in_words_of_the_language_spoken(found: CrossSelling) -> None:
    reason = offer_of(found, "glue_board003", "tape")["reason"]
    assert reason.startswith(
        "buys glue, but never tape: of the customers like this one who buy glue, 44% buy tape, too"
    )
    assert "80 customers buy both" in reason
    with speaking("ru"):
        russian = sell(ROWS).offers["reason"].iloc[0]
    assert "tape" in russian
    assert "customers" not in russian


def test_most_money_comes_first_and_each_customer_gets_at_most_so_many() -> None:
    mates = [
        *ROWS,
        *customers("wood", 120, wood=300.0, wax=60.0),
        *customers("wood_glue", 6, wood=300.0, glue=300.0),
    ]
    both = sell(mates)
    assert both.offers["expected_money"].is_monotonic_decreasing
    own = both.offers[both.offers["customer_id"] == "wood_glue000"]
    assert set(own["item"]) == {"wax", "tape"}
    best = sell(mates, CrossSellConfig(per_customer=1)).offers
    assert not best["customer_id"].duplicated().any()
    assert best.set_index("customer_id").loc["wood_glue000", "item"] == own.iloc[0]["item"]


def test_what_is_left_out_is_told(found: CrossSelling) -> None:
    assert found.notices == ("1 item that fewer than 10 customers buy is in no rule: 0.0% of the money",)
    capped = sell(ROWS, CrossSellConfig(max_items=4, max_basket_items=2, max_pairs=1))
    assert capped.notices[1] == "2 items are beyond the 4 with the most customers, and in no rule: 5.3% of the money"
    broad = sell([*ROWS, *customers("all", 4, glue=1.0, tape=1.0, nails=1.0)], CrossSellConfig(max_basket_items=2))
    assert broad.notices[-1].startswith("4 baskets of more than 2 items are left out of the rules")


def test_broad_baskets_teach_nothing_but_their_customers_get_offers() -> None:
    broad = customers("all", 4, glue=1.0, nails=1.0, board=1.0, saws=1.0)
    offers = sell([*ROWS, *broad], CrossSellConfig(max_basket_items=3)).offers
    assert {"all000", "all003"} <= set(offers.loc[offers["item"] == "tape", "customer_id"])


def test_pairs_of_too_few_different_customers_are_no_rule() -> None:
    """Nine customers order both in every one of twenty orders: many orders, few customers."""
    rows = [
        (f"c{place}", f"{place}-{order}", item)
        for place in range(9)
        for order in range(40)
        for item in (("glue", "tape") if order < 20 else (("nails", "board") if order < 30 else ("nails", "saws")))
    ]
    table = pd.DataFrame(rows, columns=["customer_id", "order_id", "category"])
    types = {"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]", "amount": "float64"}
    table = table.assign(amount=1.0, ordered_at=AS_OF - pd.Timedelta(days=5), cancelled_at=None)
    lines = table.reindex(columns=ORDER_LINES.names).astype(types)
    for least, count in ((9, 2), (10, 0)):
        config = CrossSellConfig(basket="order", min_customers=least)
        rules = cross_sell(gather(lines, AS_OF, config), config).rules
        assert len(rules[rules["bought"].isin(["glue", "tape"])]) == count
        if count:
            assert rules["customers_both"].max() == 9
            assert rules["baskets_both"].max() == 180


def test_the_order_of_rows_changes_nothing(found: CrossSelling) -> None:
    shuffled = sell([ROWS[place] for place in np.random.default_rng(0).permutation(len(ROWS))])
    assert_frame_equal(shuffled.rules, found.rules, check_exact=True)
    assert_frame_equal(shuffled.offers, found.offers, check_exact=True)


def test_a_data_set_of_a_notebook_tells_the_same(found: CrossSelling) -> None:
    lines = lines_of(ROWS)[["customer_id", "order_id", "ordered_at", "amount", "category"]]
    data = segml.prepare(lines, as_of="2025-01-01", settings={"cross_sell.per_customer": 2}, progress=False)
    assert_frame_equal(data.cross_sell().rules, found.rules)
    assert_frame_equal(data.cross_sell().offers, found.offers)
    assert data.cross_sell() is data.cross_sell()  # kept
    customers = found.offers["customer_id"].nunique()
    assert repr(data.cross_sell()) == f"CrossSelling(2 rules, {len(found.offers)} offers to {customers} customers)"


def test_without_baskets_there_are_typed_empty_tables() -> None:
    for basket in ("customer", "order"):
        nothing = sell(ROWS[:0], CrossSellConfig(basket=basket))
        for table, columns in ((nothing.rules, RULES), (nothing.offers, OFFERS)):
            assert {name: str(kind) for name, kind in table.dtypes.items()} == columns
        assert nothing.items == 0
        assert [notice.partition(":")[0] for notice in nothing.notices] == ["no line of the window tells a category"]


@pytest.mark.parametrize("by", ["category", "product_id"])
def test_data_that_do_not_tell_the_item_are_said_to_be_so(by: Literal["category", "product_id"]) -> None:
    untold = lines_of(ROWS).assign(category=None, product_id=None).astype({"category": "str", "product_id": "str"})
    config = CrossSellConfig(by=by)
    found = cross_sell(gather(untold, AS_OF, config), config)
    assert (len(found.rules), found.items) == (0, 0)
    other = {"category": "product_id", "product_id": "category"}[by]
    assert f"cross_sell.by to {other}" in found.notices[0]


def test_an_order_holds_what_its_own_customer_bought_net_of_returns() -> None:
    """More items than customers: one customer's returned item is not another's item."""
    rows: list[Row] = [("c1", f"item{place:02}", 10.0, 10) for place in range(6)]
    rows += [("c0", "item00", 10.0, 10), ("c0", "item01", 10.0, 10), ("c0", "item03", 10.0, 10)]
    lines = lines_of(rows)
    returned = lines[(lines["customer_id"] == "c0") & (lines["category"] == "item03")]
    lines = pd.concat([lines, returned.assign(order_id="back", amount=-10.0)], ignore_index=True)
    baskets = gather(lines, AS_OF, CrossSellConfig(basket="order", min_customers=1))
    held = {baskets.customers[owner]: row for owner, row in zip(baskets.owner, baskets.bought.toarray(), strict=True)}
    assert held["c0"].tolist() == [1, 1, 0, 0, 0, 0]
    assert held["c1"].tolist() == [1] * 6
