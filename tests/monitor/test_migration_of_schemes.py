"""Causes of moves where the truth is known: what was done to the customers, and what to the rules."""

import pandas as pd
import pytest

from bases import AS_OF, simulated
from segml.config import SegmentsConfig
from segml.monitor import Migration, migrations
from segml.schemes import Abc
from segml.segments import assign_rules, fixed

CORE = SegmentsConfig(schemes=("abc_xyz", "rfm_activity", "value"))
MONEY = ["revenue_365d", "revenue_90d", "revenue_365d_previous", "run_rate_daily", "margin_365d"]


def later(base: pd.DataFrame) -> pd.DataFrame:
    return base.assign(as_of=AS_OF + pd.Timedelta(days=365))  # calendar months are as long as then


def moves(
    then: pd.DataFrame, now: pd.DataFrame, old: SegmentsConfig = CORE, new: SegmentsConfig = CORE
) -> dict[str, Migration]:
    old_then, new_now = assign_rules(then, old), assign_rules(now, new)
    old_now, new_then = assign_rules(now, fixed(old, then)), assign_rules(then, fixed(new, now))
    return migrations(
        old_then.table.merge(then[["customer_id", "revenue_365d"]]),
        new_now.table.merge(now[["customer_id", "revenue_365d"]]),
        {name: tuple(rules) for name, rules in new_now.rules.items()},
        as_of=now["as_of"].iloc[0],
        by_old_rules=old_now.table,
        by_new_rules=new_then.table,
    )


def causes(found: Migration) -> set[str]:
    return set(found.customers["cause"].dropna())


@pytest.fixture
def then() -> pd.DataFrame:
    return simulated(300, seed=1)


def test_where_nothing_changed_nobody_moves(then: pd.DataFrame) -> None:
    assert all((found.moved, found.masked) == (0, 0) for found in moves(then, later(then)).values())


def test_where_only_the_rules_changed_every_move_is_theirs(then: pd.DataFrame) -> None:
    stricter = CORE.model_copy(update={"abc": Abc(a_share=0.5, b_share=0.7)})
    found = moves(then, later(then), new=stricter)
    assert found["abc"].moved > 20
    assert causes(found["abc"]) == causes(found["abc_xyz"]) == {"rules"}
    assert found["tier"].moved == found["rfm_segment"].moved == 0


def test_where_all_grow_alike_the_cut_points_grow_with_them(then: pd.DataFrame) -> None:
    grown = later(then).assign(**{name: then[name] * 3 for name in MONEY})
    found = moves(then, grown)
    for scheme in ("abc", "rfm_segment", "value", "tier"):
        assert found[scheme].moved == 0
        assert found[scheme].masked > 20


def test_who_falls_moves_by_itself_and_who_only_passes_the_fallen_does_not(then: pd.DataFrame) -> None:
    fallen = then["customer_id"].isin(then.nlargest(12, "revenue_365d")["customer_id"])
    now = later(then).assign(**{name: then[name].where(~fallen, 0.0) for name in MONEY})
    found = moves(then, now)["abc"].customers
    moved = found.dropna(subset=["cause"]).set_index("customer_id")["cause"]
    assert set(moved[moved.index.isin(then.loc[fallen, "customer_id"])]) == {"customer"}
    others = moved[~moved.index.isin(then.loc[fallen, "customer_id"])]
    assert len(others) > 5
    assert set(others) == {"rules"}
