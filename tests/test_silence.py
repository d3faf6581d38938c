"""Silence in windows of several lengths."""

import pandas as pd
import pytest

from segml import labels

AS_OF = pd.Timestamp("2024-01-01").as_unit("us")
DAY = pd.Timedelta(days=1)


def lines_of(*rows: tuple[str, float, float]) -> pd.DataFrame:
    """Return order lines from customer, days after the as-of date, and amount."""
    table = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    moments = (AS_OF + table.pop("day") * DAY).astype("datetime64[us]")
    text = pd.Series(None, index=table.index, dtype="str")
    return table.assign(
        order_id=[str(number) for number in range(len(table))],
        ordered_at=moments,
        product_id="p",
        category=text,
        quantity=1.0,
        margin=float("nan"),
        discount=float("nan"),
        channel=text,
        region=text,
        cancelled_at=pd.Series(pd.NaT, index=table.index, dtype="datetime64[us]"),
    )


def keys(*customers: str, as_of: pd.Timestamp = AS_OF) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(customers), "as_of": as_of})


LINES = lines_of(
    ("before", -0.5, 10),
    ("at once", 0, 10),
    ("on day 30", 30, 10),
    ("late", 75, 10),
    ("returns", 5, -10),
    ("gone", -9, 1),
)


def silence(features: pd.DataFrame, until_day: int, lines: pd.DataFrame = LINES) -> pd.DataFrame:
    return labels.silence(lines, features, (30, 60, 90), known_until=AS_OF + until_day * DAY)


@pytest.mark.parametrize(
    ("customer", "silent"),
    [
        ("before", [1, 1, 1]),  # a purchase before the as-of date is past
        ("at once", [0, 0, 0]),  # one at its very moment is future
        ("on day 30", [1, 0, 0]),  # a window ends before its last moment
        ("late", [1, 1, 0]),
        ("returns", [1, 1, 1]),  # to bring something back is no purchase
    ],
)
def test_silence_lasts_until_the_first_purchase(customer: str, silent: list[float]) -> None:
    told = silence(keys(customer), until_day=90)
    assert list(told.columns) == ["customer_id", "as_of", "silent_30d", "silent_60d", "silent_90d"]
    assert told.iloc[0, 2:].tolist() == silent


def test_a_window_that_is_not_over_is_unknown() -> None:
    told = silence(keys("at once", "late"), until_day=89)
    assert told["silent_60d"].tolist() == [0, 1]
    assert told["silent_90d"].isna().all()
    assert silence(keys("late"), until_day=10).iloc[:, 2:].isna().all(axis=None)


def test_each_date_has_its_own_windows_and_the_index_is_kept() -> None:
    later = keys("late", "gone", as_of=AS_OF + 60 * DAY)
    features = pd.concat([keys("late"), later]).set_index(pd.Index([7, 3, 5]))
    told = silence(features, until_day=150)
    assert told.index.tolist() == [7, 3, 5]
    assert told["silent_30d"].tolist() == [1, 0, 1]


def test_an_order_cancelled_before_a_window_ended_is_no_purchase_in_it() -> None:
    cancelled = LINES.assign(cancelled_at=AS_OF + pd.Series([40] * len(LINES)) * DAY)
    told = silence(keys("at once"), until_day=90, lines=cancelled.astype({"cancelled_at": "datetime64[us]"}))
    assert told.iloc[0, 2:].tolist() == [0, 1, 1]
