"""The rule by which a model becomes champion: a truth table, then what must never matter."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from contenders import backtest, contender
from segml.config import PromotionConfig
from segml.language import speaking
from segml.promotion import COLUMNS, Contender, differences, judge, needs_evaluation

RULE = PromotionConfig(bootstrap=200)
GOOD, FAIR, POOR = backtest(0.5), backtest(1.0), backtest(3.0)
JITTERED = FAIR.assign(p_churn=FAIR["p_churn"] + 0.02 * np.random.default_rng(3).normal(size=len(FAIR)))
LATER = pd.Timestamp("2026-04-01")
NOBODY = FAIR.assign(customer_id="x" + FAIR["customer_id"])
SAME_RECIPE: dict[str, Any] = {"recipe": "old"}


def champion(**given: Any) -> Any:
    return contender("1", **{"recipe": "old", "backtest": FAIR, **given})


# what the challenger is, what the champion is, the outcome, and words that a reason must hold
TABLE = [
    ({"backtest": GOOD}, {}, "better", "Churn: ROC-AUC .* better"),
    ({"backtest": POOR}, {}, "worse", "Churn: ROC-AUC .* worse"),
    ({"backtest": JITTERED}, {}, "not better", "no clear difference"),
    ({"backtest": GOOD.assign(p_stagnation=POOR["p_stagnation"])}, {}, "worse", "Stagnation: .* worse"),
    ({"backtest": GOOD.assign(p_stagnation=FAIR["p_stagnation"])}, {}, "better", r"Stagnation: .*\+0.000.* no clear"),
    ({"backtest": GOOD, "stability": 0.74}, {}, "less stable", "0.740 after 0.800, a drop of more than 0.050"),
    ({"backtest": GOOD, "stability": 0.76}, {}, "better", "0.760 after 0.800, no drop"),
    ({"backtest": GOOD, "stability": np.nan}, {}, "less stable", "no found segments, the champion has"),
    ({"backtest": GOOD, "stability": np.nan}, {"stability": np.nan}, "better", "no found segments whose stability"),
    ({"backtest": POOR, "stability": 0.1}, {}, "worse", "worse"),
    ({"backtest": FAIR}, {}, "nothing new", "in nothing that changes scores"),
    ({"backtest": FAIR, "as_of": LATER}, {}, "newer", "learnt up to 2026-04-01, the champion up to 2026-01-01"),
    ({**SAME_RECIPE}, {}, "nothing new", "both look back from 2026-01-01"),
    ({**SAME_RECIPE, "data_digest": "other"}, {}, "nothing new", "both look back from 2026-01-01"),
    ({**SAME_RECIPE, "as_of": LATER}, {}, "newer", "the same by construction"),
    ({**SAME_RECIPE, "as_of": LATER, "stability": 0.7}, {}, "less stable", "a drop of more than"),
    ({**SAME_RECIPE, "as_of": LATER, "horizon_days": 60}, {}, "not comparable", "60 days ahead, version 1 90 days"),
    ({"backtest": GOOD, "currency": "EUR"}, {"currency": "RUB"}, "not comparable", "EUR, that of version 1 is RUB"),
    ({"backtest": GOOD, "currency": "EUR"}, {}, "better", "better"),
    ({"backtest": GOOD}, {"as_of": LATER}, "not comparable", "version 1 from a later date, 2026-04-01"),
    ({"backtest": GOOD, "taken_back": "7"}, {}, "taken back", "version 7, was rolled back"),
    ({"backtest": GOOD}, {"backtest": None, "unknown": "its run is gone"}, "not comparable", "its run is gone"),
    ({"backtest": None, "unknown": "nobody was scored"}, {}, "not comparable", "nobody was scored"),
    ({"backtest": NOBODY}, {}, "not comparable", "of 800 customers and dates .* both score 0"),
    ({"backtest": GOOD.assign(churned=True, stagnated=True)}, {}, "not comparable", "no outcome"),
    (
        {"backtest": GOOD.assign(stagnated=False)},
        {},
        "better",
        "Stagnation: not compared, the outcomes are not the same",
    ),
]


@pytest.mark.parametrize(("new", "old", "outcome", "words"), TABLE)
def test_verdicts(new: dict[str, Any], old: dict[str, Any], outcome: str, words: str) -> None:
    verdict = judge(contender(**new), champion(**old), RULE)
    assert verdict.outcome == outcome
    assert verdict.is_promoted == (outcome in ("better", "newer"))
    assert pd.Series(verdict.reasons).str.contains(words).any(), verdict.reasons
    decides = (
        "becomes champion in place of version 1" if verdict.is_promoted else "stays challenger; champion is version 1"
    )
    assert verdict.decision == f"Version 2 {decides}."


def test_without_a_champion_the_first_model_is_promoted() -> None:
    verdict = judge(contender("1"), None, RULE)
    assert (verdict.is_promoted, verdict.outcome) == (True, "first")
    assert verdict.decision == "Version 1 becomes champion."
    assert verdict.reasons == ("There is no champion yet: version 1 is the first.",)


@pytest.mark.parametrize("other", [None, champion()])
def test_without_automatic_promotion_the_verdict_is_told_and_nobody_promoted(other: Any) -> None:
    verdict = judge(contender(backtest=GOOD), other, RULE.model_copy(update={"automatic": False}))
    assert not verdict.is_promoted
    assert verdict.outcome in ("first", "better")
    assert verdict.decision == "Version 2 waits for a promotion by hand: promotion.automatic is off."


def test_a_model_of_which_nothing_is_known_is_not_comparable() -> None:
    verdict = judge(contender(backtest=GOOD), Contender.unreadable("1", "its run is gone"), RULE)
    assert verdict.outcome == "not comparable"
    assert verdict.reasons == ("Not comparable: what version 1 was made from cannot be read (its run is gone).",)


def test_the_difference_is_that_of_the_areas_and_lies_in_its_interval() -> None:
    found = differences(GOOD, FAIR, resamples=200).set_index("figure")
    assert list(found.index) == ["churn_roc_auc", "stagnation_roc_auc"]
    positive, negative = (GOOD.loc[GOOD["churned"] == happened, "p_churn"].to_numpy() for happened in (True, False))
    area = (positive[:, None] > negative).mean()
    row = found.loc["churn_roc_auc"]
    assert row["challenger"] == pytest.approx(area)
    assert row["difference"] == pytest.approx(row["challenger"] - row["champion"])
    assert row["difference_low"] < row["difference"] < row["difference_high"]


def test_the_interval_is_paired() -> None:
    """Two models that rank nearly alike are told apart by fewer customers than either interval would need."""
    slightly = FAIR.assign(p_churn=FAIR["p_churn"] + 0.03 * FAIR["churned"])
    row = differences(slightly, FAIR, resamples=200).iloc[0]
    assert 0 < row["difference_low"] < row["difference"] < 0.03


def test_only_customers_whom_both_score_count() -> None:
    fewer = GOOD[GOOD["customer_id"] < "c0150"]
    verdict = judge(contender(backtest=fewer), champion(), RULE)
    assert verdict.outcome == "better"
    assert verdict.figures["promotion/churn_roc_auc_difference"] == pytest.approx(
        differences(fewer, FAIR[FAIR["customer_id"] < "c0150"], resamples=200).loc[0, "difference"]
    )
    few = GOOD[GOOD["customer_id"] < "c0099"]
    assert judge(contender(backtest=few), champion(), RULE).outcome == "not comparable"


def test_the_order_of_rows_changes_nothing_and_neither_backtest_is_changed() -> None:
    good, fair = GOOD.copy(), FAIR.copy()
    straight = judge(contender(backtest=good), champion(backtest=fair), RULE)
    shuffled = judge(contender(backtest=good.sample(frac=1, random_state=1)), champion(backtest=fair[::-1]), RULE)
    assert shuffled.figures == pytest.approx(straight.figures)
    assert shuffled.reasons == straight.reasons
    assert_frame_equal(good, GOOD)
    assert_frame_equal(fair, FAIR)


def test_the_figures_are_those_of_the_table() -> None:
    verdict = judge(contender(backtest=GOOD), champion(), RULE)
    assert list(verdict.table.columns) == COLUMNS
    assert verdict.table["figure"].tolist() == ["churn_roc_auc", "stagnation_roc_auc", "min_jaccard"]
    assert verdict.figures["promotion/min_jaccard_difference"] == 0
    assert "promotion/min_jaccard_difference_low" not in verdict.figures
    assert verdict.summary()["figures"] == verdict.figures


@pytest.mark.parametrize(
    ("new", "old", "needed"),
    [
        ({}, {}, False),
        ({"data_digest": "other"}, {}, True),
        ({"backtest": backtest(1.0, dates=("2025-04-01", "2025-07-01"))}, {}, True),
        ({"data_digest": "other", "recipe": "old"}, {}, False),
        ({"data_digest": "other", "horizon_days": 60}, {}, False),
        ({}, {"backtest": None}, True),
    ],
)
def test_the_champion_is_evaluated_again_only_where_that_could_decide(
    new: dict[str, Any], old: dict[str, Any], needed: bool
) -> None:
    assert needs_evaluation(contender(**{"backtest": GOOD, **new}), champion(**old)) == needed


def test_the_verdict_speaks_the_language_of_the_report() -> None:
    with speaking("ru"):
        verdict = judge(contender(backtest=GOOD), champion(), RULE)
    assert verdict.decision.startswith("Версия 2")
    assert any("лучше" in reason for reason in verdict.reasons)
