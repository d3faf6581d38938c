"""Who is treated: shares, chances, pools, and that nobody is ever moved."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from segml.campaigns import COLUMNS, TREATMENT, Assigned, assign, balance, draw, nobody, pooled, typed
from segml.campaigns.pooling import at_least
from segml.config import CampaignConfig
from segml.schema import ConfigError, DataError

ON = "2025-07-01"
CONFIG = CampaignConfig(name="autumn", days=60, seed=3)


def decisions(customers: int, first: int = 0) -> pd.DataFrame:
    """Return customers in four strata: key or small, at low or high risk."""
    number = np.arange(first, first + customers)
    return pd.DataFrame(
        {
            "customer_id": [f"C{one:05}" for one in number],
            "tier": np.where(number % 5 == 0, "key", "small"),
            "risk_band": np.where(number % 3 == 0, "high", "low"),
            "run_rate": number * 10.0,
        }
    )


def drawn(customers: pd.DataFrame, config: CampaignConfig = CONFIG, before: pd.DataFrame | None = None) -> Assigned:
    return assign(customers, config, nobody() if before is None else before, on=ON)


def treated(table: pd.DataFrame) -> set[str]:
    return set(table.loc[table["arm"] == TREATMENT, "customer_id"])


@pytest.mark.parametrize("share", [0.5, 0.7, 0.2, 1 / 3])
@pytest.mark.parametrize("customers", [40, 101, 997])
def test_every_stratum_and_the_whole_have_the_share_up_to_one_customer(share: float, customers: int) -> None:
    table = drawn(decisions(customers), CONFIG.model_copy(update={"share": share})).table
    of_stratum = (table["arm"] == TREATMENT).groupby(table["stratum"]).agg(["sum", "size"])
    assert (abs(of_stratum["sum"] - share * of_stratum["size"]) < 1 + 1e-9).all()
    assert abs(len(treated(table)) - share * customers) < 1 + 1e-9


def test_every_customer_has_the_same_chance_whatever_the_size_of_its_stratum() -> None:
    numbers = [str(number) for number in range(23)]
    strata = ["a"] * 3 + ["b"] * 7 + ["c"] * 13
    seeds = [CONFIG.model_copy(update={"share": 0.3, "seed": seed}) for seed in range(1500)]
    chance = np.mean([draw(numbers, strata, config) for config in seeds], axis=0)
    assert abs(chance - 0.3).max() < 4.5 * np.sqrt(0.3 * 0.7 / 1500)


def test_two_customers_of_a_stratum_are_treated_together_as_often_as_quotas_allow() -> None:
    numbers = [str(number) for number in range(40)]
    draws = [draw(numbers, ["a"] * 40, CONFIG.model_copy(update={"seed": seed})) for seed in range(1500)]
    both = np.mean([one[0] and one[1] for one in draws])
    expected = 20 / 40 * 19 / 39
    assert abs(both - expected) < 4 * np.sqrt(expected * (1 - expected) / 1500)


def test_the_order_of_rows_changes_nothing() -> None:
    base = decisions(200)
    assert_frame_equal(drawn(base).table, drawn(base.sample(frac=1, random_state=1)).table)


def test_another_seed_and_another_campaign_draw_anew() -> None:
    base = decisions(200)
    one = treated(drawn(base).table)
    for change in ({"seed": 4}, {"name": "winter"}):
        other = treated(drawn(base, CONFIG.model_copy(update=change)).table)
        assert 0.3 < len(one & other) / len(one) < 0.7


def test_a_refresh_adds_new_customers_and_moves_nobody_and_forgets_nobody() -> None:
    first = drawn(decisions(100)).table
    later = pd.concat([decisions(30, first=70), decisions(25, first=200)]).assign(tier="growing", risk_band="medium")
    again = assign(later, CONFIG, first, on="2025-08-01")
    assert_frame_equal(again.table.iloc[:100], first)
    assert list(again.added["customer_id"]) == [f"C{one:05}" for one in range(200, 225)]
    assert set(again.added["starts_on"]) == {pd.Timestamp("2025-08-01")}
    assert again.notices == (
        "100 customers were assigned before and keep their arms",
        "70 of them are not among the decisions any more and stay in the test",
    )


def test_a_second_call_with_the_same_customers_changes_nothing() -> None:
    first = drawn(decisions(50)).table
    again = assign(decisions(50), CONFIG, first, on="2025-09-01")
    assert_frame_equal(again.table, first)
    assert again.added.empty


@settings(max_examples=10, deadline=None)
@given(st.lists(st.sets(st.integers(0, 60), min_size=1, max_size=40), min_size=2, max_size=5))
def test_whoever_comes_and_goes_an_arm_stays(bases: list[set[int]]) -> None:
    table, seen = nobody(), []
    for base in bases:
        customers = decisions(61).iloc[sorted(base)]
        table = assign(customers, CONFIG, table, on=ON).table
        seen.append(table.set_index("customer_id")["arm"])
    for earlier, later in pairwise(seen):
        assert later.loc[earlier.index].equals(earlier)
    assert set(seen[-1].index) == {f"C{one:05}" for one in set().union(*bases)}


def test_customers_in_a_campaign_that_runs_at_the_same_time_are_left_out_and_said() -> None:
    first = drawn(decisions(20)).table
    winter = CONFIG.model_copy(update={"name": "winter"})
    meanwhile = assign(decisions(50), winter, first, on="2025-08-29")
    assert len(meanwhile.added) == 30
    assert meanwhile.notices == ("20 customers are left out: they are in another campaign that runs at the same time",)
    afterwards = assign(decisions(50), winter, first, on="2025-08-30")  # sixty days after the first of July
    assert len(afterwards.added) == 50


def test_the_window_starts_on_the_day_that_is_set_but_never_before_the_draw() -> None:
    planned = CONFIG.model_copy(update={"start": pd.Timestamp("2025-07-10").date()})
    assert set(drawn(decisions(20), planned).table["starts_on"]) == {pd.Timestamp("2025-07-10")}
    late = assign(decisions(20), planned, nobody(), on="2025-07-20").table
    assert set(late["starts_on"]) == {pd.Timestamp("2025-07-20")}


def test_only_those_take_part_for_whom_the_rule_holds() -> None:
    config = CONFIG.model_copy(update={"where": 'tier == "key" and run_rate >= 100'})
    table = drawn(decisions(50), config).table
    assert set(table["customer_id"]) == {f"C{one:05}" for one in range(10, 50, 5)}


def test_small_strata_are_pooled_within_their_segment_and_then_with_each_other() -> None:
    sizes = {("key", "low"): 4, ("key", "high"): 1, ("key", "medium"): 2, ("new", "low"): 1, ("small", "low"): 5}
    rows = [{"tier": tier, "risk_band": band} for (tier, band), size in sizes.items() for _ in range(size)]
    base = pd.DataFrame([*rows, {"tier": None, "risk_band": "low"}])
    assert pooled(base, at_least(3)).value_counts().to_dict() == {
        "key · low": 4,
        "key · other": 3,
        "small · low": 5,
        "other": 2,
    }


def test_the_input_is_left_as_it_was() -> None:
    base, before = decisions(40), drawn(decisions(20)).table
    copies = base.copy(), before.copy()
    assign(base, CONFIG, before, on=ON)
    assert_frame_equal(base, copies[0])
    assert_frame_equal(before, copies[1])


@pytest.mark.parametrize(("name", "value"), [("share", 0.7), ("seed", 4), ("days", 30)])
def test_a_campaign_goes_on_as_it_was_begun(name: str, value: object) -> None:
    first = drawn(decisions(20)).table
    with pytest.raises(ConfigError, match=rf"begun with {name} .*set campaign.{name}="):
        drawn(decisions(30), CONFIG.model_copy(update={name: value}), first)


def test_what_is_wrong_with_decisions_is_told() -> None:
    with pytest.raises(DataError, match=r"decisions lack columns \['risk_band'\]"):
        drawn(decisions(5).drop(columns="risk_band"))
    with pytest.raises(DataError, match="customer_id 'C00000' more than once"):
        drawn(pd.concat([decisions(5), decisions(2)]))
    with pytest.raises(DataError, match="without a customer_id"):
        drawn(decisions(5).assign(customer_id=pd.Series(["a", "b", None, "d", "e"], dtype="str")))
    with pytest.raises(DataError, match="no column is named 'teir'; did you mean 'tier'"):
        drawn(decisions(5), CONFIG.model_copy(update={"where": 'teir == "key"'}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "are of version 2; this segml reads 1"),
        ({"arm": "placebo"}, r"name arms \['placebo'\]"),
        ({"days": "many"}, "cannot be read"),
        ({"seed": None}, r"have empty cells in \['seed'\]"),
        ({"customer_id": "C1"}, "customer_id 'C1' more than once"),
    ],
)
def test_what_is_wrong_with_kept_assignments_is_told(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        typed(drawn(decisions(20)).table.assign(**change), "kept.csv")
    with pytest.raises(DataError, match="lack columns"):
        typed(pd.DataFrame({"customer_id": ["a"]}), "kept.csv")


def test_the_table_has_the_columns_that_are_promised() -> None:
    table = drawn(decisions(20)).table
    assert {name: str(kind) for name, kind in table.dtypes.items()} == COLUMNS
    assert typed(table, "kept").equals(table)


def test_balance_is_in_standard_deviations() -> None:
    base = pd.DataFrame({"customer_id": list("abcd"), "money": [1.0, 3.0, 5.0, 7.0], "name": list("wxyz")})
    [row] = balance(base, pd.Series([True, True, False, False])).to_dict("records")
    assert row["column"] == "money"
    assert row["difference"] == pytest.approx(-4 / np.sqrt(2))
    assert row["by_chance"] == pytest.approx(1.96)
