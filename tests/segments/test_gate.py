import json
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from segml.config import GateConfig, SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Scheme
from segml.schemes.scheme import Labels, Rules
from segml.segments import Caution, as_tags, base_cautions, messages_by_scheme, scheme_cautions
from segml.segments.rules import RuleLabels

CONFIG = SegmentsConfig()


class Kind(Scheme):
    """A scheme that combines as many criteria as it is told to."""

    column = "kind"
    title = "Kinds"
    question = "Of which kind is a customer?"

    combined: int = 1

    @property
    def criteria(self) -> int:
        """As given."""
        return self.combined

    @property
    def requires(self) -> tuple[str, ...]:
        """Nothing: the tests give the labels."""
        return ()

    def label(self, known: pd.DataFrame) -> Labels:
        """Return one kind for all."""
        return np.full(len(known), "a", dtype=object)

    def rules(self) -> Rules:
        """Return the only rule."""
        return {"a": "everyone"}


class Matrix(Kind):
    """The same, read as a matrix."""

    is_grid = True


def of_scheme(
    labels: Sequence[str],
    *,
    revenue: Sequence[float] | None = None,
    orders: Sequence[int] | None = None,
    scheme: Scheme | None = None,
    config: SegmentsConfig = CONFIG,
) -> dict[str, Caution]:
    """Return the cautions about customers with these labels, by code; money and orders are 1 unless given."""
    ids = [f"c{place:05}" for place in range(len(labels))]
    base = pd.DataFrame({"customer_id": ids, "revenue_365d": 1.0, "order_count_365d": 1})
    base = base.assign(
        revenue_365d=base["revenue_365d"] if revenue is None else revenue,
        order_count_365d=base["order_count_365d"] if orders is None else orders,
    )
    told = RuleLabels(pd.DataFrame({"customer_id": ids, "kind": labels}), (scheme or Kind(),), {}, {})
    return {caution.code: caution for caution in scheme_cautions(told, base, config)}


