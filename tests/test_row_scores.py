"""What depends on a customer's own features alone is the same for any part of the customers."""

from dataclasses import replace

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import features, pipeline
from segml.pipeline import ROW_SCORES, columns_read, row_scores


@pytest.fixture(scope="module")
def now(small_training: pipeline.Training) -> pd.DataFrame:
    prepared = small_training.prepared
    return features.build(prepared.lines, prepared.as_of, small_training.scorer.config.features)


def test_they_are_those_of_the_decisions(small_training: pipeline.Training, now: pd.DataFrame) -> None:
    found = row_scores(now, small_training.scorer)
    assert_frame_equal(found, small_training.decided.decisions[list(ROW_SCORES)], check_exact=True)
    assert found["p_churn"].isna().any()
    assert found["p_churn"].notna().any()


def test_parts_in_any_order_make_the_whole(small_training: pipeline.Training, now: pd.DataFrame) -> None:
    shuffled = now.sample(frac=1.0, random_state=0)
    parts = [row_scores(shuffled.iloc[start::5], small_training.scorer) for start in range(5)]
    whole = pd.concat([*parts, row_scores(now.iloc[:1], small_training.scorer)]).drop_duplicates("customer_id")
    expected = row_scores(now, small_training.scorer)
    assert_frame_equal(whole.sort_values("customer_id", ignore_index=True), expected, rtol=1e-12, atol=1e-12)


def test_no_other_column_is_read(small_training: pipeline.Training, now: pd.DataFrame) -> None:
    names = columns_read(small_training.scorer)
    assert len(set(names)) == len(names)
    scores = row_scores(now[names], small_training.scorer)
    assert_frame_equal(scores, row_scores(now, small_training.scorer), check_exact=True)


def test_where_nothing_was_learnt_nobody_is_scored(small_training: pipeline.Training, now: pd.DataFrame) -> None:
    scorer = replace(small_training.scorer, risk=None, clusters=None)
    scores = row_scores(now[columns_read(scorer)], scorer)
    assert scores[["p_churn", "p_stagnation"]].isna().all(axis=None)
    assert set(scores["cluster"]) == {0}
    assert (scores["revenue_at_risk"] == 0).all()
