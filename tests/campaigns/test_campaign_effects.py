"""The effect by segment, and what is said of it."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from campaign_worlds import worlds
from segml.campaigns import (
    ALL,
    CONTROL,
    TREATMENT,
    effects,
    even_ratio,
    from_touches,
    measure,
    outcomes,
    sample_ratio,
)
from segml.campaigns.words import cautions_after, finding
from segml.config import CampaignConfig
from segml.language import speaking
from segml.schema import DataError

START = pd.Timestamp("2024-07-01").as_unit("us")
DAY = pd.Timedelta(days=1)
CONFIG = CampaignConfig(days=10)


def lines_of(*rows: tuple[str, float, float], cancelled: dict[int, float] | None = None) -> pd.DataFrame:
    """Return order lines from customer, days after the start, and amount; a row's place -> day of its cancellation."""
    table = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    text = pd.Series(None, index=table.index, dtype="str")
    days = pd.Series(cancelled or {}, index=table.index, dtype="float64")
    return table.assign(
        ordered_at=(START + table.pop("day") * DAY).astype("datetime64[us]"),
        order_id=[f"{customer}/{place // 2}" for place, customer in enumerate(table["customer_id"])],
        product_id="p",
        category=text,
        quantity=1.0,
        margin=float("nan"),
        discount=float("nan"),
        channel=text,
        region=text,
        cancelled_at=(START + days * DAY).astype("datetime64[us]"),
    )


LINES = lines_of(
    ("a", -10.5, 1),  # before the period before
    ("a", -10, 2),
    ("a", -0.5, 4),
    ("a", 0, 8),
    ("a", 9.9, 16),
    ("a", 10, 32),  # after the window
    ("b", 3, 100),
    ("b", 3, 50),  # the same order
    ("b", 4, -30),
    ("c", -3, 70),
    ("c", 2, 70),
    ("c", 5, 7),
    cancelled={9: 2, 11: 9},  # c's first is cancelled after the start, its last before the end
)


def customers(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": list(names), "starts_on": START})


@pytest.mark.parametrize(
    ("outcome", "after", "before"),
    [
        ("revenue", [24, 120, 70, 0], [6, 0, 70, 0]),
        ("bought", [1, 1, 1, 0], [1, 0, 1, 0]),
        ("orders", [2, 1, 1, 0], [2, 0, 1, 0]),
    ],
)
def test_outcomes_count_what_was_bought_in_the_window_and_before(
    outcome: str, after: list[float], before: list[float]
) -> None:
    found = outcomes(LINES, customers("a", "b", "c", "gone"), 10, outcome, known_until=START + 10 * DAY)  # type: ignore[arg-type]
    assert found["outcome"].tolist() == after
    assert found["before"].tolist() == before
    assert found["known_since"].isna().tolist() == [False, False, False, True]


def test_nothing_after_the_window_changes_an_outcome() -> None:
    more = pd.concat([LINES, lines_of(("a", 10, 1000), ("gone", 30, 1000))], ignore_index=True)
    asked = customers("a", "b", "c")
    pd.testing.assert_frame_equal(
        outcomes(LINES, asked, 10, "revenue", known_until=START + 10 * DAY),
        outcomes(more, asked, 10, "revenue", known_until=START + 40 * DAY),
    )


def test_customers_who_were_added_later_have_a_window_of_their_own() -> None:
    asked = customers("a", "a2").assign(starts_on=[START, START + DAY])
    log = pd.concat([LINES, lines_of(("a2", 0, 5), ("a2", 10.5, 7))], ignore_index=True)
    found = outcomes(log, asked, 10, "revenue", known_until=START + 11 * DAY)
    assert found[["outcome", "before"]].to_numpy().tolist() == [[24, 6], [7, 5]]


def test_a_test_that_is_not_over_is_not_measured() -> None:
    with pytest.raises(DataError, match="runs to 2024-07-11, and orders are known to 2024-07-10"):
        outcomes(LINES, customers("a"), 10, "revenue", known_until=START + 9 * DAY)


def table_of(number: int, segments: dict[str, float], seed: int = 1, spread: float = 10.0) -> pd.DataFrame:
    """Return customers, so many a segment, with a true effect each."""
    rng = np.random.default_rng(seed)
    parts = []
    for name, effect in segments.items():
        is_treated = rng.permuted(np.arange(number) % 2 == 0)
        habit = rng.normal(100, 30, number)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"{name}{place:04}" for place in range(number)],
                    "segment": name,
                    "stratum": [f"{name} · {'low' if place % 2 else 'high'}" for place in range(number)],
                    "starts_on": START,
                    "arm": np.where(is_treated, TREATMENT, CONTROL),
                    "outcome": habit + rng.normal(0, spread, number) + effect * is_treated,
                    "before": habit + rng.normal(0, spread, number),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def test_known_effects_are_found_and_add_up() -> None:
    found = effects(table_of(200, {"key": 20.0, "small": 0.0}), CONFIG).set_index("segment")
    assert found.loc["key", "difference"] == pytest.approx(20, abs=6)
    assert found.loc[["all", "key", "small"], "stands_out"].tolist() == [True, True, False]
    assert found.loc["all", "difference"] == pytest.approx(found.loc[["key", "small"], "difference"].mean())
    assert found.loc["all", "control_mean"] == pytest.approx(found.loc[["key", "small"], "control_mean"].mean())
    assert found.loc["all", "treated"] == found.loc[["key", "small"], "treated"].sum()