def halves(customers: int) -> list[str]:
    """Return labels of two segments of one size."""
    return ["a", "b"] * (customers // 2)


# The base


@pytest.mark.parametrize(
    ("customers", "silent_days", "history_days", "codes"),
    [
        (20, 31, 365, []),
        (19, 31, 365, ["few_customers"]),
        (0, 31, 365, ["few_customers"]),
        (20, 31.5, 365, ["stale_data"]),
        (20, 32, 365, ["stale_data"]),
        (20, 31, 364, ["short_history"]),
        (19, 32, 364, ["few_customers", "stale_data", "short_history"]),
    ],
)
def test_a_base_is_cautioned_beyond_each_limit_and_not_at_it(
    customers: int, silent_days: float, history_days: float, codes: list[str]
) -> None:
    found = base_cautions(customers, silent_days=silent_days, history_days=history_days, config=CONFIG)
    assert [caution.code for caution in found] == codes
    assert all((caution.scheme, caution.segment) == ("", "") for caution in found)


def test_cautions_about_the_base_name_the_figure_and_what_to_do() -> None:
    few, stale, short = base_cautions(1, silent_days=1032, history_days=364, config=CONFIG)
    assert (few.figure, stale.figure, short.figure) == (1, 1032, 364)
    assert few.message.startswith("1 customer, fewer than 20")
    assert few.message.endswith("look at each customer, and go by lifecycle")
    assert "1,032 days old" in stale.message
    assert stale.message.endswith("load newer data")
    assert "covers 364 days, less than 365" in short.message
    assert short.message.endswith("load a longer log")


def test_limits_of_the_base_are_configuration() -> None:
    config = SegmentsConfig(min_customers=5, gate=GateConfig(stale_days=90, min_history_days=30))
    assert base_cautions(5, silent_days=90, history_days=30, config=config) == ()


# Schemes


@pytest.mark.parametrize(("known", "is_cautioned"), [(19, False), (20, True)])
def test_a_scheme_that_knows_fewer_than_20_customers_is_left_to_the_caution_of_the_base(
    known: int, is_cautioned: bool
) -> None:
    labels = ["a"] * known + [NOT_ENOUGH_DATA] * 30
    assert ("dominant_segment" in of_scheme(labels)) is is_cautioned


@pytest.mark.parametrize(("segments", "is_cautioned"), [(8, False), (9, True)])
def test_more_than_8_segments_are_too_many(segments: int, is_cautioned: bool) -> None:
    found = of_scheme([f"s{place % segments}" for place in range(90)])
    assert ("many_segments" in found) is is_cautioned


def test_customers_of_whom_too_little_is_known_are_no_segment() -> None:
    labels = [f"s{place % 8}" for place in range(80)] + [NOT_ENOUGH_DATA] * 500
    assert {"many_segments", "small_segment", "dominant_segment"}.isdisjoint(of_scheme(labels))


def test_a_grid_may_have_many_and_small_segments() -> None:
    labels = [f"s{place}" for place in range(200)]
    assert {"many_segments", "small_segment"} <= set(of_scheme(labels))
    assert {"many_segments", "small_segment"}.isdisjoint(of_scheme(labels, scheme=Matrix()))


@pytest.mark.parametrize(
    ("customers", "revenue_share", "is_cautioned"),
    [
        (99, 0.0, True),
        (99, 0.049, True),
        (99, 0.05, False),
        (100, 0.0, False),
    ],
    ids=["0.99 % without revenue", "0.99 % with 4.9 %", "0.99 % with 5 % of revenue", "1 %"],
)
def test_a_segment_under_1_percent_is_too_small_unless_it_carries_5_percent_of_revenue(
    customers: int, revenue_share: float, is_cautioned: bool
) -> None:
    rest = 10_000 - customers
    labels = ["few"] * customers + halves(rest + rest % 2)[:rest]
    revenue = [revenue_share * 1e6 / customers] * customers + [(1 - revenue_share) * 1e6 / rest] * rest
    found = of_scheme(labels, revenue=revenue)
    assert ("small_segment" in found) is is_cautioned


def test_segments_of_a_base_without_revenue_are_small_by_their_customers() -> None:
    found = of_scheme(["few", *halves(200)], revenue=[0.0] * 201)
    assert found["small_segment"].segment == "few"


@pytest.mark.parametrize(("largest", "is_cautioned"), [(94, False), (95, True), (100, True)])
def test_a_segment_of_95_percent_dominates(largest: int, is_cautioned: bool) -> None:
    found = of_scheme(["a"] * largest + ["b"] * (100 - largest))
    assert ("dominant_segment" in found) is is_cautioned


@pytest.mark.parametrize(("criteria", "is_cautioned"), [(4, False), (5, True)])
def test_more_than_4_criteria_are_too_many(criteria: int, is_cautioned: bool) -> None:
    found = of_scheme(halves(40), scheme=Kind(combined=criteria))
    assert ("many_criteria" in found) is is_cautioned


EVEN = [float(place // 2) for place in range(40)]
"""The same values in both halves."""
APART = [float(place % 2 * 100 + place) for place in range(40)]
"""Larger in the second half."""


@pytest.mark.parametrize(
    ("revenue", "orders", "is_cautioned"),
    [
        (EVEN, EVEN, True),
        (APART, EVEN, False),
        (EVEN, APART, False),
        ([7.0] * 40, EVEN, True),
        ([7.0] * 40, APART, False),
        ([7.0] * 40, [7.0] * 40, True),
    ],
    ids=["alike", "revenue differs", "orders differ", "equal revenue", "equal revenue, orders differ", "all equal"],
)
def test_segments_that_differ_neither_in_revenue_nor_in_orders_are_cautioned(
    revenue: list[float], orders: list[float], is_cautioned: bool
) -> None:
    found = of_scheme(halves(40), revenue=revenue, orders=[int(value) for value in orders])
    assert ("no_difference" in found) is is_cautioned


def test_a_single_segment_is_dominant_and_not_compared() -> None:
    assert set(of_scheme(["a"] * 40, revenue=EVEN)) == {"dominant_segment"}


def test_limits_of_schemes_are_configuration() -> None:
    gate = GateConfig(max_segments=9, min_segment_share=0.0, dominant_share=1.0, max_criteria=5)
    config = SegmentsConfig(gate=gate)
    nine = [f"s{place % 9}" for place in range(90)]
    revenue = [float(place % 9) for place in range(90)]
    assert of_scheme(nine, revenue=revenue, scheme=Kind(combined=5), config=config) == {}
    assert set(of_scheme(["a"] * 199 + ["b"], config=config)) == {"no_difference"}


def test_how_sure_a_difference_must_be_is_configuration() -> None:
    revenue = [float(place + place % 2 * 3) for place in range(40)]
    strict, lenient = (SegmentsConfig(gate=GateConfig(difference_p_value=limit)) for limit in (0.05, 0.9))
    assert "no_difference" in of_scheme(halves(40), revenue=revenue, config=strict)
    assert "no_difference" not in of_scheme(halves(40), revenue=revenue, config=lenient)


def test_cautions_about_schemes_name_the_figure_and_what_to_do() -> None:
    labels = ["most"] * 990 + [f"s{place % 8}" for place in range(10)]
    found = of_scheme(labels, scheme=Kind(combined=5))
    assert set(found) == {"many_segments", "small_segment", "dominant_segment", "many_criteria", "no_difference"}
    assert all(caution.scheme == "kind" for caution in found.values())
    parts = {
        "many_segments": (9, "", "9 segments, more than 8", "use fewer or broader criteria"),
        "small_segment": (0.001, "s7", "“s7” has 0.1% of customers and 0.1% of revenue, under 1% and 5%", "merge it"),
        "dominant_segment": (0.99, "most", "“most” holds 99% of customers, 95% or more", "move its thresholds"),
        "many_criteria": (5, "", "5 criteria at a time, more than 4", "take the strongest two to four"),
        "no_difference": (1.0, "", "Kruskal–Wallis p = 1.000, 0.05 or more", "treat them alike"),
    }
    for code, (figure, segment, states, advises) in parts.items():
        caution = found[code]
        assert (caution.figure, caution.segment) == (figure, segment)
        assert states in caution.message
        assert caution.message.endswith(advises)


def test_cautions_do_not_depend_on_the_order_of_rows_and_leave_the_tables_alone() -> None:
    ids = [f"c{place:03}" for place in range(100)]
    base = pd.DataFrame({"customer_id": ids, "revenue_365d": np.arange(100) / 3, "order_count_365d": 1})
    table = pd.DataFrame({"customer_id": ids, "kind": ["a"] * 96 + ["b"] * 4})
    labels = RuleLabels(table, (Kind(),), {}, {})
    before = base.copy(), table.copy()
    expected = scheme_cautions(labels, base, CONFIG)
    assert scheme_cautions(labels, base[::-1], CONFIG) == expected != ()
    pd.testing.assert_frame_equal(base, before[0])
    pd.testing.assert_frame_equal(table, before[1])


# What becomes of them


def test_tags_are_json_that_reads_back() -> None:
    found = [
        Caution("small_segment", "kind", "мелкие", 0.004, "too small"),
        Caution("small_segment", "tier", "small", 0.002, "too small"),
        Caution("stale_data", "", "", 40.0, "too old"),
    ]
    tags = as_tags(found)
    assert {code: json.loads(text) for code, text in tags.items()} == {
        "caution.small_segment": [
            {"scheme": "kind", "segment": "мелкие", "figure": 0.004},
            {"scheme": "tier", "segment": "small", "figure": 0.002},
        ],
        "caution.stale_data": [{"scheme": "", "segment": "", "figure": 40.0}],
    }
    assert "мелкие" in tags["caution.small_segment"]


def test_no_cautions_give_no_tags_and_no_messages() -> None:
    assert as_tags([]) == {}
    assert messages_by_scheme([]) == {}


def test_messages_are_gathered_by_scheme() -> None:
    found = [
        Caution("many_segments", "kind", "", 9.0, "first"),
        Caution("many_criteria", "tier", "", 5.0, "other"),
        Caution("no_difference", "kind", "", 0.4, "second"),
    ]
    assert messages_by_scheme(found) == {"kind": ["first", "second"], "tier": ["other"]}
