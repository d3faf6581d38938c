"""Who moved, and why: by hand, and whatever the labels."""

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segml.language import speaking
from segml.monitor import CAUSES, carried, migration, migrations, moves_told
from segml.schema import NOT_ENOUGH_DATA, DataError

AS_OF = pd.Timestamp("2025-07-01")
LAST = pd.Timestamp("2025-04-01")

# Customer: L(old, old), L(old rules, new data), L(new rules, old data), L(new, new), cause, whether it is masked.
TRUTH = {
    "nothing changed": ("A", "A", "A", "A", None, False),
    "the customer fell": ("A", "B", "A", "B", "customer", False),
    "the cut point rose": ("A", "A", "B", "B", "rules", False),
    "either would do": ("A", "B", "B", "B", "both", False),
    "only together": ("A", "A", "A", "B", "both", False),
    "each leads elsewhere": ("A", "C", "D", "B", "both", False),
    "the rules, the customer elsewhere": ("A", "C", "B", "B", "rules", False),
    "fell, but so did the cut point": ("A", "B", "C", "A", None, True),
    "the rules alone would have moved it": ("A", "A", "B", "A", None, False),
}


def labels(place: int, scheme: str = "tier") -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(TRUTH), scheme: [row[place] for row in TRUTH.values()]})


THEN, NOW = labels(0).assign(revenue_365d=100.0), labels(3).assign(revenue_365d=40.0)


def found(**given: Any) -> pd.DataFrame:
    told = {"by_old_rules": labels(1), "by_new_rules": labels(2)} | given
    return migration(THEN, NOW, "tier", as_of=AS_OF, **told).customers.set_index("customer_id")


@pytest.mark.parametrize("customer", TRUTH)
def test_each_move_has_the_cause_that_its_four_labels_tell(customer: str) -> None:
    row = found().loc[customer]
    assert (row["cause"], bool(row["is_masked"])) == TRUTH[customer][4:]


@pytest.mark.parametrize("lacking", ["by_old_rules", "by_new_rules"])
def test_without_one_of_the_other_labels_no_cause_is_known(lacking: str) -> None:
    causes = found(**{lacking: None})["cause"].dropna()
    assert set(causes) == {"unknown"}
    assert len(causes) == sum(row[4] is not None for row in TRUTH.values())


SMALL_THEN = pd.DataFrame(
    {
        "customer_id": ["anna", "ben", "carl", "dora", "eve"],
        "stage": ["key", "key", "small", "small", None],
        "revenue_365d": [100.0, 50.0, 5.0, 7.0, 0.1],
        "stage_previous": ["small", None, "key", None, None],
        "stage_changed_on": [LAST, pd.NaT, LAST, pd.NaT, pd.NaT],
    }
)
SMALL_NOW = pd.DataFrame(
    {
        "customer_id": ["anna", "ben", "carl", "eve", "frank"],
        "stage": ["key", "small", "key", None, "small"],
        "revenue_365d": [110.0, 20.0, 70.0, 0.2, 3.0],
    }
)


def test_the_matrix_counts_customers_and_money_of_each_pair_in_the_order_of_the_segments() -> None:
    matrix = migration(SMALL_THEN, SMALL_NOW, "stage", as_of=AS_OF, order=("small", "key")).matrix
    told = matrix.astype({"from": object, "to": object}).fillna("-").to_numpy().tolist()
    assert told == [
        ["small", "key", 1, 5.0, 70.0],
        ["small", "-", 1, 7.0, 0.0],
        ["key", "small", 1, 50.0, 20.0],
        ["key", "key", 1, 100.0, 110.0],
        [NOT_ENOUGH_DATA, NOT_ENOUGH_DATA, 1, 0.1, 0.2],
        ["-", "small", 1, 0.0, 3.0],
    ]


def test_the_last_change_is_carried_over_until_the_next_one() -> None:
    moves = migration(SMALL_THEN, SMALL_NOW, "stage", as_of=AS_OF)
    kept = carried({"stage": moves}).set_index("customer_id")
    assert kept["stage_previous"].fillna("-").to_dict() == {
        "anna": "small",
        "ben": "key",
        "carl": "small",
        "eve": "-",
        "frank": "-",
    }
    assert kept["stage_changed_on"].isna().to_dict() == {
        "anna": False,
        "ben": False,
        "carl": False,
        "eve": True,
        "frank": False,
    }
    assert kept.loc["anna", "stage_changed_on"] == LAST
    assert kept.loc[["ben", "frank"], "stage_changed_on"].tolist() == [AS_OF, AS_OF]
    again = migration(SMALL_NOW.merge(kept, on="customer_id"), SMALL_NOW, "stage", as_of=AS_OF + pd.Timedelta(days=90))
    pd.testing.assert_frame_equal(carried({"stage": again}).set_index("customer_id"), kept)


def test_who_moved_and_why_is_told_in_words() -> None:
    told = moves_told(migration(THEN, NOW, "tier", as_of=AS_OF, by_old_rules=labels(1), by_new_rules=labels(2)))
    assert told == (
        "Moved: 6 of 9 customers (67%). The customer changed: 1; our cut points or model changed: 2; both: 3; "
        "unknown: 0.",
        "In money, 33.3% of what moved did so because our cut points or model changed.",
        "1 customer changed, but stayed because our cut points or model moved with it.",
        "A → B: 6 customers, revenue 600 last time, 240 now.",
    )


