import pandas as pd
import pytest

from segml.report.tables import cells, concentration, score_map, with_perfect


def test_the_largest_customers_come_first_in_the_concentration_of_revenue() -> None:
    curve = concentration(pd.Series([10.0, 60, 10, 10, 10, -50, 0, 0, 0, 0]))
    assert curve["revenue_share"].iloc[[0, 10, 20, 50, 100]].tolist() == pytest.approx([0, 0.6, 0.7, 1.0, 1.0])


def test_without_revenue_there_is_no_concentration() -> None:
    assert concentration(pd.Series([-1.0, 0.0])).empty


def test_cells_count_customers_and_share_revenue() -> None:
    customers = pd.DataFrame({"abc": ["A", "A", "B"], "xyz": ["X", "X", "Z"], "revenue_365d": [60.0, 20.0, 20.0]})
    assert cells(customers, "abc", "xyz").to_dict("list") == {
        "abc": ["A", "B"],
        "xyz": ["X", "Z"],
        "customers": [2, 1],
        "revenue_share": [0.8, 0.2],
    }


def test_perfect_knowledge_finds_everyone_within_the_base_rate() -> None:
    gains = pd.DataFrame({"strategy": ["model"], "share_of_customers": [1.0], "share_captured": [1.0]})
    perfect = with_perfect(gains, 0.25).iloc[1:].set_index("share_of_customers")["share_captured"]
    assert perfect.iloc[[0, 10, 25, 60]].tolist() == pytest.approx([0, 0.4, 1.0, 1.0])
    assert with_perfect(gains, 0.0) is gains


def test_the_score_map_has_a_place_for_scores_that_nobody_has() -> None:
    customers = pd.DataFrame({"rfm_cell": ["313", "121", "313"], "revenue_365d": [50.0, 20.0, 30.0]})
    table = score_map(customers, bins=3).set_index(["recency", "frequency"])
    assert len(table) == 9
    assert table.loc[(3, 1), "customers"] == 2
    assert table.loc[(1, 2), "revenue_share"] == 0.2
    assert table["customers"].isna().sum() == 7
