"""Cards of one customer become one row, and different customers never do."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from segml.data.customers import Deduplicated, deduplicate
from segml.data.names import normalise
from segml.schema import DataError


def cards(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(rows)
    if "registered_on" in frame:
        frame["registered_on"] = pd.to_datetime(frame["registered_on"])
    return frame


def aliases(result: Deduplicated) -> dict[str, str]:
    return dict(result.aliases.itertuples(index=False))


def counts(result: Deduplicated) -> dict[str, int]:
    return {row.rule.removeprefix("customer_cards_"): row.items or 0 for row in result.rows}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('ООО "Ромашка"', "РОМАШКА  ооо"),
        ("ООО «Ёлка-Сервис»", "елка сервис, ЗАО"),
        ("Общество с ограниченной ответственностью «Луч»", "Луч"),
        ("ИП Иванов И.И.", "Иванов И. И."),
        ("Müller GmbH & Co. KG", "müller"),
        ("Smith & Co. Ltd", "SMITH"),
        ("O'Reilly's, Inc.", "oreillys"),
        ("Foo S.A.", "FOO SA"),
        ("Philips N.V.", "Philips B.V."),
        ("АВС\u00a0пром", " авс  пром "),
        ("Nova JSC", "Nova plc"),
    ],
)
def test_spellings_of_one_name_agree(one: str, other: str) -> None:
    assert normalise(one) == normalise(other) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Agora", "AG Ora"), ("ИПотека", "Отека"), ("Co-op", "Op"), ("Alpha 2", "Alpha 3"), ("AG Barr", "Barr")],
)
def test_different_names_stay_different(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@pytest.mark.parametrize("name", ["", "  ", "ООО", "Ltd.", "n/a", "Unknown", "Клиент", "12345", "---", "ИП", "A"])
def test_a_name_that_says_nothing_is_none(name: str) -> None:
    assert normalise(name) is None


def test_cards_with_one_tax_number_are_one_customer() -> None:
    result = deduplicate(cards({"customer_id": "1", "tax_id": "77-01"}, {"customer_id": "2", "tax_id": " 7701"}))
    assert aliases(result) == {"2": "1"}
    assert counts(result) == {"without_id": 0, "repeated": 0, "same_tax_id": 1, "same_name": 0}


def test_cards_with_one_name_are_one_customer_unless_their_tax_numbers_differ() -> None:
    same: list[dict[str, Any]] = [{"customer_id": "1", "name": "Луч, ООО"}, {"customer_id": "2", "name": "ЛУЧ"}]
    assert aliases(deduplicate(cards(*same))) == {"2": "1"}
    assert aliases(deduplicate(cards(same[0] | {"tax_id": "10"}, same[1] | {"tax_id": None}))) == {"2": "1"}
    assert aliases(deduplicate(cards(same[0] | {"tax_id": "10"}, same[1] | {"tax_id": "20"}))) == {}


def test_a_card_without_tax_number_never_joins_two_customers_of_one_name() -> None:
    result = deduplicate(
        cards(
            {"customer_id": "1", "name": "Луч", "tax_id": "10"},
            {"customer_id": "2", "name": "Луч", "tax_id": None},
            {"customer_id": "3", "name": "Луч", "tax_id": "20"},
        )
    )
    assert aliases(result) == {}
    assert "1 card without a tax number bears a name that several tax numbers share" in result.notices[0]


def test_what_hangs_together_over_a_third_card_is_one_customer() -> None:
    result = deduplicate(
        cards(
            {"customer_id": "3", "name": "Луч", "tax_id": None},
            {"customer_id": "2", "name": "Луч", "tax_id": "10"},
            {"customer_id": "1", "name": "Звезда", "tax_id": "10"},
            {"customer_id": "4", "name": "ЗВЕЗДА", "tax_id": None},
            {"customer_id": "5", "name": "Other firm", "tax_id": None},
        )
    )
    assert aliases(result) == {"2": "1", "3": "1", "4": "1"}
    assert counts(result) == {"without_id": 0, "repeated": 0, "same_tax_id": 1, "same_name": 2}


def test_generic_names_and_placeholder_tax_numbers_join_nobody() -> None:
    unknown = {"name": "Клиент", "tax_id": "0000000000"}
    assert aliases(deduplicate(cards(*({"customer_id": str(n)} | unknown for n in range(3))))) == {}


def test_the_card_registered_first_stands_then_the_lowest_number() -> None:
    rows: list[dict[str, Any]] = [
        {"customer_id": "1", "tax_id": "10", "registered_on": None},
        {"customer_id": "3", "tax_id": "10", "registered_on": "2020-01-01"},
        {"customer_id": "2", "tax_id": "10", "registered_on": "2020-01-01"},
        {"customer_id": "0", "tax_id": "10", "registered_on": "2021-01-01"},
    ]
    assert aliases(deduplicate(cards(*rows))) == {"0": "2", "1": "2", "3": "2"}


def test_fields_that_a_card_lacks_are_filled_from_the_others() -> None:
    result = deduplicate(
        cards(
            {"customer_id": "2", "tax_id": "10", "registered_on": "2021-01-01", "region": "South", "industry": "wood"},
            {"customer_id": "1", "tax_id": "10", "registered_on": "2020-01-01", "region": None, "industry": "steel"},
        )
    )
    assert result.customers.to_dict("records") == [
        {
            "customer_id": "1",
            "tax_id": "10",
            "registered_on": pd.Timestamp("2020-01-01"),
            "region": "South",
            "industry": "steel",
        }
    ]


def test_of_rows_with_one_number_the_latest_then_the_most_complete_stands() -> None:
    result = deduplicate(
        cards(
            {"customer_id": "1", "region": "old", "industry": "wood", "registered_on": "2020-01-01"},
            {"customer_id": " 1", "region": "poor", "industry": None, "registered_on": "2021-01-01"},
            {"customer_id": "1", "region": "rich", "industry": "steel", "registered_on": "2021-01-01"},
        )
    )
    assert result.customers[["customer_id", "region", "industry"]].to_dict("records") == [
        {"customer_id": "1", "region": "rich", "industry": "steel"}
    ]
    assert counts(result)["repeated"] == 2
    assert aliases(result) == {}


def test_cards_without_a_number_are_left_out_and_counted() -> None:
    result = deduplicate(cards({"customer_id": None}, {"customer_id": "nan"}, {"customer_id": "1"}))
    assert result.customers["customer_id"].tolist() == ["1"]
    assert counts(result)["without_id"] == 2


def test_a_table_without_customer_numbers_is_refused() -> None:
    with pytest.raises(DataError, match=r"customers lack the column 'customer_id'.*data\.customer_columns"):
        deduplicate(pd.DataFrame({"client": ["1"]}))
    with pytest.raises(DataError, match=r"none of the 1 rows of customers has a customer_id"):
        deduplicate(pd.DataFrame({"customer_id": [None]}))


def test_unreadable_cells_are_noticed_and_their_marks_dropped() -> None:
    table = pa.table(
        {
            "customer_id": ["1", "2"],
            "registered_on": pa.array([None, datetime(2020, 1, 1)], pa.timestamp("us")),
            "registered_on__unparsable": [True, False],
            "is_strategic": [None, True],
        }
    )
    result = deduplicate(table.to_pandas())
    assert list(result.customers.columns) == ["customer_id", "registered_on", "is_strategic"]
    assert result.notices == ("1 cell of the customers' registered_on cannot be read and counts as unknown",)


def random_cards(size: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    tax = pd.Series(rng.integers(100, 100 + size // 2, size)).astype("str").mask(rng.random(size) < 0.4)
    name = pd.Series([f"Firm {letter}" for letter in rng.integers(0, size // 2, size)]).mask(rng.random(size) < 0.3)
    return pd.DataFrame(
        {
            "customer_id": rng.permutation(size).astype(str),
            "name": name,
            "tax_id": tax,
            "registered_on": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 9, size), unit="D"),
            "region": pd.Series(rng.choice(["N", "S"], size)).mask(rng.random(size) < 0.5),
        }
    )


def test_no_two_tax_numbers_are_ever_merged_and_one_never_split() -> None:
    given = random_cards(400, seed=0)
    result = deduplicate(given)
    canonical = given["customer_id"].map(aliases(result)).fillna(given["customer_id"])
    assert given["tax_id"].groupby(canonical).nunique().max() == 1
    assert canonical.groupby(given["tax_id"]).nunique().max() == 1
    assert sorted(result.customers["customer_id"]) == sorted(canonical.unique())
    assert len(given) == len(result.customers) + counts(result)["same_tax_id"] + counts(result)["same_name"]


def test_the_order_of_rows_changes_nothing() -> None:
    given = pd.concat([random_cards(200, seed=1), random_cards(100, seed=2)], ignore_index=True)
    once = deduplicate(given)
    shuffled = deduplicate(given.sample(frac=1, random_state=3))
    pd.testing.assert_frame_equal(once.customers, shuffled.customers)
    pd.testing.assert_frame_equal(once.aliases, shuffled.aliases)


def test_the_callers_frame_is_not_changed() -> None:
    given = random_cards(50, seed=4)
    before = given.copy(deep=True)
    deduplicate(given)
    pd.testing.assert_frame_equal(given, before)


def test_cards_of_one_name_stay_apart_where_branches_share_names() -> None:
    result = deduplicate(
        cards(
            {"customer_id": "1", "name": "Луч", "tax_id": "10"},
            {"customer_id": "2", "name": "Луч", "tax_id": None},
            {"customer_id": "3", "name": "Другой", "tax_id": "10"},
        ),
        same_name=False,
    )
    assert aliases(result) == {"3": "1"}
    assert counts(result) == {"without_id": 0, "repeated": 0, "same_tax_id": 1, "same_name": 0}
    assert result.notices == ()
