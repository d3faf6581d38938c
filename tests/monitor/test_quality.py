"""Data quality against last time: hand-made deliveries, then real ledgers and false alarms."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engines import engine
from few_lines import log
from segml import pipeline
from segml.config import MonitorConfig, load
from segml.data import connect, load_tables
from segml.data.engine import to_table
from segml.language import speaking
from segml.monitor import Delivery, delivered, quality
from segml.monitor.quality import compare_rules, told_size
from support import TINY, TODAY

__all__ = ["engine"]

THEN, NOW = "2024-04-01", "2024-07-01"


def ledger(
    lines: int, taken: int, *, customers: int = 400, amount: float = 1.0, taken_amount: float | None = None
) -> Any:
    """Return a ledger of one rule: lines in, and how many of them it took."""
    money = taken * amount if taken_amount is None else taken_amount
    counted = [("in", "in", lines, lines * amount), ("repeats", "taken", taken, money)]
    counted.append(("kept", "kept", lines - taken, lines * amount - money))
    names = ("rule", "kind", "lines", "amount")
    return {
        "rules": [
            dict(zip(names, row, strict=True)) | {"customers": customers, "meaning": "exact repeats"} for row in counted
        ]
    }


def alarms(then: Any, now: Any) -> list[str]:
    table = compare_rules(then, now, MonitorConfig())
    return [str(rule) for rule in table.loc[table["is_alarm"], "rule"]]


def test_a_share_that_jumps_among_the_added_lines_is_an_alarm() -> None:
    then, now = ledger(10_000, 200), ledger(11_000, 420)
    table = compare_rules(then, now, MonitorConfig())
    (row,) = table.to_dict("records")
    assert (row["rule"], row["lines_then"], row["lines_now"]) == ("repeats", 200, 220)
    assert (row["share_then"], row["share_now"]) == (0.02, 0.22)
    assert row["is_alarm"]


def test_a_log_that_was_cut_is_compared_as_a_whole() -> None:
    (row,) = compare_rules(ledger(10_000, 200), ledger(8_000, 400), MonitorConfig()).to_dict("records")
    assert (row["share_then"], row["share_now"], row["lines_now"]) == (0.02, 0.05, 400)


def test_what_chance_or_a_few_lines_explain_is_none() -> None:
    assert alarms(ledger(10_000, 200), ledger(11_000, 222)) == []
    assert alarms(ledger(10_000, 200, customers=30), ledger(11_000, 300, customers=30, taken_amount=200.0)) == []
    assert alarms(ledger(10_000_000, 0, customers=400_000), ledger(11_000_000, 4_000, customers=400_000)) == []


def test_a_single_line_of_much_money_is_an_alarm() -> None:
    assert alarms(ledger(1_000, 10), ledger(1_100, 11, taken_amount=90.0)) == ["repeats"]


def test_a_rule_that_is_new_or_gone_is_compared_with_nothing() -> None:
    bare = ledger(10_000, 0)
    bare["rules"] = [row for row in bare["rules"] if row["rule"] != "repeats"]
    assert alarms(bare, ledger(11_000, 300)) == ["repeats"]
    assert compare_rules(ledger(11_000, 300), bare, MonitorConfig())["lines_now"].tolist() == [0]


@pytest.mark.parametrize("customers", [50, 500, 5000])
def test_without_change_hardly_any_delivery_in_twenty_alarms(customers: int) -> None:
    """Customers err at rates of their own, so that their lines go wrong together."""
    rng, found = np.random.default_rng(customers), 0
    for _ in range(40):
        rates = rng.beta(0.3, 5.7, customers)
        old, new = rng.binomial(100, rates).sum(), rng.binomial(10, rates).sum()
        then = ledger(100 * customers, int(old), customers=customers)
        now = ledger(110 * customers, int(old + new), customers=customers)
        found += bool(alarms(then, now))
    assert found <= 2


def delivery(lines: pd.DataFrame, as_of: str) -> Delivery:
    return delivered(lines, as_of, ledger(len(lines), 0))


OLD = log(
    ("a", "1", "2024-01-10", 100.0, 1.0, None),
    ("a", "2", "2024-02-10", 50.0, 1.0, None),
    ("b", "3", "2024-02-20", 70.0, 1.0, None),
    ("b", "4", "2024-03-20", 30.0, 1.0, None),
)
ADDED = log(("c", "5", "2024-05-10", 10.0, None, None), ("c", "6", "2024-06-29", 20.0, None, None))


def test_a_delivery_is_told_in_figures_that_survive_json(engine: Any) -> None:
    lines = pd.concat([OLD, ADDED]).assign(category=pd.Series(["glue", "glue", "tape", None, "board", "glue"]).array)
    found = delivered(to_table(lines, engine), NOW, ledger(6, 0))
    assert (found.lines, found.customers, found.newest_age_days) == (6, 3, 2.0)
    assert (found.recent_lines, found.recent_customers) == (2, 1)
    assert (found.recent_nulls["margin"], found.recent_nulls["category"], found.recent_nulls["channel"]) == (2, 0, 2)
    assert found.names["category"] == ("board", "glue", "tape")
    assert found.months == {"2024-01": 100.0, "2024-02": 120.0, "2024-03": 30.0, "2024-05": 10.0, "2024-06": 20.0}
    assert Delivery.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_lines_after_the_as_of_date_change_no_figure() -> None:
    assert delivery(pd.concat([OLD, ADDED]), THEN).months == delivery(OLD, THEN).months


def test_late_corrections_are_told_from_later_cancellations() -> None:
    corrected = OLD.assign(
        amount=[100.0, 80.0, 70.0, 30.0],  # an order of February was corrected
        cancelled_at=OLD["cancelled_at"].mask(OLD["order_id"] == "4", pd.Timestamp("2024-05-02").as_unit("us")),
    )
    late = log(("d", "9", "2024-01-31", 5.0, 1.0, None))
    lines = pd.concat([corrected, late, ADDED])
    found = quality(delivery(OLD, THEN), delivery(lines, NOW), lines)
    months = found.months.set_index("month")
    assert months["late"].to_dict() == {"2024-01": 5.0, "2024-02": 30.0, "2024-03": 0.0}
    assert months["cancelled"].to_dict() == {"2024-01": 0.0, "2024-02": 0.0, "2024-03": -30.0}
    assert (months["revenue_then"] + months["late"] + months["cancelled"]).tolist() == months["revenue_now"].tolist()
    assert months["is_alarm"].tolist() == [True, True, False]
    assert found.alarms[-1] == (
        "2 past months were delivered with another revenue than last time: 2024-01, 2024-02; corrections by +35, later "
        "cancellations not counted."
    )


def test_the_same_lines_with_more_behind_them_are_no_correction() -> None:
    lines = pd.concat([OLD, ADDED])
    months = quality(delivery(OLD, THEN), delivery(lines, NOW), lines).months
    assert not months["is_alarm"].any()
    assert (months["revenue_then"] == months["revenue_now"]).all()


def test_a_window_that_moved_on_is_no_correction() -> None:
    lines = pd.concat([OLD, ADDED])
    moved = lines[lines["ordered_at"] >= "2024-02-15"]
    months = quality(delivery(OLD, THEN), delivery(moved, NOW), moved).months
    assert months["month"].tolist() == ["2024-03"]
    assert not months["is_alarm"].any()


def many(margin: float | None, month: str) -> pd.DataFrame:
    return log(*((f"k{place:03}", str(place), f"2024-{month}-15", 10.0, margin, None) for place in range(200)))


def test_a_column_that_is_no_longer_filled_is_an_alarm() -> None:
    then, now = many(2.0, "02"), pd.concat([many(2.0, "02"), many(None, "05")])
    found = quality(delivery(then, THEN), delivery(now, NOW), now)
    assert found.nulls.loc[found.nulls["is_alarm"], "column"].tolist() == ["margin"]
    assert found.alarms == ("Column margin is unknown in 100.0% of the recent lines, 0.0% last time.",)
    with speaking("ru"):
        assert found.alarms[0].startswith("Столбец margin")


def test_new_names_are_a_note_and_sizes_stand_beside_each_other() -> None:
    then = OLD.assign(channel="phone", category="glue")
    now = pd.concat([then, ADDED.assign(channel="shop", category="glue")])
    found = quality(delivery(then, THEN), delivery(now, NOW), now)
    assert found.new_names["channel"] == ("shop",)
    assert found.notes == ("new in channel: shop",)
    assert found.sizes[["then", "now"]].iloc[0].tolist() == [4, 6]
    assert told_size("newest_age_days") == "age of the newest line, days"


def test_a_real_ledger_is_compared_with_itself() -> None:
    settings = load(None, TINY)
    prepared = pipeline.prepare(load_tables(settings, connect()), settings, today=TODAY)
    own = delivered(prepared.lines, prepared.as_of, prepared.ledger.to_dict())
    found = quality(own, own, prepared.lines)
    assert found.alarms == found.notes == ()
    assert len(found.rules) > 5
    assert sum(own.months.values()) == pytest.approx(float(prepared.ledger.kept.amount), rel=1e-9)