def test_what_nobody_did_is_told_too() -> None:
    alike = migration(SMALL_NOW, SMALL_NOW, "stage", as_of=AS_OF)
    assert moves_told(alike) == ("All 5 customers of last time who are still there are where they were.",)
    nobody = migration(SMALL_THEN, SMALL_NOW.iloc[4:], "stage", as_of=AS_OF)
    assert moves_told(nobody) == ("No customer of last time is still there.",)
    assert math.isnan(nobody.share_kept)


def test_the_largest_moves_come_first_by_the_names_that_people_use() -> None:
    moves = migration(SMALL_THEN, SMALL_NOW, "stage", as_of=AS_OF)
    with speaking("ru"):
        told = moves_told(moves, called={"key": "ключевые"}, most=1)
    assert told[-1].startswith("small → ключевые: ")


def test_each_scheme_that_both_tables_have_is_told() -> None:
    old = SMALL_NOW.drop(columns="stage").assign(other="x")
    told = migrations(SMALL_THEN, SMALL_NOW, {"stage": ("key",), "gone": ()}, as_of=AS_OF, by_old_rules=old)
    assert list(told) == ["stage"]
    assert set(told["stage"].customers["cause"].dropna()) == {"unknown"}


@pytest.mark.parametrize(
    ("then", "message"),
    [
        (SMALL_THEN.drop(columns="revenue_365d"), "then lacks.*revenue_365d"),
        (pd.concat([SMALL_THEN, SMALL_THEN]), "then needs one row a customer; customer 'anna' comes more than once"),
    ],
)
def test_a_table_that_cannot_be_compared_is_refused(then: pd.DataFrame, message: str) -> None:
    with pytest.raises(DataError, match=message):
        migration(then, SMALL_NOW, "stage", as_of=AS_OF)


LABEL = st.sampled_from(["A", "B", "C", None])
ROW = st.tuples(
    *[LABEL] * 4, st.integers(-(10**9), 10**9), st.integers(-(10**9), 10**9), st.sampled_from(["tn", "t", "n"])
)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(ROW, max_size=30), st.randoms(use_true_random=False))
def test_customers_and_money_reconcile_whatever_the_labels_and_the_order_of_rows(rows: list[Any], random: Any) -> None:
    table = pd.DataFrame(rows, columns=["oo", "on", "no", "nn", "money_then", "money_now", "there"])
    table = table.assign(customer_id=[f"c{place:02}" for place in range(len(rows))])
    is_then, is_now = table["there"].str.contains("t"), table["there"].str.contains("n")

    def side(mask: "pd.Series[bool]", label: str, money: str) -> pd.DataFrame:
        given = {"customer_id": table["customer_id"], "s": table[label], "revenue_365d": table[money] / 100}
        return pd.DataFrame(given)[mask.astype(bool)]

    then, now = side(is_then, "oo", "money_then"), side(is_now, "nn", "money_now")
    other: dict[str, Any] = {
        "by_old_rules": side(is_now, "on", "money_now"),
        "by_new_rules": side(is_then, "no", "money_then"),
    }
    before = [frame.copy(deep=True) for frame in (then, now, *other.values())]
    moves = migration(then, now, "s", as_of=AS_OF, **other)
    for frame, copy in zip((then, now, *other.values()), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)
    order = list(range(len(then)))
    random.shuffle(order)
    again = migration(then.iloc[order], now.iloc[::-1], "s", as_of=AS_OF, **other)
    pd.testing.assert_frame_equal(again.customers, moves.customers)
    pd.testing.assert_frame_equal(again.matrix, moves.matrix)

    matrix = moves.matrix
    for end, mask, money in (("from", is_then, "then"), ("to", is_now, "now")):
        there = matrix.dropna(subset=[end])
        assert there["customers"].sum() == mask.sum()
        assert cents(there[f"revenue_365d_{money}"]) == table.loc[mask.astype(bool), f"money_{money}"].sum()
        assert cents(matrix[f"revenue_365d_{money}"]) == cents(there[f"revenue_365d_{money}"])
    flows = moves.flows
    assert (flows["then"] == flows["stayed"] + flows["left"] + flows["gone"]).all()
    assert (flows["now"] == flows["stayed"] + flows["came"] + flows["new"]).all()
    causes = moves.by_cause
    assert causes["cause"].tolist() == list(CAUSES)
    elsewhere = matrix.dropna(subset=["from", "to"]).query("`from` != to")
    assert causes["customers"].sum() == elsewhere["customers"].sum() == moves.moved
    assert cents(causes["revenue_365d_now"]) == cents(elsewhere["revenue_365d_now"])


def cents(values: "pd.Series[float]") -> int:
    return round(math.fsum(values) * 100)


def test_segments_stand_in_their_order_though_nobody_was_in_some_of_them_before() -> None:
    then = pd.DataFrame({"customer_id": list("abc"), "stage": ["new", "gone", "odd"], "revenue_365d": 1.0})
    now = then.assign(stage=["gone", "active", NOT_ENOUGH_DATA])
    found = migration(then, now, "stage", as_of=AS_OF, order=("new", "active", "stagnating", "gone"))
    assert found.segments == ("new", "active", "gone", "odd", NOT_ENOUGH_DATA)
    assert found.matrix["from"].tolist() == ["new", "gone", "odd"]
