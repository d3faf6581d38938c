import numpy as np
import pandas as pd
import pytest

from bases import AS_OF, outcomes, past_of, simulated
from segml.schema import DataError
from segml.segments import Past, earlier

QUARTER = pd.Timedelta(days=90)


def test_next_revenue_stands_in_the_order_of_the_customers(base: pd.DataFrame) -> None:
    after = outcomes(base, seed=0)
    found = earlier(base.sample(frac=1, random_state=0), after.sample(frac=1, random_state=1))
    assert found.features["customer_id"].tolist() == sorted(base["customer_id"])
    assert found.next_revenue.index.tolist() == found.features["customer_id"].tolist()
    assert found.next_revenue["c0007"] == after.set_index("customer_id").loc["c0007", "next_revenue"]


def test_more_returned_than_bought_counts_as_nothing(base: pd.DataFrame) -> None:
    after = outcomes(base, seed=0)
    after.loc[:49, "next_revenue"] = -900.0
    found = earlier(base, after)
    assert (found.log_revenue[:50] == 0).all()
    assert found.log_revenue[50:] == pytest.approx(np.log1p(after["next_revenue"][50:]))


def test_a_customer_without_a_next_revenue_is_named(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="lack next_revenue of 1 customers in features, such as 'c0000'"):
        earlier(base, outcomes(base, seed=0).iloc[1:])


def test_labels_of_two_dates_are_refused(base: pd.DataFrame) -> None:
    after = outcomes(base, seed=0)
    with pytest.raises(DataError, match="one row a customer in labels"):
        earlier(base, pd.concat([after, after]))


def test_labels_without_money_are_refused(base: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="next_revenue"):
        earlier(base, base[["customer_id"]])


def test_bases_are_counted_back_from_the_latest() -> None:
    past = past_of(2, customers=30)
    assert [past.before(place) is not None for place in range(3)] == [True, True, False]
    latest = past.before(0)
    assert latest is not None
    assert latest.features["as_of"].iloc[0] == AS_OF - QUARTER


@pytest.mark.parametrize("days", [0, 89, -90])
def test_bases_whose_horizons_overlap_are_refused(days: int) -> None:
    dates = AS_OF, AS_OF - pd.Timedelta(days=days)
    bases = [earlier(base, outcomes(base, 0)) for base in (simulated(30, 0, moment) for moment in dates)]
    with pytest.raises(DataError, match="a horizon of 90 days apart; found"):
        Past(bases, 90)
