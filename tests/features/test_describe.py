"""Described columns: what each table tells, and that nothing at or after the as-of date does."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import features
from segml.data.engine import connect, to_table
from segml.schema import DataError

AS_OF = pd.Timestamp("2024-07-01")
SECOND = pd.Timedelta(seconds=1)


def days_before(days: float) -> pd.Timestamp:
    return AS_OF - pd.Timedelta(days=days)


@pytest.fixture(scope="module")
def lines(line_maker: Any) -> pd.DataFrame:
    """Customers a to d, who came 400, 300, 200 and 100 days before the as-of date; b's region is on its lines."""
    first = {"a": 400, "b": 300, "c": 200, "d": 100}
    frame: pd.DataFrame = line_maker(
        [
            {
                "customer_id": customer,
                "order_id": customer,
                "ordered_at": days_before(days),
                "amount": 10.0,
                "region": "North" if customer == "b" else None,
            }
            for customer, days in first.items()
        ]
    )
    return frame


@pytest.fixture(scope="module")
def built(lines: pd.DataFrame) -> pd.DataFrame:
    return features.build(lines, AS_OF)


def described(lines: pd.DataFrame, built: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    return features.describe(lines, built, **tables).set_index("customer_id")


def test_without_further_tables_all_columns_are_there_and_unknown(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    table = features.describe(lines, built)
    assert list(table.columns) == [*built.columns, *(column.name for column in features.described())]
    assert_frame_equal(table[built.columns], built)
    beside = [column for column in features.described() if column.family not in {"preferences", "steadiness"}]
    assert table[[column.name for column in beside]].isna().all(axis=None)
    for column in features.described():
        assert table[column.name].dtype == ("str" if column.unit == "text" else "float64"), column.name


def test_order_and_index_of_the_features_stay_and_nobody_is_changed(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    customers = pd.DataFrame({"customer_id": ["d", "a"], "employees": [4, 1], "mood": ["good", "bad"]})
    shuffled = built.sample(frac=1, random_state=2).set_axis([9, 7, 8, 3])
    before = shuffled.copy(), customers.copy()
    table = features.describe(lines, shuffled, customers=customers)
    assert table.index.tolist() == [9, 7, 8, 3]
    assert table["customer_id"].tolist() == shuffled["customer_id"].tolist()
    assert table.set_index("customer_id")["employees"].dropna().to_dict() == {"a": 1, "d": 4}
    assert_frame_equal(shuffled, before[0])
    assert_frame_equal(customers, before[1])


def test_cards_tell_what_a_company_is(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    customers = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "unheard of"],
            "industry": ["glass", None, "wood", "wood"],
            "employees": [14.0, -1.0, 0.0, 5.0],
            "region": ["South", "South", None, "South"],
            "is_strategic": [True, False, None, True],
            "potential": [1e6, 0.0, None, 1.0],
            "satisfaction": [9, 3, 5, 1],
            "goal": ["price", "speed", None, "price"],
        }
    )
    table = described(lines, built, customers=customers)
    assert table["industry"].fillna("?").tolist() == ["glass", "?", "wood", "?"]
    np.testing.assert_array_equal(table["employees"], [14, np.nan, 0, np.nan])
    np.testing.assert_array_equal(table["is_strategic"], [1, 0, np.nan, np.nan])
    np.testing.assert_array_equal(table["potential"], [1e6, 0, np.nan, np.nan])
    assert table["region"].fillna("?").tolist() == ["South", "North", "?", "?"], "lines win over the card"
    np.testing.assert_array_equal(table["satisfaction"], [9, 3, 5, np.nan])
    assert table["goal"].fillna("?").tolist() == ["price", "speed", "?", "?"]


@pytest.mark.parametrize(
    ("story", "customer", "registered", "days"),
    [
        ("three days before the first purchase", "d", days_before(103), 3),
        ("late on the day of the first purchase", "d", days_before(100) + pd.Timedelta(hours=9), 0),
        ("the day after the first purchase", "d", days_before(99), None),
        ("after the as-of date", "d", AS_OF + pd.Timedelta(days=5), None),
        ("on the first day of the log", "b", days_before(400), 100),
        ("before the log, in which the first purchase may be missing", "b", days_before(401), None),
        ("never", "d", pd.NaT, None),
    ],
)
def test_time_to_decide(
    story: str, customer: str, registered: Any, days: float | None, lines: pd.DataFrame, built: pd.DataFrame
) -> None:
    customers = pd.DataFrame({"customer_id": [customer], "registered_on": pd.to_datetime([registered])})
    found = described(lines, built, customers=customers)["decision_days"].dropna().to_dict()
    assert found == ({} if days is None else {customer: days}), story


def test_bad_cards_are_refused_in_words(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="customers hold 'a' more than once"):
        features.describe(lines, built, customers=pd.DataFrame({"customer_id": ["a", "a"]}))
    with pytest.raises(DataError, match="customers lack the column 'customer_id'"):
        features.describe(lines, built, customers=pd.DataFrame({"id": ["a"]}))
    with pytest.raises(DataError, match="the column 'employees' must hold numbers"):
        features.describe(lines, built, customers=pd.DataFrame({"customer_id": ["a"], "employees": ["many"]}))


@pytest.mark.parametrize("name", ["revenue_365d", "nps", "as_of", "affinity_lift"])
def test_a_survey_column_with_the_name_of_another_is_refused(
    name: str, lines: pd.DataFrame, built: pd.DataFrame
) -> None:
    with pytest.raises(
        DataError, match=rf"columns \['{name}'\], which are names of features, described columns or decisions"
    ):
        features.describe(lines, built, customers=pd.DataFrame({"customer_id": ["a"], name: [1.0]}))


def test_one_date_at_a_time(lines: pd.DataFrame) -> None:
    two = features.build(lines, [AS_OF, days_before(50)])
    with pytest.raises(DataError, match="looks back from one as-of date; found 2024-05-12"):
        features.describe(lines, two)
    with pytest.raises(DataError, match="features lack columns"):
        features.describe(lines, two.drop(columns="tenure_days"))


def usage(*rows: tuple[str, float, str | None]) -> pd.DataFrame:
    """Return dated usage: customer, days before the as-of date, function."""
    return pd.DataFrame(
        {"customer_id": [row[0] for row in rows], "feature": pd.Series([row[2] for row in rows], dtype="str")}
    ).assign(used_at=pd.to_datetime([days_before(row[1]) for row in rows]))


def test_share_of_functions_by_use(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    table = usage(
        ("a", 90, "order"),  # the first moment of the window
        ("a", 1, "order"),
        ("a", 0.5, "api"),
        ("b", 90.1, "analytics"),  # too long ago, but anybody's function
        ("c", 10, None),  # a login without a function
        ("a", 0, "returns"),  # on the as-of date: the future
        ("unheard of", 200, "documents"),
    )
    found = described(lines, built, usage=table)
    np.testing.assert_allclose(found["function_share_90d"], [2 / 4, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found["login_count_90d"], [2, 0, 1, np.nan])
    assert found[["seat_share_90d", "nps", "ticket_count_90d"]].isna().all(axis=None)


def test_seats_recommendation_and_tickets_by_month(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    table = pd.DataFrame(
        [
            ("a", 30, 4.0, 10.0, 9.0, 1.0, 20.0),
            ("a", 60, 2.0, 10.0, None, 2.0, 10.0),
            ("a", 120, 9.0, 10.0, 6.0, 50.0, 50.0),
            ("a", 366, 9.0, 10.0, 0.0, 50.0, 50.0),
            ("b", 120, 9.0, 10.0, None, 7.0, 7.0),
            ("c", 30, 5.0, 0.0, None, None, None),
        ],
        columns=["customer_id", "days", "seats_used", "seats_total", "nps", "tickets", "logins"],
    )
    table = table.assign(used_at=[days_before(days) for days in table["days"]]).drop(columns="days")
    found = described(lines, built, usage=table)
    np.testing.assert_allclose(found["seat_share_90d"], [6 / 20, 0, np.nan, np.nan])
    np.testing.assert_allclose(found["nps"], [7.5, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(found["ticket_count_90d"], [3, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found["login_count_90d"], [30, 0, 1, np.nan])
    assert found["function_share_90d"].isna().all()


def test_one_row_a_customer_tells_how_things_are(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    table = pd.DataFrame(
        {
            "customer_id": ["a", "b", "b"],
            "share_of_features": [0.4, 0.2, 0.3],
            "logins": [0.0, 5.0, 6.0],
            "nps": [None, 8.0, 9.0],
            "tickets": [None, 1.0, 2.0],
            "seats_used": [3.0, 1.0, 2.0],
            "seats_total": [4.0, 10.0, 10.0],
        }
    )
    found = described(lines, built, usage=table)
    np.testing.assert_allclose(found["function_share_90d"], [0.4, 0.3, np.nan, np.nan])
    np.testing.assert_array_equal(found["login_count_90d"], [0, 11, np.nan, np.nan])
    np.testing.assert_array_equal(found["nps"], [np.nan, 8.5, np.nan, np.nan])
    np.testing.assert_array_equal(found["ticket_count_90d"], [np.nan, 3, np.nan, np.nan])
    np.testing.assert_array_equal(found["seat_share_90d"], [0.75, 0.15, np.nan, np.nan])


def test_usage_of_neither_form_is_refused(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    with pytest.raises(
        DataError, match=r"usage needs 'used_at' \(one row a use\), or one of .*found \['customer_id', "
    ):
        features.describe(lines, built, usage=pd.DataFrame({"customer_id": ["a"], "seats_total": [3.0]}))
    with pytest.raises(DataError, match=r"usage lack columns \['customer_id'\]"):
        features.describe(lines, built, usage=pd.DataFrame({"nps": [3.0]}))
    percent = pd.DataFrame({"customer_id": ["a"], "share_of_features": [45.0]})
    with pytest.raises(DataError, match="shares from 0 to 1; found 45 to 45: divide percentages by 100"):
        features.describe(lines, built, usage=percent)


def test_the_next_renewal_counts(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    renewals = [("a", -30.5), ("a", 10), ("a", -100), ("b", 0), ("c", SECOND / pd.Timedelta(days=1)), ("d", None)]
    contracts = pd.DataFrame(
        {
            "customer_id": [customer for customer, _ in renewals],
            "renews_on": [days_before(days) if days is not None else pd.NaT for _, days in renewals],
        }
    )
    found = described(lines, built, contracts=contracts)
    np.testing.assert_array_equal(found["days_to_renewal"], [30.5, 0, np.nan, np.nan])
    np.testing.assert_array_equal(found["has_contract"], [1, 1, 1, np.nan])


def test_touches_of_the_year_count_but_not_those_held_back(lines: pd.DataFrame, built: pd.DataFrame) -> None:
    touches = pd.DataFrame(
        [
            ("a", 365, "treatment", True),
            ("a", 366, "treatment", True),
            ("a", 10, None, False),
            ("a", 0, "treatment", True),
            ("b", 10, " Control", True),
            ("b", 20, "treatment", None),
        ],
        columns=["customer_id", "days", "arm", "responded"],
    )
    touches = touches.assign(touched_at=[days_before(days) for days in touches["days"]]).drop(columns="days")
    found = described(lines, built, touches=touches)
    assert found["touch_count_365d"].tolist() == [2, 1, 0, 0]
    assert found["response_count_365d"].tolist() == [1, 0, 0, 0]
    untold = described(lines, built, touches=touches.drop(columns=["responded", "arm"]))
    assert untold["touch_count_365d"].tolist() == [2, 2, 0, 0]
    assert untold["response_count_365d"].isna().all()


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """Random usage, contracts and touches of a hundred customers over two years up to the as-of date."""
    rng = np.random.default_rng(4)
    count = 3000
    customers = "c" + pd.Series(rng.integers(0, 60, count)).astype("str")
    moments = AS_OF - pd.to_timedelta(rng.integers(1, 700 * 86_400, count), unit="s")
    used = {
        "feature": rng.choice(["order", "api", "returns"], count),
        "seats_used": rng.random(count),
        "seats_total": rng.random(count) + 1,
        "nps": rng.integers(0, 11, count).astype(float),
        "tickets": rng.random(count),
        "logins": rng.random(count),
    }
    touched = {"arm": rng.choice(["treatment", "control"], count), "responded": rng.random(count) < 0.3}
    return {
        "usage": pd.DataFrame({"customer_id": customers, "used_at": moments, **used}),
        "contracts": pd.DataFrame({"customer_id": customers, "renews_on": moments + pd.Timedelta(days=350)}),
        "touches": pd.DataFrame({"customer_id": customers, "touched_at": moments, **touched}),
    }


@pytest.fixture(scope="module")
def truth(random_lines: pd.DataFrame, tables: dict[str, Any]) -> pd.DataFrame:
    table = features.describe(random_lines, features.build(random_lines, AS_OF), **tables)
    told = table[[column.name for column in features.described() if column.family in (*tables, "preferences")]]
    assert told.drop(columns=["top_channel", "top_channel_share"]).notna().any().all()
    return table


def test_no_event_at_or_after_the_as_of_date_changes_a_column(
    random_lines: pd.DataFrame, tables: dict[str, Any], truth: pd.DataFrame
) -> None:
    later = {
        "usage": tables["usage"].assign(used_at=AS_OF, feature="new", nps=0.0, seats_used=1e6),
        "touches": tables["touches"].assign(touched_at=AS_OF + pd.Timedelta(milliseconds=1), arm="treatment"),
    }
    more = {name: pd.concat([tables[name], rows], ignore_index=True) for name, rows in later.items()}
    built = features.build(random_lines, AS_OF)
    assert_frame_equal(features.describe(random_lines, built, **tables | more), truth, check_exact=True)


def test_neither_order_nor_threads_nor_containers_change_a_column(
    random_lines: pd.DataFrame, tables: dict[str, Any], truth: pd.DataFrame
) -> None:
    built = features.build(random_lines, AS_OF)
    for threads in (1, 2):
        backend = connect(threads)
        shuffled = {name: to_table(table.sample(frac=1, random_state=3), backend) for name, table in tables.items()}
        lines = to_table(random_lines.sample(frac=1, random_state=5), backend)
        assert_frame_equal(features.describe(lines, built, **shuffled), truth, check_exact=True)


def test_described_columns_say_what_they_are_and_what_they_need() -> None:
    names = [column.name for column in features.described()]
    assert len(names) == len(set(names))
    assert set(names).isdisjoint(feature.name for feature in features.CATALOG)
    for column in features.described():
        assert column.unit
        assert len(column.meaning) > 10
        assert not column.meaning.endswith(".")
        assert "|" not in column.meaning
    assert features.source_of("employees") == "data.customers with a column employees"
    assert features.source_of("days_to_renewal") == "data.contracts"
