"""What every scheme promises, on frames that nobody made by hand."""

import re
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from segml import config
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Lifecycle, Nested, Rfm, Scheme, abc_classes
from segml.schemes.rfm import segment_of
from segml.schemes.scheme import Rules
from segml.segments.rules import schemes
from segml.windows import months_in_days

AS_OF = pd.Timestamp("2025-07-01")
MANY = settings(max_examples=12, deadline=None, derandomize=True)
CONFIGURED = config.from_mapping(
    {
        "segments": {
            "custom": {
                "worth": {
                    "rules": {
                        "visit": 'tier in ["key", "growing"] and not p_churn > 0.3',
                        "letter": "revenue_90d / revenue_365d < 0.1 or region == 'Юг'",
                        "question": "not is_known(potential)",
                    },
                    "otherwise": "nothing",
                }
            },
            "nested": {
                "approach": {"levels": {"who": "company_size", "where": ["region", "tier"]}, "min_customers": 3},
                "alone": {"levels": {"what": "top_category"}, "min_customers": 1},
            },
        }
    }
).segments
ALL = schemes(CONFIGURED)
LABELS = {scheme.name: scheme.labels for scheme in ALL}

Values = st.SearchStrategy[object]

DAYS: Values = st.sampled_from([0, 0.5, 90, 91, 92, 183, 184, 365, 20_000]) | st.floats(0, 3_000)
COUNT: Values = st.sampled_from([0, 1, 2, 5]) | st.integers(0, 10**6)
SHARE: Values = st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]) | st.floats(0, 1)
POSITIVE: Values = st.sampled_from([0.0, 0.1, 1e15]) | st.floats(0, 1e9)
MONEY: Values = st.sampled_from([0.0, 0.1, 100.0, 1e15, -1e15, -0.01]) | st.floats(-1e9, 1e9)
TEXT: Values = st.sampled_from(["Север", "Юг", "b", "B", "other", "a > b", "ß"])

# The first pattern that fits a column tells what it may hold; a column of a new kind needs a line here.
KINDS: dict[str, Values] = {
    r"as_of": st.just(AS_OF),
    r"peak_season": st.sampled_from(["winter", "spring", "summer", "autumn"]),
    r"has_\w+|is_\w+": st.booleans(),
    r"_rfm_levels": st.sampled_from(["111", "155", "333", "351", "511", "555"]),
    r"days_to_\w+": st.integers(-10, 2_000),
    r"\w*_days": DAYS,
    r"\w*count\w*|employees": COUNT,
    r"nps": st.integers(0, 10),
    r"p_\w+|\w*share\w*": SHARE,
    r"revenue\w*|margin\w*|run_rate\w*": MONEY,
    r"potential|cost_to_serve|\w*_cv|\w*_lift|\w*_mean|recency_to_gap": POSITIVE,
    r"industry|region|role|need|affinity_category|top_\w+": TEXT,
}

each_scheme = pytest.mark.parametrize("scheme", ALL, ids=lambda scheme: str(scheme.name))


def kind(column: str) -> Values:
    if column in LABELS:
        return st.sampled_from([*LABELS[column], NOT_ENOUGH_DATA]) if LABELS[column] else TEXT
    fitting = [values for pattern, values in KINDS.items() if re.fullmatch(pattern, column)]
    assert fitting, f"{column!r} fits no pattern of KINDS; add what it may hold"
    return fitting[0]


