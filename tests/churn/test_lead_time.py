"""Lead time: who left for good, and how soon after the last purchase each list held them."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.churn import Split, lead_time, left_for_good, scoring_dates
from segml.schema import DataError


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).as_unit("us")


def split(text: str) -> Split:
    return Split(day(text), ())


def test_lists_go_back_from_the_last_test_date_to_the_first() -> None:
    found = scoring_dates([split("2021-03-02"), split("2021-01-01")], spacing_days=30)
    assert found == (day("2021-01-01"), day("2021-01-31"), day("2021-03-02"))
    assert scoring_dates([split("2021-01-01"), split("2021-03-01")], spacing_days=30)[0] == day("2021-01-30")
    assert scoring_dates([split("2021-01-01")], spacing_days=30) == (day("2021-01-01"),)
    assert scoring_dates([], spacing_days=30) == ()


def test_who_left_for_good_is_silent_to_the_end_of_what_is_known() -> None:
    features = pd.DataFrame(
        {
            "customer_id": ["a", "a", "b", "c", "d"],
            "as_of": [day("2021-01-01"), *[day("2021-06-01")] * 4],
            "recency_days": [500.0, 90.0, 89.9, 200.0, 200.0],
        }
    )
    labels = features[["customer_id", "as_of"]].assign(churned=[True, True, True, False, True])
    gone = left_for_good(features, labels, horizon_days=90)
    assert gone.to_dict() == {"a": day("2021-03-03"), "d": day("2020-11-13")}
    assert left_for_good(features, labels, horizon_days=90, quiet_days=291).empty
    assert left_for_good(features, labels.iloc[:0], horizon_days=90).empty


# Ten customers at two dates a month apart; "x" bought last on 1 January and never again, "y" on 20 January. A last list
# without them shows that 90 days are over.
DATES = ("2021-01-11", "2021-02-10")
LAST = pd.Series({"x": day("2021-01-01"), "y": day("2021-01-20")})


def score_table() -> pd.DataFrame:
    names = ["x", "y", *"abcdefgh"]
    parts = []
    for date in DATES:
        rest = np.linspace(0.1, 0.5, 8)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": names,
                    "as_of": day(date),
                    "p_churn": [0.9, 0.8, *rest],
                    "pareto_nbd_p_churn": [0.05, 0.06, *rest],
                    "recency_days": [
                        10.0 if date == DATES[0] else 40.0,
                        5.0 if date == DATES[0] else 21.0,
                        *range(61, 69),
                    ],
                    "recency_to_gap": 1.0,
                }
            )
        )
    parts.append(parts[0].iloc[2:].assign(as_of=day("2021-04-20"), recency_days=10.0))
    return pd.concat(parts, ignore_index=True)


def found(**changes: Any) -> pd.DataFrame:
    given: dict[str, Any] = {"scores": score_table(), "last_purchase": LAST, "resamples": 0, "seed": 0}
    return lead_time(**(given | changes))


def caught(table: pd.DataFrame, strategy: str, within: int) -> float:
    row = table[(table["strategy"] == strategy) & (table["within_days"] == within)]
    return float(row["caught"].iloc[0])


def test_a_list_counts_from_the_last_purchase_on() -> None:
    assert found(within_days=(9, 60)).empty  # nobody was scored within nine days
    ten = found(within_days=(10, 60))
    assert ten["leavers"].eq(1).all()  # x; the list before y's last purchase is none
    assert caught(ten, "model", 10) == 1
    month = found(within_days=(30, 60))
    assert month["leavers"].eq(2).all()
    assert caught(month, "model", 30) == 1
    assert caught(month, "pareto_nbd", 60) == 0


def test_the_longer_one_waits_the_more_are_caught() -> None:
    scores = score_table()
    scores.loc[(scores["as_of"] == day(DATES[0])) & (scores["customer_id"] == "x"), "p_churn"] = 0.0
    table = found(scores=scores, within_days=(30, 39, 40))
    assert [caught(table, "model", days) for days in (30, 39, 40)] == [0.5, 0.5, 1.0]


def test_only_lists_after_the_last_purchase_count() -> None:
    scores = score_table()
    second = scores["as_of"] == day(DATES[1])
    scores.loc[second & scores["customer_id"].isin(["x", "y"]), "p_churn"] = 0.0
    assert caught(found(scores=scores), "model", 30) == 0.5  # x on 11 January; y was listed before it bought last


def test_whose_time_is_not_over_by_the_last_list_does_not_count() -> None:
    assert found(within_days=(30, 90))["leavers"].eq(2).all()
    assert found(within_days=(30, 91))["leavers"].eq(1).all()  # y's 91 days end after 20 April


def test_ties_at_the_end_of_a_list_stay_off() -> None:
    table = found()
    assert caught(table, "recency_to_gap", 60) == 0
    assert table.loc[table["strategy"] == "recency_to_gap", "list_share"].eq(0).all()
    assert table.loc[table["strategy"] == "model", "list_share"].eq((0.2 + 0.2 + 1 / 8) / 3).all()


def test_a_rule_has_the_length_that_it_gets() -> None:
    table = found()
    assert table.loc[table["strategy"] == "silent_60d", "list_share"].eq((0.8 + 0.8 + 0) / 3).all()
    assert caught(table, "silent_60d", 60) == 0


def test_intervals_and_order() -> None:
    scores = score_table()
    scores.loc[scores["customer_id"] == "y", "p_churn"] = 0.0
    first = found(scores=scores, resamples=50)
    row = first[(first["strategy"] == "model") & (first["within_days"] == 30)].iloc[0]
    assert (row["caught_low"], row["caught"], row["caught_high"]) == (0, 0.5, 1)
    again = found(scores=scores.sample(frac=1, random_state=0), last_purchase=LAST.iloc[::-1], resamples=50)
    pd.testing.assert_frame_equal(first, again)


def test_nobody_lost_gives_no_rows() -> None:
    assert found(last_purchase=LAST.iloc[:0]).empty
    assert found(scores=score_table().iloc[:0]).empty


def test_missing_columns_are_named() -> None:
    with pytest.raises(DataError, match="scores lack"):
        found(scores=score_table().drop(columns="p_churn"))