def test_the_order_of_rows_changes_no_bit() -> None:
    table = table_of(60, {"key": 20.0, "small": 0.0})
    pd.testing.assert_frame_equal(
        effects(table, CONFIG), effects(table.sample(frac=1, random_state=1), CONFIG), check_exact=True
    )


def test_segments_too_small_for_an_effect_are_counted_together() -> None:
    table = pd.concat(
        [table_of(60, {"key": 0.0}), table_of(8, {"x": 0.0, "y": 0.0, "z": 0.0}), table_of(4, {"w": 0.0})]
    )
    found = effects(table, CONFIG)
    assert found["segment"].tolist() == [ALL, "key", "other"]
    assert found["treated"].tolist() == [44, 30, 14]


def test_a_single_segment_is_not_told_twice() -> None:
    assert effects(table_of(60, {"key": 0.0}), CONFIG)["segment"].tolist() == [ALL]


def test_strata_without_two_of_either_arm_are_pooled_and_nobody_is_lost() -> None:
    table = table_of(40, {"key": 0.0})
    table.loc[:2, "stratum"] = ["key · a", "key · b", "key · c"]
    found = effects(table, CONFIG).iloc[0]
    assert (found["treated"], found["control"]) == (20, 20)
    assert math.isfinite(found["low"])


def test_an_arm_of_few_is_an_error() -> None:
    with pytest.raises(DataError, match="at least 5 customers in either arm; found 4 treated and 4"):
        effects(table_of(8, {"key": 0.0}), CONFIG)


def test_segments_are_corrected_for_how_many_are_looked_at() -> None:
    found = effects(table_of(24, dict.fromkeys("abcd", 4.0), seed=3), CONFIG)
    p_value = found["p_value"].iloc[1:].sort_values(ascending=False)
    steps = (p_value * 4 / np.arange(4, 0, -1)).cummin().clip(upper=1)  # Benjamini & Hochberg, by hand
    assert found.loc[steps.index, "q_value"].tolist() == pytest.approx(steps.tolist())
    assert found["q_value"].iloc[0] == found["p_value"].iloc[0]


def test_words_tell_an_effect_noise_and_segments() -> None:
    told = finding(effects(table_of(200, {"key": 20.0, "small": 0.0}), CONFIG), CONFIG)
    assert told[0].startswith("Revenue a customer within 10 days: +")
    assert told[1] == "Chance hardly makes such a difference: the campaign works."
    assert told[2] == "Looked at together (2 segments), these stand out from chance: key."
    noise = finding(effects(table_of(12, {"key": 0.0, "small": 0.0}, spread=300.0), CONFIG), CONFIG)
    assert noise[1].startswith("This is noise: the interval is too wide")
    assert "Do not pick it." in noise[2]
    harm = finding(effects(table_of(200, {"key": -20.0}), CONFIG), CONFIG)
    assert "does harm" in harm[1]
    nothing = finding(effects(table_of(200, {"key": 0.0}), CONFIG), CONFIG)
    assert nothing[1].startswith("No effect is shown")
    same = effects(table_of(20, {"key": 0.0}).assign(outcome=1.0), CONFIG)
    assert finding(same, CONFIG) == ("All customers did the same: nothing can be told.",)


@pytest.mark.parametrize("outcome", ["revenue", "bought", "orders"])
def test_russian_has_all_the_words(outcome: str) -> None:
    config = CONFIG.model_copy(update={"outcome": outcome})
    with speaking("ru"):
        told = finding(effects(table_of(200, {"key": 20.0, "small": 0.0}), config), config)
    assert not any(word in " ".join(told) for word in ("customer", "interval", "segment", "chance"))


