"""Tasks against the simulator's truth: what companies really did after the as-of date."""

from dataclasses import dataclass

import pandas as pd
import pytest

from segml import config, pipeline
from segml.actions.triggers import Tasks, find_tasks
from segml.data import connect, load_tables
from segml.data.simulate.world import World, simulate
from support import SMALL, TODAY

pytestmark = pytest.mark.slow

AS_OF = pd.Timestamp("2025-07-01")
SEEDS = (7, 8, 9)
UNLIMITED = [f"tasks.owners.{name}=unlimited" for name in ("sales", "customer success", "key account manager")]
WORLD = (*SMALL, "demo.customers=500", f"as_of={AS_OF.date()}", "churn.boosting.learning_rate=0.1")
THRESHOLD = 0.4


@dataclass(frozen=True)
class Case:
    tasks: Tasks
    decisions: pd.DataFrame
    features: pd.DataFrame
    world: World

    def of(self, trigger: str) -> pd.DataFrame:
        return self.tasks.table[self.tasks.table["trigger"] == trigger].set_index("customer_id")

    @property
    def later(self) -> pd.DataFrame:
        """True purchases from the as-of date on."""
        lines = self.world.truth_lines
        return lines[(lines["ordered_at"] >= AS_OF) & (lines["amount"] > 0)]


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case(seed) for seed in SEEDS]


def case(seed: int) -> Case:
    given = config.load(
        None, [*WORLD, *UNLIMITED, f"demo.seed={seed}", f"tasks.triggers.at_risk.min_p_stagnation={THRESHOLD}"]
    )
    training = pipeline.train(pipeline.prepare(load_tables(given, connect()), given, today=TODAY), given)
    features, decisions = training.decided.features, training.decisions
    tasks = find_tasks(features, decisions, given)
    return Case(tasks, decisions.set_index("customer_id"), features.set_index("customer_id"), simulate(given.demo))


def test_reminders_come_before_the_next_order_of_regular_customers(cases: list[Case]) -> None:
    """Seven of ten at least, of those who are not overdue; a gap of half the usual length nobody can foresee."""
    in_time = pd.concat([_in_time(case) for case in cases])
    print(f"reminders: {in_time.mean():.0%} of {len(in_time)} before the next order")
    assert len(in_time) > 80
    assert in_time.mean() >= 0.70


def _in_time(case: Case) -> "pd.Series[bool]":
    next_order = case.later.groupby("customer_id")["ordered_at"].min().dt.floor("D")
    regular = (
        case.world.truth.set_index("customer_id")["gap_regularity"] >= 2
    )  # gaps vary by 70 % of their mean or less
    reminders = case.of("reorder_due")
    is_ahead = case.decisions.loc[reminders.index, "next_order_expected"] >= AS_OF + pd.Timedelta(days=5)
    has_history = case.features.loc[reminders.index, "purchase_day_count"] >= 6
    chosen = reminders[is_ahead & has_history & regular.reindex(reminders.index)]
    known = next_order.reindex(chosen.index).dropna()
    in_time: pd.Series[bool] = chosen.loc[known.index, "due_on"] <= known
    return in_time


def test_tasks_find_those_who_stagnate_in_the_quarter_ahead(cases: list[Case]) -> None:
    """Half of them at least, and 1.3 times as many as among all who are scored."""
    found = pd.concat([_found(case) for case in cases])
    recall = found.loc[found["stagnates"], "has_task"].mean()
    precision, base = found.loc[found["has_task"], "stagnates"].mean(), found["stagnates"].mean()
    print(f"at risk: recall {recall:.0%}, precision {precision:.0%}, {base:.0%} of {len(found)} stagnate")
    assert recall >= 0.50
    assert precision >= 1.3 * base


def _found(case: Case) -> pd.DataFrame:
    scored = case.decisions[case.decisions["p_stagnation"].notna()]
    quarter = case.later[case.later["ordered_at"] < AS_OF + pd.Timedelta(days=90)]
    revenue = quarter.groupby("customer_id")["amount"].sum().reindex(scored.index).fillna(0.0)
    has_task = scored.index.isin(case.of("at_risk").index)
    return pd.DataFrame({"stagnates": revenue <= 0.5 * scored["run_rate"], "has_task": has_task})


def test_inactive_customers_with_a_step_have_really_bought_nothing_for_three_months(cases: list[Case]) -> None:
    for case in cases:
        lines = case.world.truth_lines
        since = (lines["ordered_at"] < AS_OF) & (lines["ordered_at"] >= "2025-04-02") & (lines["amount"] > 0)
        # Cancelled and spoilt lines are purchases that the data do not show.
        bought = set(lines.loc[since & lines["cancelled_at"].isna() & lines["spoilt"].isna(), "customer_id"])
        assert not bought & set(case.of("win_back").index)
