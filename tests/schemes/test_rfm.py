import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.rfm import Rfm, levels_of, segment_of


def rfm_table(table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return table(
        recency_days=[2, 10, 30, 100, 300],
        order_count_365d=[50, 20, 5, 2, 0],
        revenue_365d=[9000, 4000, 700, 90, 0],
    )


def cells(features: pd.DataFrame, scheme: Rfm | None = None) -> "pd.Series[str]":
    return (scheme or Rfm()).details(features)["rfm_cell"]


def test_the_best_customer_is_555_and_the_worst_111(table: Callable[..., pd.DataFrame]) -> None:
    features = rfm_table(table)
    assert cells(features).tolist() == ["555", "444", "322", "211", "111"]
    assert Rfm().assign(features).tolist() == ["champions", "loyal", "needs attention", "hibernating", "lost"]


def test_customers_without_orders_in_the_window_score_1_and_crowd_nobody(table: Callable[..., pd.DataFrame]) -> None:
    features = table(
        recency_days=range(20),
        order_count_365d=[5, 4, 3, 2, 1] + [0] * 15,
        revenue_365d=[50, 40, 30, 20, 10] + [0] * 10 + [-3] * 5,
    )
    assert [cell[1:] for cell in cells(features)] == ["55", "44", "33", "22", "11"] + ["11"] * 15


@pytest.mark.parametrize("bins", range(2, 10))
def test_every_cell_has_exactly_one_declared_segment(bins: int) -> None:
    every = np.array(list(itertools.product(range(1, bins + 1), repeat=3)))
    segments = segment_of(every, bins)
    assert len(segments) == bins**3
    assert set(segments) <= set(Rfm.labels)
    ends = segment_of(np.array([[bins] * 3, [1] * 3, [bins, 1, 1], [1, bins, bins]]), bins)
    assert ends.tolist() == ["champions", "lost", "new or occasional", "at risk"]


def test_five_bins_use_every_segment() -> None:
    every = np.array(list(itertools.product(range(1, 6), repeat=3)))
    assert set(segment_of(every, 5)) == set(Rfm.labels)


def test_better_scores_never_lead_from_champions_to_another_segment() -> None:
    for cell in itertools.product(range(1, 6), repeat=3):
        if segment_of(np.array([cell]), 5)[0] == "champions":
            better = [np.minimum(np.array(cell) + step, 5) for step in np.eye(3, dtype=int)]
            assert set(segment_of(np.array(better), 5)) == {"champions"}, cell


@pytest.mark.parametrize(
    ("cell", "segment"),
    [
        ((5, 4, 4), "champions"),
        ((4, 4, 4), "loyal"),
        ((4, 3, 2), "potential loyalists"),
        ((5, 1, 5), "potential loyalists"),
        ((4, 1, 1), "new or occasional"),
        ((3, 3, 3), "needs attention"),
        ((2, 5, 5), "at risk"),
        ((2, 2, 2), "hibernating"),
        ((1, 3, 3), "hibernating"),
        ((1, 1, 2), "lost"),
    ],
)
def test_named_cells(cell: tuple[int, int, int], segment: str) -> None:
    assert segment_of(np.array([cell]), 5).tolist() == [segment]


def test_given_cut_points_replace_quantiles(table: Callable[..., pd.DataFrame]) -> None:
    scheme = Rfm(bins=3, recency_days_cuts=(30, 90), order_count_cuts=(2, 10), revenue_cuts=(100, 1000))
    features = table(
        recency_days=[30, 30.5, 90, 91], order_count_365d=[10, 9, 2, 1], revenue_365d=[1000, 999, 100, 99.9]
    )
    assert cells(features, scheme).tolist() == ["333", "222", "222", "111"]


def test_cut_points_must_rise_and_fit_the_bins() -> None:
    with pytest.raises(ValidationError, match="revenue_cuts must be 4 rising numbers"):
        Rfm(revenue_cuts=(100, 50, 200, 300))
    with pytest.raises(ValidationError, match=r"bins = 5.*found \[1.0\]"):
        Rfm(order_count_cuts=(1,))


def test_a_customer_with_an_unknown_value_has_no_cell(table: Callable[..., pd.DataFrame]) -> None:
    features = rfm_table(table).astype({"revenue_365d": float})
    features.loc[0, "revenue_365d"] = np.nan
    assert cells(features)[0] == NOT_ENOUGH_DATA


def test_the_rules_tell_where_each_segment_lies() -> None:
    rules = Rfm().rules()
    assert rules["champions"] == ("recency 5 with frequency and money 4–5; recency 4 with frequency and money 5")
    assert all("recency" in rule for rule in rules.values())


def test_levels_are_the_cell_of_five_bins_and_stretch_that_of_others(table: Callable[..., pd.DataFrame]) -> None:
    features = rfm_table(table)
    five = Rfm().details(features)
    assert five["_rfm_levels"].tolist() == five["rfm_cell"].tolist()
    three = Rfm(bins=3).details(features)
    assert three["rfm_cell"].tolist() == ["333", "322", "222", "111", "111"]
    assert three["_rfm_levels"].tolist() == ["555", "533", "333", "111", "111"]


@pytest.mark.parametrize("bins", range(2, 10))
def test_levels_run_from_1_to_5_and_never_fall(bins: int) -> None:
    levels = levels_of(np.arange(1, bins + 1), bins)
    assert (levels[0], levels[-1]) == (1, 5)
    assert (np.diff(levels) >= 0).all()


def test_details_of_nobody_are_empty_and_keep_the_index(table: Callable[..., pd.DataFrame]) -> None:
    features = rfm_table(table).set_axis(list("vwxyz"))
    assert Rfm().details(features)["_rfm_levels"].index.tolist() == list("vwxyz")
    assert Rfm().details(features.iloc[:0])["rfm_cell"].empty
