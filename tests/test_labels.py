"""What happened after the as-of date."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import features, labels
from segml.config import LabelsConfig
from segml.data.engine import connect
from segml.schema import ORDER_LINES, DataError

AS_OF = pd.Timestamp("2024-01-01")
END = pd.Timestamp("2024-03-31")  # 90 days later, a leap year
LATER = pd.Timestamp("2025-01-01")


def lines_of(*rows: tuple[str, str, float] | tuple[str, str, float, str | None]) -> pd.DataFrame:
    """Return order lines from (customer, moment, amount[, cancelled])."""
    table = pd.DataFrame(
        [(*row, None)[:4] for row in rows], columns=["customer_id", "ordered_at", "amount", "cancelled_at"]
    )
    table = table.assign(order_id=[str(number) for number in range(len(rows))]).reindex(columns=ORDER_LINES.names)
    return table.astype({"ordered_at": "datetime64[us]", "cancelled_at": "datetime64[us]", "amount": "float64"})


def rates(*customers: tuple[str, float], as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    """Return what labels read of features: customers and their money a day."""
    return pd.DataFrame(customers, columns=["customer_id", "run_rate_daily"]).assign(as_of=as_of)


def outcome(lines: pd.DataFrame, known: pd.DataFrame, **others: Any) -> pd.DataFrame:
    return labels.build(lines, known, 90, known_until=LATER, **others)


TRUTH = lines_of(
    ("past", "2023-12-31 23:59:59", 500),
    ("first moment", "2024-01-01", 40),
    ("last moment", "2024-03-30 23:59:59", 50),
    ("next day", "2024-03-31", 500),
    ("half", "2024-02-01", 45),
    ("above half", "2024-02-01", 45.01),
    ("more", "2024-02-01", 200),
    ("returner", "2024-02-01", -30),
    ("buyer and returner", "2024-02-01", 60),
    ("buyer and returner", "2024-02-02", -80),
    ("gift", "2024-02-01", 0),
    ("regretted in time", "2024-02-01", 100, "2024-03-30 23:59:59"),
    ("regretted at the end", "2024-02-01", 100, "2024-03-31"),
)

EXPECTED = {  # run rate 1 a day, 90 a horizon: churned, stagnated, next revenue, lost revenue
    "past": (True, True, 0, 90),
    "first moment": (False, True, 40, 50),
    "last moment": (False, False, 50, 40),
    "next day": (True, True, 0, 90),
    "half": (False, True, 45, 45),
    "above half": (False, False, 45.01, 90 - 45.01),
    "more": (False, False, 200, 0),
    "returner": (True, True, -30, 90),
    "buyer and returner": (False, True, -20, 90),
    "gift": (True, True, 0, 90),
    "regretted in time": (True, True, 0, 90),
    "regretted at the end": (False, False, 100, 0),
    "never seen": (True, True, 0, 90),
}


def test_the_outcomes_are_those_told_by_hand() -> None:
    built = outcome(TRUTH, rates(*((name, 1.0) for name in EXPECTED)))
    told = built[["churned", "stagnated", "next_revenue", "lost_revenue"]].itertuples(index=False, name=None)
    assert dict(zip(built["customer_id"], told, strict=True)) == EXPECTED


def test_the_table_has_the_keys_the_order_and_the_index_of_the_features() -> None:
    known = rates(("b", 1.0), ("a", 2.0), ("c", 3.0)).set_index(pd.Index([7, 3, 5]))
    built = outcome(lines_of(("a", "2024-02-01", 10)), known)
    assert_frame_equal(built[["customer_id", "as_of"]], known[["customer_id", "as_of"]])
    told = ["churned", "stagnated", "next_revenue", "run_rate", "lost_revenue", "next_purchase_days"]
    assert built.columns[2:].tolist() == told
    assert built.dtypes[["churned", "stagnated"]].eq("bool").all()
    assert built["run_rate"].tolist() == [90, 180, 270]


def test_who_had_no_revenue_to_lose_loses_none() -> None:
    built = outcome(lines_of(("a", "2024-02-01", -5)), rates(("a", -1.0), ("b", 0.0)))
    assert built["lost_revenue"].tolist() == [0, 0]
    assert built["stagnated"].tolist() == [False, True]  # -5 > -45, and 0 <= 0


def test_the_drop_is_configurable() -> None:
    lines = lines_of(("a", "2024-02-01", 60))
    drops = {drop: outcome(lines, rates(("a", 1.0)), config=LabelsConfig(stagnation_drop=drop)) for drop in (0.3, 0.4)}
    assert {drop: built["stagnated"].item() for drop, built in drops.items()} == {0.3: True, 0.4: False}


def test_the_next_purchase_is_told_in_days_from_the_as_of_date() -> None:
    built = outcome(TRUTH, rates(*((name, 1.0) for name in EXPECTED))).set_index("customer_id")["next_purchase_days"]
    assert built["first moment"] == 0
    assert built["half"] == 31
    assert built["buyer and returner"] == 31
    silent = ["past", "next day", "returner", "gift", "regretted in time", "never seen"]
    assert set(built.index[built.isna()]) == set(silent)


def test_a_run_rate_that_moves_with_the_base_is_expected_where_labels_are_adjusted() -> None:
    # Run rates of 90 each; together 270 were usual, 108 came: a season of 0.4, so 36 each were expected.
    lines = lines_of(("a", "2024-02-01", 19), ("b", "2024-02-01", 89), ("later", "2024-02-01", 999))
    known = rates(("a", 1.0), ("b", 1.0), ("gone", 1.0))
    plain, adjusted = outcome(lines, known), outcome(lines, known, config=LabelsConfig(season_adjusted=True))
    assert plain["stagnated"].tolist() == [True, False, True]
    assert adjusted["stagnated"].tolist() == [False, False, True]
    assert adjusted["lost_revenue"].tolist() == pytest.approx([17, 0, 36])
    assert_frame_equal(
        adjusted[["run_rate", "next_revenue", "churned"]], plain[["run_rate", "next_revenue", "churned"]]
    )


def test_each_date_has_its_own_season() -> None:
    lines = lines_of(("a", "2024-02-01", 45), ("a", "2024-06-01", 90))
    known = pd.concat([rates(("a", 1.0)), rates(("a", 1.0), as_of=END)], ignore_index=True)
    adjusted = outcome(lines, known, config=LabelsConfig(season_adjusted=True))
    assert adjusted["lost_revenue"].tolist() == [0, 0]
    assert adjusted["stagnated"].tolist() == [False, False]


def test_a_window_past_the_end_of_the_log_is_refused() -> None:
    labels.build(TRUTH, rates(("a", 1.0)), 90, known_until=END)
    with pytest.raises(
        DataError, match=r"90 days from \['2024-01-01.*the log ends at 2024-03-30.*dates up to 2023-12-31"
    ):
        labels.build(TRUTH, rates(("a", 1.0)), 90, known_until=END - pd.Timedelta(days=1))


def test_features_without_run_rate_are_refused() -> None:
    with pytest.raises(DataError, match=r"features lack columns \['run_rate_daily'\]"):
        outcome(TRUTH, rates(("a", 1.0)).drop(columns="run_rate_daily"))


def test_a_repeated_key_is_refused() -> None:
    with pytest.raises(DataError, match="features hold customer 'a' twice at one as-of date"):
        outcome(TRUTH, rates(("a", 1.0), ("a", 1.0)))


def test_no_features_no_labels() -> None:
    built = outcome(TRUTH, rates())
    assert built.empty
    assert "churned" in built


@pytest.fixture(scope="module")
def random_lines() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    moments = pd.Timestamp("2023-01-01") + pd.to_timedelta(rng.integers(0, 730 * 86_400, 3000), unit="s")
    cancelled = moments + pd.to_timedelta(rng.integers(0, 200 * 86_400, 3000), unit="s")
    amounts = np.round(rng.normal(30, 40, 3000), 2)
    regret = (rng.random(3000) < 0.3) & (amounts > 0)
    customers = rng.integers(0, 80, 3000)
    return lines_of(
        *(
            (f"c{customer}", str(moment), float(amount), str(fate) if gone else None)
            for customer, moment, amount, fate, gone in zip(customers, moments, amounts, cancelled, regret, strict=True)
        )
    )


DATES = [pd.Timestamp(moment) for moment in ("2023-07-01", "2023-09-15", "2024-01-01", "2024-08-01 12:00")]


def test_nothing_after_the_window_changes_a_label(random_lines: pd.DataFrame) -> None:
    known = features.build(random_lines, AS_OF)
    inside = random_lines[random_lines["ordered_at"] < END]
    cut = inside.assign(cancelled_at=inside["cancelled_at"].where(inside["cancelled_at"] < END))
    assert_frame_equal(outcome(random_lines, known), outcome(cut, known), check_exact=True)


def test_dates_together_rows_in_any_order_and_threads_change_nothing(
    random_lines: pd.DataFrame, tmp_path: Path
) -> None:
    known = features.build(random_lines, DATES)
    together = outcome(random_lines, known)
    alone = pd.concat([outcome(random_lines, part) for _, part in known.groupby("as_of")])
    assert_frame_equal(together, alone, check_exact=True)
    path = tmp_path / "lines.parquet"
    random_lines.sample(frac=1, random_state=4).to_parquet(path, row_group_size=300)
    for threads in (1, 2, 4):
        assert_frame_equal(outcome(connect(threads).read_parquet(path), known), together, check_exact=True)


def test_a_plain_loop_gives_the_same_labels(random_lines: pd.DataFrame) -> None:
    known = features.build(random_lines, DATES)
    built = outcome(random_lines, known)
    for _, row in built.iterrows():
        start, end = row["as_of"], row["as_of"] + pd.Timedelta(days=90)
        of_customer = random_lines[random_lines["customer_id"] == row["customer_id"]]
        seen = of_customer[of_customer["ordered_at"].between(start, end, inclusive="left")]
        seen = seen[~(seen["cancelled_at"] < end)]
        assert row["churned"] == (not (seen["amount"] > 0).any())
        assert row["next_revenue"] == pytest.approx(seen["amount"].sum(), abs=1e-9)


def test_the_callers_frames_are_not_changed() -> None:
    lines, known = TRUTH.copy(deep=True), rates(("half", 1.0))
    before = known.copy(deep=True)
    outcome(lines, known)
    assert_frame_equal(lines, TRUTH, check_exact=True)
    assert_frame_equal(known, before, check_exact=True)