@st.composite
def frames(draw: Callable[..., Any], scheme: Scheme, least: int = 0) -> pd.DataFrame:
    """Return up to 40 customers: few distinct values a column, and so ties; unknown ones, also all of a column."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    customers = int(rng.integers(least, 41)) if rng.random() < 0.8 else least + int(rng.integers(0, 2))
    columns = {}
    for column in dict.fromkeys((*scheme.requires, *scheme.uses)):
        pool = draw(st.lists(kind(column), min_size=1, max_size=5))
        if column != "as_of":
            pool += [None] * int(rng.integers(0, 3))
            if column in scheme.uses and rng.random() < 0.3:
                continue
        columns[column] = pd.Series([pool[place] for place in rng.integers(0, len(pool), customers)])
    frame = pd.DataFrame(columns, index=range(customers)).assign(customer_id=[f"c{i:02}" for i in range(customers)])
    return frame.set_index(pd.Index(rng.permutation(customers) + 100))


@each_scheme
@MANY
@given(data=st.data())
def test_each_customer_has_exactly_one_declared_label(scheme: Scheme, data: st.DataObject) -> None:
    frame = data.draw(frames(scheme))
    before = frame.copy(deep=True)
    labels = scheme.assign(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert labels.index.equals(frame.index)
    assert labels.notna().all()
    assert set(labels) <= {*declared(scheme, frame), NOT_ENOUGH_DATA}
    assert all(column.index.equals(frame.index) for column in scheme.details(frame).values())
    # Neither a second run nor the order of rows changes a label.
    pd.testing.assert_series_equal(scheme.assign(frame.iloc[::-1]).iloc[::-1], labels)


def declared(scheme: Scheme, frame: pd.DataFrame) -> Rules:
    known = scheme.known(frame)
    rules = scheme.declared(known) if len(known) else {}
    assert all(rules.values()), "each label has its rule in words"
    assert not scheme.labels or set(rules) <= set(scheme.labels)
    return rules


@each_scheme
@settings(MANY, max_examples=5)
@given(data=st.data())
def test_equal_customers_get_equal_labels(scheme: Scheme, data: st.DataObject) -> None:
    one = data.draw(frames(scheme, least=1)).iloc[:1]
    customers = data.draw(st.sampled_from([1, 5, 40]))
    alike = pd.concat([one] * customers, ignore_index=True).assign(customer_id=[f"c{i}" for i in range(customers)])
    assert scheme.assign(alike).nunique() == 1


# Cut points


@each_scheme
@MANY
@given(data=st.data())
def test_the_base_that_cut_points_come_from_keeps_its_labels(scheme: Scheme, data: st.DataObject) -> None:
    frame = data.draw(frames(scheme))
    before = frame.copy(deep=True)
    fixed = scheme.fixed(frame)
    pd.testing.assert_frame_equal(frame, before)
    pd.testing.assert_series_equal(fixed.assign(frame), scheme.assign(frame))
    for name, column in scheme.details(frame).items():
        pd.testing.assert_series_equal(fixed.details(frame)[name], column)
    assert fixed == scheme.fixed(frame.iloc[::-1])
    assert all(fixed.rules().values())


@each_scheme
@MANY
@given(data=st.data())
def test_given_cut_points_label_each_customer_alone(scheme: Scheme, data: st.DataObject) -> None:
    fixed = scheme.fixed(data.draw(frames(scheme, least=1)))
    assume(not fixed.compares_customers)
    other = data.draw(frames(scheme, least=1))
    assert fixed.fixed(other) == fixed
    labels = fixed.assign(other).astype("str")
    some = other.iloc[:: data.draw(st.integers(2, 5))]
    pd.testing.assert_series_equal(fixed.assign(some).astype("str"), labels[some.index])
    assert set(labels) <= {*declared(fixed, other), NOT_ENOUGH_DATA}


@each_scheme
@settings(MANY, max_examples=5)
@given(data=st.data())
def test_a_scheme_that_compares_nobody_stays_as_it_is(scheme: Scheme, data: st.DataObject) -> None:
    if scheme.compares_customers:
        return
    frame = data.draw(frames(scheme, least=1))
    labels = scheme.assign(frame).astype("str")
    pd.testing.assert_series_equal(scheme.assign(frame.iloc[::2]).astype("str"), labels.iloc[::2])
    assert scheme.fixed(frame) is scheme


@MANY
@given(data=st.data())
def test_a_branch_has_its_fewest_customers_or_is_the_rest(data: st.DataObject) -> None:
    scheme = next(scheme for scheme in ALL if isinstance(scheme, Nested))
    labels = scheme.assign(data.draw(frames(scheme)))
    sizes = labels[labels != NOT_ENOUGH_DATA].astype("str").value_counts()
    small = sizes.index[sizes < scheme.given.min_customers]
    assert all(label.split(" > ")[-1] == "other" for label in small)


# RFM


@pytest.mark.parametrize("bins", range(2, 10))
def test_the_map_of_rfm_gives_each_cell_one_segment(bins: int) -> None:
    cells = np.array(list(product(range(1, bins + 1), repeat=3)))
    segments = segment_of(cells, bins)
    assert len(segments) == bins**3
    assert set(segments) <= set(Rfm.labels)
    assert (segments[0], segments[-1]) == ("lost", "champions")
    if bins >= 5:
        assert set(segments) == set(Rfm.labels)


def test_the_rules_of_rfm_cover_each_place_once_and_tell_what_the_map_does() -> None:
    places: dict[tuple[int, int], str] = {}
    for label, rule in Rfm().rules().items():
        for level, first, last in re.findall(r"recency (\d) with frequency and money (\d)(?:–(\d))?", rule):
            for value in range(int(first), int(last or first) + 1):
                assert (int(level), value) not in places, "exclusive"
                places[int(level), value] = label
    assert set(places) == set(product(range(1, 6), repeat=2)), "exhaustive"
    cells = np.array([(level, value, value) for level, value in places])
    assert segment_of(cells, bins=5).tolist() == list(places.values())


# ABC

AMOUNTS = st.lists(
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 5.0, -1.0, 1e15]) | st.floats(-1e6, 1e9), min_size=1, max_size=40
)


@settings(MANY, max_examples=100)
@given(AMOUNTS)
def test_classes_follow_the_money_and_equals_are_equal(amounts: list[float]) -> None:
    classes = abc_classes(amounts)
    if max(amounts) <= 0:
        assert set(classes) == {NOT_ENOUGH_DATA}
        return
    order = np.argsort(amounts)[::-1]
    assert "".join(classes[order]) == "".join(sorted(classes))
    assert all(len(set(classes[np.asarray(amounts) == amount])) == 1 for amount in amounts)
    assert classes[order[0]] == "A"
    assert set(classes[np.asarray(amounts) <= 0]) <= {"C"}


# Lifecycle


@settings(MANY, max_examples=40)
@given(data=st.data())
def test_exactly_one_stage_of_the_lifecycle_fits(data: st.DataObject) -> None:
    frame = data.draw(frames(Lifecycle())).dropna()
    is_inactive = frame["recency_days"] >= months_in_days(AS_OF, 3)
    is_new = ~is_inactive & (frame["tenure_days"] < months_in_days(AS_OF, 6))
    is_falling = ~is_inactive & ~is_new & (frame["revenue_90d"] <= 0.5 * (frame["run_rate_daily"] * 90))
    is_active = ~is_inactive & ~is_new & ~is_falling
    stages = pd.DataFrame({"new": is_new, "active": is_active, "stagnating": is_falling, "inactive": is_inactive})
    assert (stages.sum(axis=1) == 1).all()
    assert Lifecycle().assign(frame).tolist() == stages.idxmax(axis=1).tolist()
