"""Who moved, against the simulator's truth: the orders without errors, and what really became of the companies."""

from dataclasses import dataclass

import ibis.expr.types as ir
import pandas as pd
import pytest

from segml import config, features, pipeline, schema
from segml.config import Config
from segml.data import connect, load_tables
from segml.data.engine import to_table
from segml.data.simulate.world import simulate
from segml.monitor import BaseChanges, Migration, base_changes, migrations
from segml.segments import assign_rules
from support import TODAY

pytestmark = pytest.mark.slow

THEN, NOW = pd.Timestamp("2025-07-01"), pd.Timestamp("2025-10-01")
SEEDS = range(1, 11)
COUNTED = ("lifecycle", "rfm_segment", "xyz", "abc", "tier")
LEAST_AGREEMENT = {"lifecycle": 0.97, "rfm_segment": 0.97, "xyz": 0.93, "abc": 0.90, "tier": 0.90}
"""Schemes that rank the base feel each error of a large customer at many others."""


@dataclass(frozen=True)
class Seen:
    """What a refresh sees in a log."""

    moves: dict[str, Migration]
    base: BaseChanges

    def moved(self, scheme: str, seed: int) -> set[tuple[int, str, str, str]]:
        """Return who moved from where to where."""
        rows = self.moves[scheme].customers.dropna(subset=["cause"])
        return {(seed, *row) for row in rows[["customer_id", "segment_then", "segment_now"]].itertuples(index=False)}


@dataclass(frozen=True)
class Worlds:
    """All seeds together.

    Attributes
    ----------
    as_delivered, without_errors : by seed
    customers : one row a customer as delivered: its stage of both dates, its group, and what became of it in truth
    starters : companies that began between the dates
    """

    as_delivered: dict[int, Seen]
    without_errors: dict[int, Seen]
    customers: pd.DataFrame
    starters: int


def seen(lines: ir.Table, given: Config) -> Seen:
    tables: list[pd.DataFrame] = []
    for as_of in (THEN, NOW):
        base = features.build(lines, as_of, given.features)
        labels = assign_rules(features.describe(lines, base, xyz=given.segments.xyz), given.segments)
        tables.append(labels.table.merge(base[["customer_id", "revenue_365d"]]))
    then, now = tables
    return Seen(migrations(then, now, dict.fromkeys(COUNTED, ()), as_of=NOW), base_changes(then, now))


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    as_delivered, without_errors, customers, starters = {}, {}, [], 0
    for seed in SEEDS:
        given = config.load(None, ["demo.customers=500", f"demo.seed={seed}"])
        world = simulate(given.demo)
        cleaned = pipeline.prepare(load_tables(given, connect()), given, today=TODAY)
        as_delivered[seed] = seen(cleaned.lines, given)
        without_errors[seed] = seen(to_table(world.truth_lines[list(schema.ORDER_LINES.names)]), given)
        stages = as_delivered[seed].moves["lifecycle"].customers[["customer_id", "segment_then", "segment_now"]]
        groups = as_delivered[seed].base.customers[["customer_id", "group"]]
        customers.append(stages.merge(groups).merge(world.truth))
        starters += int(world.truth["started_at"].between(THEN, NOW, inclusive="left").sum())
    return Worlds(as_delivered, without_errors, pd.concat(customers, ignore_index=True), starters)


@pytest.mark.parametrize("scheme", COUNTED)
def test_moves_are_those_of_the_log_without_errors(worlds: Worlds, scheme: str) -> None:
    found, true = (
        {move for seed in SEEDS for move in source[seed].moved(scheme, seed)}
        for source in (worlds.as_delivered, worlds.without_errors)
    )
    recall, precision = len(found & true) / len(true), len(found & true) / len(found)
    print(f"{scheme}: {len(true)} moves, recall {recall:.1%}, precision {precision:.1%}")
    assert len(true) > 200
    assert min(recall, precision) >= LEAST_AGREEMENT[scheme]


def test_those_who_came_are_new_and_nobody_else_is(worlds: Worlds) -> None:
    is_new = worlds.customers["group"].isin(["new", "new, inactive at once"])
    came = worlds.customers["started_at"].between(THEN, NOW, inclusive="left")
    print(f"new: recall {is_new[came].sum() / worlds.starters:.1%}, precision {came[is_new].mean():.1%}")
    assert is_new[came].sum() >= 0.98 * worlds.starters
    assert came[is_new].mean() >= 0.98


def test_those_who_left_are_lost_as_soon_as_their_silence_lasts_three_months(worlds: Worlds) -> None:
    """All of them; a lost customer has left twice as often as one who bought then, though some only order rarely."""
    table = worlds.customers
    bought = table["segment_then"].isin(["new", "active", "stagnating"])
    left = table["leaves_at"].between(pd.Timestamp("2025-04-02"), pd.Timestamp("2025-07-01")) & bought
    lost = table["group"] == "lost"
    gone = table["leaves_at"] <= NOW
    going = gone | (table["leaves_at"] - pd.to_timedelta(table["fade_days"], unit="D") <= NOW) | _paused(table)
    print(
        f"lost: {lost[left].mean():.1%} of {left.sum()} who left; of {lost.sum()} lost {gone[lost].mean():.0%} have "
        f"left, {going[lost].mean():.0%} with those who fade or pause, {going[bought].mean():.0%} of all"
    )
    assert left.sum() > 80
    assert lost[left].mean() >= 0.99
    assert gone[lost].mean() >= 0.40
    assert going[lost].mean() >= 2 * going[bought].mean()


def _paused(table: pd.DataFrame) -> "pd.Series[bool]":
    return (table["paused_from"] < NOW) & (table["paused_until"] > THEN)


def test_those_who_returned_are_still_customers(worlds: Worlds) -> None:
    table = worlds.customers
    stays = ~(table["leaves_at"] <= NOW)
    returned, inactive = table["group"] == "returned", table["segment_then"] == "inactive"
    print(f"returned: {stays[returned].mean():.0%} have not left, of all inactive {stays[inactive].mean():.0%}")
    assert stays[returned].mean() >= 0.88
    assert stays[inactive].mean() <= 0.3


def test_declines_of_the_quarter_are_seen_and_quiet_customers_are_left_alone(worlds: Worlds) -> None:
    """Of active customers whose decline falls into the quarter two thirds move down, of those without any one in five.

    A decline: half the way into stagnation, a pause, or leaving, from one refresh to two months before the next.
    """
    table = worlds.customers[worlds.customers["segment_then"] == "active"]
    window = (pd.Timestamp("2025-04-02"), pd.Timestamp("2025-08-02"))
    half_way = table["stagnates_at"] + pd.to_timedelta(table["stagnation_days"] / 2, unit="D")
    paused = (table["paused_from"] < window[1]) & (table["paused_until"] > pd.Timestamp("2025-07-31"))
    declines = half_way.between(*window) | table["leaves_at"].between(*window) | paused
    fades = table["leaves_at"] - pd.to_timedelta(table["fade_days"], unit="D") <= NOW
    quiet = ~(declines | (table["stagnates_at"] <= NOW) | fades | _paused(table))
    moved_down = table["segment_now"].isin(["stagnating", "inactive"])
    print(
        f"declines: {moved_down[declines].mean():.0%} of {declines.sum()} seen, "
        f"{moved_down[quiet].mean():.0%} of {quiet.sum()} quiet ones in vain"
    )
    assert moved_down[declines].mean() >= 0.65
    assert moved_down[quiet].mean() <= 0.22
