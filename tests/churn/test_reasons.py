from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import logit

from segml.churn import RiskModel, assess, explain
from segml.churn.phrases import all_well, phrase
from segml.churn.reasons import contributions, groups_of
from segml.config import ChurnConfig
from segml.features import CATALOG


@pytest.fixture(scope="session")
def learnt(world: Any, quick: ChurnConfig, inputs: tuple[str, ...]) -> RiskModel:
    split = world.splits[-1]
    base = world.features[world.features["as_of"] == split.test]
    return RiskModel().fit(
        world.at(*split.training), world.labels, base=base, config=quick, horizon_days=90, seed=0, inputs=inputs
    )


@pytest.fixture(scope="session")
def now(world: Any) -> pd.DataFrame:
    """All customers at the last test date, scored or not."""
    rows: pd.DataFrame = world.features[world.features["as_of"] == world.splits[-1].test]
    return rows


@pytest.fixture(scope="session")
def lifecycle(now: pd.DataFrame) -> pd.Series:
    stages = np.where(now["recency_days"] >= 90, "inactive", np.where(now["tenure_days"] < 180, "new", "active"))
    return pd.Series(stages, index=now.index)


@pytest.mark.parametrize(
    ("group", "figures", "sentence"),
    [
        ("silence", {"gap_mean_days": 24.4, "recency_days": 61.3}, "orders every 24 days, silent for 61"),
        ("silence", {"gap_mean_days": 24.4, "recency_days": 3.0}, None),
        ("silence", {"gap_mean_days": np.nan, "recency_days": 61.3}, "one purchase day only, 61 days ago"),
        ("rhythm", {"order_count_90d": 1.0, "order_count_365d": 9.0}, "1 order in the last 90 days, 9 in the last 365"),
        ("order value", {"order_value_last_to_mean": 0.55}, "last order is 45 % below its mean order value"),
        ("order value", {"order_value_last_to_mean": 1.6}, None),
        ("revenue level", {"revenue_365d": 12345.6}, "revenue of 12,346 in the last 365 days"),
        (
            "revenue trend",
            {"revenue_90d_to_run_rate": 0.6},
            "revenue of the last 90 days is 40 % below its run rate",
        ),
        ("revenue trend", {"revenue_90d_to_run_rate": 1.2}, None),
        (
            "revenue trend",
            {"revenue_90d_to_run_rate": 1.001, "revenue_30d_to_run_rate": 0.2},
            "revenue of the last 30 days is 80 % below its run rate",
        ),
        ("revenue trend", {"revenue_90d_to_run_rate": np.nan}, None),
        (
            "season",
            {"revenue_90d_last_year_to_run_rate": 0.5},
            "a weak season lies ahead: a year ago its 90 days were 50 % below the present run rate",
        ),
        ("assortment", {"product_count_365d": 1.0}, "bought 1 product in the last 365 days"),
        (
            "assortment",
            {"category_count_365d_to_previous": 0.6, "product_count_365d_to_previous": 0.5, "product_count_365d": 9.0},
            "buys 40 % fewer product families than a year before",
        ),
        (
            "assortment",
            {"category_count_365d_to_previous": 1.0, "product_count_365d_to_previous": 0.5, "product_count_365d": 9.0},
            "buys 50 % fewer products than a year before",
        ),
        (
            "assortment",
            {"product_count_365d_to_previous": 0.97, "product_count_365d": 9.0},
            "bought 9 products in the last 365 days",
        ),
        ("renewal of assortment", {"new_product_share_90d": 0.12}, "12 % of its products of the last 90 days are new"),
        ("order size", {"lines_last3_to_mean": 0.7}, "lines of the last three orders are 30 % below its mean order"),
        ("returns", {"return_share_365d": 0.09}, "returned 9 % of the purchases of the last 365 days"),
        ("returns", {"return_share_365d": 0.0}, None),
        ("returns", {"return_share_365d": 0.005}, None),
        ("margin", {"margin_share_365d": 0.12}, "margin of 12 % over the last 365 days"),
        ("margin", {"discount_share_365d": 0.3}, "discount of 30 % over the last 365 days"),
        ("tenure", {"tenure_days": 243.5}, "customer for only 8 months"),
        ("tenure", {"tenure_days": 800.0}, None),
        ("weather", {}, None),
    ],
)
def test_sentences_state_the_customers_own_figures(group: str, figures: dict[str, float], sentence: str | None) -> None:
    assert phrase(group, figures) == sentence


def test_good_news_is_short() -> None:
    figures = {"gap_mean_days": 14.2, "recency_days": 5.0}
    assert all_well(figures) == "no warning sign: orders every 14 days, last purchase 5 days ago"
    assert all_well({"recency_days": 1.0}) == "no warning sign: last purchase 1 day ago"


