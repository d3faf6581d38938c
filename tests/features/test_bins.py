"""Bins of time tell of any moment in which windows of which dates it lies."""

from __future__ import annotations

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from features.logs import DATES, SAME_EACH_TIME
from segml import features
from segml.data import to_table
from segml.features import things
from segml.features.bins import SPANS, WORD_BITS, Bins

MANY = tuple(pd.Timestamp("2023-01-01") + pd.Timedelta(days=17, hours=5) * place for place in range(40))
"""Dates of more windows than a word has bits, and more than are computed side by side."""


def rows(moments: list[pd.Timestamp]) -> ibis.Table:
    return to_table(pd.DataFrame({"placed": pd.Series(moments, dtype="datetime64[us]"), "key": range(len(moments))}))


def expected(moment: pd.Timestamp, as_of: pd.Timestamp, span: str) -> bool:
    begin, end = SPANS[span]
    after = begin is None or moment >= as_of - pd.Timedelta(days=begin)
    return after and moment < as_of - pd.Timedelta(days=end)


def told(bins: Bins, table: ibis.Table, by: str, places: range) -> pd.DataFrame:
    """Return what the bits of each group of rows say of each window and date, and whether they are in several bins."""
    binned = table.mutate(bin=bins.of(table.placed))
    bits = binned.group_by(by).aggregate(**bins.gathered(binned.bin), bins=binned.bin.nunique())
    bits = bits.mutate(**bins.later(bits))
    frame: pd.DataFrame = (
        bits.select(
            by,
            "bins",
            several=bins.is_any(bits, "later"),
            **{f"{span} {place}": bins.any(bits, "bits", span, place) for span in SPANS for place in places},
        )
        .order_by(by)
        .to_pyarrow()
        .to_pandas()
    )
    return frame


@pytest.mark.parametrize("dates", [DATES, MANY[:2], MANY])
def test_every_edge_and_the_moments_beside_it(dates: tuple[pd.Timestamp, ...]) -> None:
    bins = Bins(tuple(sorted(dates)))
    nudges = [pd.Timedelta(microseconds=step) for step in (-1, 0, 1)]
    moments = [edge + nudge for edge in bins.edges for nudge in nudges]
    found = told(bins, rows(moments), "key", range(len(dates)))
    for span in SPANS:
        for place, as_of in enumerate(bins.moments):
            wanted = [expected(moment, as_of, span) for moment in moments]
            assert found[f"{span} {place}"].tolist() == wanted, (span, as_of)
    assert not found["several"].any()


def test_many_dates_take_several_words() -> None:
    assert len(Bins(MANY).edges) > 2 * WORD_BITS
    assert len(MANY) > 2 * things.TOGETHER


@settings(SAME_EACH_TIME, max_examples=30)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=5))
def test_bits_of_several_moments_are_those_of_any(days: list[int]) -> None:
    bins = Bins(MANY)
    moments = [MANY[-1] - pd.Timedelta(days=day, hours=7) for day in days]
    places = range(0, len(MANY), 7)
    found = told(bins, rows(moments).mutate(one=ibis.literal("x")), "one", places)
    for place in places:
        for span in SPANS:
            wanted = any(expected(moment, MANY[place], span) for moment in moments)
            assert found[f"{span} {place}"].tolist() == [wanted]
    assert found["several"].tolist() == [found["bins"][0] > 1]


def test_days_that_a_window_splits() -> None:
    at_noon, at_midnight = Bins((pd.Timestamp("2024-03-01 12:00"),)), Bins((pd.Timestamp("2024-03-01"),))
    moments = [
        pd.Timestamp(text) for text in ("2024-03-01 09:00", "2024-03-01 15:00", "2024-02-28", "2023-12-02 23:59")
    ]
    table = rows(moments)
    split = table.select("key", noon=at_noon.is_split(table.placed), midnight=at_midnight.is_split(table.placed))
    found = split.order_by("key").to_pyarrow().to_pandas()
    assert found["noon"].tolist() == [True, True, False, True]  # the last, 90 days before
    assert not found["midnight"].any()


def test_forty_dates_together_are_the_dates_alone(random_lines: pd.DataFrame) -> None:
    together = features.build(random_lines, MANY)
    for place in (0, 11, 12, 25, 39):
        alone = features.build(random_lines, MANY[place])
        some = together[together["as_of"] == MANY[place]].reset_index(drop=True)
        assert_frame_equal(some, alone, check_exact=True)