def test_a_broken_assignment_is_seen() -> None:
    arms = pd.Series([True] * 300 + [False] * 200)
    assert sample_ratio(arms, 0.5) < 1e-4
    assert sample_ratio(arms, 0.6) == 1.0
    segment = pd.Series(["a"] * 250 + ["b"] * 250)
    assert even_ratio(arms, segment) < 1e-4
    assert math.isnan(even_ratio(arms, pd.Series(["a"] * 500)))
    [told] = cautions_after(1e-5, 300, 500, 0)
    assert told.startswith("The arms are not what was assigned: 300 of 500 customers are treated")
    assert cautions_after(0.5, 250, 500, 1) == (
        "1 customer has no order at all in the data; it counts as zero, as assigned.",
    )


def test_who_vanished_counts_as_zero_and_is_told() -> None:
    made = worlds(1, 40, 1, share=0.5, uplift=0.0, spread=1.0, seed=1)
    names = [f"k{place}" for place in range(40)]
    rows = [(name, 1.0, 10.0 + place) for place, name in enumerate(names[:38])]
    table = customers(*names).assign(segment="s", stratum="s", arm=np.where(made.is_treated[0], TREATMENT, CONTROL))
    found = measure(lines_of(*rows), table, CONFIG, known_from=START, known_until=START + 10 * DAY, share=0.5)
    assert found.cautions[0] == "2 customers have no order at all in the data; they count as zero, as assigned."
    assert found.cautions[1].startswith("The log begins within the 10 days before the campaign")
    assert found.customers.set_index("customer_id").loc[["k38", "k39"], "outcome"].tolist() == [0, 0]
    assert found.table["treated"].sum() + found.table["control"].sum() == 40


def test_customers_whose_windows_are_not_over_are_not_counted_yet() -> None:
    names = [f"k{place}" for place in range(40)]
    starts = [START] * 30 + [START + DAY] * 10
    table = pd.DataFrame({"customer_id": names, "segment": "s", "stratum": "s", "starts_on": starts})
    table["arm"] = [TREATMENT, CONTROL] * 20
    log = lines_of(*((name, 1.0, 10.0 + place) for place, name in enumerate(names)))
    span: dict[str, Any] = {"known_from": START - 20 * DAY, "share": 0.5}
    early = measure(log, table, CONFIG, known_until=START + 10 * DAY, **span)
    assert (early.table["treated"].iloc[0], early.table["control"].iloc[0]) == (15, 15)
    assert early.cautions == ("10 customers who were added later are not counted yet: their windows are not over.",)
    late = measure(log, table, CONFIG, known_until=START + 11 * DAY, **span)
    assert (late.table["treated"].iloc[0], late.cautions) == (20, ())


TOUCHES = pd.DataFrame(
    {
        "customer_id": ["a", "a", "b", "c", "c", "d"],
        "touched_at": START + pd.to_timedelta([0.4, 2, 0.5, 1, 1, 0], unit="D"),
        "campaign": ["autumn", "autumn", "autumn", "autumn", "autumn", "winter"],
        "arm": ["treatment", "Treatment ", "control", "control", "treatment", "control"],
        "responded": [True, False, False, False, False, False],
    }
)
AUTUMN = CampaignConfig(name="autumn", min_stratum=2, strata=("tier",))


def test_touches_tell_arms_and_the_first_day() -> None:
    found = from_touches(TOUCHES, None, AUTUMN)
    assert found.customers[["customer_id", "arm"]].to_numpy().tolist() == [["a", "treatment"], ["b", "control"]]
    assert set(found.customers["starts_on"]) == {START}
    assert found.notices == ("1 customer has touches in both arms and is left out",)
    later = from_touches(TOUCHES, None, AUTUMN.model_copy(update={"start": pd.Timestamp("2024-07-03").date()}))
    assert set(later.customers["starts_on"]) == {START + 2 * DAY}


def test_touches_take_segments_from_decisions_of_before() -> None:
    decisions = pd.DataFrame({"customer_id": ["a", "x"], "tier": ["key", "small"], "as_of": START})
    found = from_touches(TOUCHES, decisions, AUTUMN).customers
    assert found["segment"].tolist() == ["key", "unknown"]
    with pytest.raises(DataError, match="when the campaign ran already"):
        from_touches(TOUCHES, decisions.assign(as_of=START + DAY), AUTUMN)


def test_what_touches_lack_is_told() -> None:
    with pytest.raises(DataError, match="no touch is of the campaign 'autum'; did you mean 'autumn'"):
        from_touches(TOUCHES, None, CampaignConfig(name="autum"))
    with pytest.raises(DataError, match=r"touches lack columns \['arm'\]"):
        from_touches(TOUCHES.drop(columns="arm"), None, AUTUMN)
    with pytest.raises(DataError, match=r"name arms \['', 'B'\]|name arms \['', 'b'\]"):
        from_touches(TOUCHES.assign(arm=pd.Series(["b", None, *["control"] * 4], dtype="str")), None, AUTUMN)