def test_every_group_of_the_catalogue_has_its_sentence() -> None:
    figures = {feature.name: 0.5 for feature in CATALOG}
    groups = {feature.group for feature in CATALOG if feature.is_model_input}
    assert {group for group in groups if not phrase(group, figures)} == set()


def test_a_group_that_is_healthy_already_changes_nothing(learnt: RiskModel, now: pd.DataFrame) -> None:
    for group, names in groups_of(learnt).items():
        healthy = now.head(20).assign(**{name: learnt.healthy_[name] for name in names})
        assert (contributions(learnt, healthy)[group] == 0).all()


def test_every_input_is_in_one_group(learnt: RiskModel) -> None:
    names = [name for names in groups_of(learnt).values() for name in names]
    assert sorted(names) == sorted(learnt.inputs_)


def test_a_rise_of_risk_is_put_on_the_group_that_made_it(learnt: RiskModel, now: pd.DataFrame) -> None:
    healthy = now.assign(**learnt.healthy_)
    seldom = healthy.assign(order_count_365d=1.0, order_count_90d=0.0, purchase_day_count=2.0, gap_mean_days=300.0)
    effect = contributions(learnt, seldom).iloc[0]
    assert effect.idxmax() == "rhythm"
    assert effect["rhythm"] > 0.3


def test_an_effect_is_the_mean_drop_in_logits_of_both_scores(learnt: RiskModel, now: pd.DataFrame) -> None:
    few = now.head(5)
    healthy = few.assign(tenure_days=learnt.healthy_["tenure_days"])
    before, after = (logit(learnt.predict(rows).to_numpy()).mean(axis=1) for rows in (few, healthy))
    np.testing.assert_allclose(contributions(learnt, few)["tenure"], before - after)


def test_risky_customers_get_one_to_three_reasons_and_calm_ones_good_news(learnt: RiskModel, now: pd.DataFrame) -> None:
    scores = learnt.predict(now)
    scores.iloc[0], scores.iloc[1] = (0.05, 0.1), (0.05, 0.9)
    told = explain(learnt, now, scores, ChurnConfig())
    assert told.index.equals(now.index)
    assert told.iloc[0].startswith("no warning sign: ")
    assert not told.iloc[1].startswith("no warning sign")
    risky = told[~told.str.startswith("no warning sign")]
    assert risky.str.count("; ").between(0, 2).all()
    assert (risky.str.len() > 0).all()


def test_the_weightiest_reason_comes_first(learnt: RiskModel, now: pd.DataFrame) -> None:
    scores = learnt.predict(now)
    risky = now.loc[scores["p_churn"].nlargest(20).index]
    told = explain(learnt, risky, scores.loc[risky.index], ChurnConfig())
    first = contributions(learnt, risky).idxmax(axis=1)
    figures: Any = risky.drop(columns=["customer_id", "as_of"]).to_dict("records")
    for row, group, sentence in zip(figures, first, told, strict=True):
        expected = phrase(str(group), row)
        assert expected is None or sentence.startswith(expected)


def test_whom_a_rule_labels_gets_the_rule_as_reason(learnt: RiskModel, now: pd.DataFrame, lifecycle: pd.Series) -> None:
    risk = assess(learnt, now, lifecycle, lifecycle == "active", ChurnConfig())
    assert list(risk.columns) == ["customer_id", "p_churn", "p_stagnation", "risk_band", "reasons"]
    assert risk.index.equals(now.index)
    unscored = lifecycle != "active"
    for column in ("p_churn", "p_stagnation", "risk_band"):
        assert (risk[column].isna() == unscored).all(), column
    assert risk["reasons"].notna().all()
    assert risk.loc[lifecycle == "inactive", "reasons"].str.fullmatch(r"no purchase for [\d,]+ days").all()
    assert risk.loc[lifecycle == "new", "reasons"].str.fullmatch(r"first purchase \d+ days? ago").all()


def test_nobody_scored_is_no_trouble(learnt: RiskModel, now: pd.DataFrame, lifecycle: pd.Series) -> None:
    risk = assess(learnt, now, lifecycle, lifecycle == "nothing", ChurnConfig())
    assert risk["p_churn"].isna().all()
    assert risk["reasons"].notna().all()


def test_reasons_work_for_the_fallback_too(
    world: Any, now: pd.DataFrame, quick: ChurnConfig, inputs: tuple[str, ...]
) -> None:
    model = RiskModel().fit(world.at(), world.labels, base=now, config=quick, horizon_days=90, seed=0, inputs=inputs)
    effects = contributions(model, now)
    assert np.isfinite(effects.to_numpy()).all()
    assert (effects["revenue level"] == 0).all()
    assert (effects["rhythm"] != 0).any()
