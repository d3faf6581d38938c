from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from segml.churn import TRUSTED_TYPES, RiskModel
from segml.churn.classifier import RiskClassifier
from segml.churn.hazard import HazardModel, followed_rows, period_ends, silence_columns
from segml.churn.inputs import KEYS, model_matrix
from segml.config import ChurnConfig
from segml.schema import DataError

DAY = pd.Timedelta(days=1)
COLUMNS = ["silent_30d", "silent_60d", "silent_90d"]


def days_between(later: Any, earlier: Any) -> Any:
    return (later - earlier) / DAY


def silence_of(purchases: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return silence in the windows of a horizon of 90 days, all of them over."""
    bought = features[KEYS].merge(purchases[["customer_id", "at"]], on="customer_id")
    after = bought[bought["at"] >= bought["as_of"]]
    first = days_between(after["at"], after["as_of"]).groupby([after[key] for key in KEYS]).min()
    days = features[KEYS].join(first.rename("days"), on=KEYS)["days"].fillna(np.inf)
    return features[KEYS].assign(**{f"silent_{end}d": (days >= end).astype(float) for end in period_ends(90)})


def test_periods_fill_the_horizon() -> None:
    assert period_ends(180) == (60, 120, 180)
    assert silence_columns(90) == COLUMNS


def keys(*dates: str) -> pd.DataFrame:
    stamps = pd.to_datetime(list(dates)).as_unit("us")
    return pd.DataFrame({"customer_id": [f"C{number}" for number in range(len(dates))], "as_of": stamps})


def test_a_window_that_ends_after_the_moment_is_unknown_whatever_the_table_tells() -> None:
    told = keys("2024-01-01", "2024-03-01", "2024-04-01").assign(**dict.fromkeys(COLUMNS, 1.0))
    rows = followed_rows(told[KEYS], told, 90, known_until=pd.Timestamp("2024-03-31"))
    assert rows[COLUMNS].notna().to_numpy().tolist() == [
        [True, True, True],  # 31 March is 90 days after 1 January 2024
        [True, False, False],
        [False, False, False],
    ]


def test_a_customer_without_a_row_is_named() -> None:
    told = keys("2024-01-01", "2024-01-01").assign(**dict.fromkeys(COLUMNS, 1.0))
    with pytest.raises(DataError, match="customer 'C1' has features but no row in silence at 2024-01-01"):
        followed_rows(told[KEYS], told.head(1), 90, known_until=pd.Timestamp("2025-01-01"))


class _Constant(RiskClassifier):
    """Remembers what it was taught and answers with the number of the period."""

    def fit(self, X: Any, y: Any) -> RiskClassifier:
        self.taught_ = np.column_stack([X, y])
        return self

    def decision_functions(self, X: Any, last: Any) -> Any:
        bought = np.array([{0: 0.5, 1: 0.2, 2: 0.1}[number] for number in last])
        return np.tile(np.log(bought / (1 - bought))[:, np.newaxis], len(X))


def test_a_row_teaches_a_period_when_it_was_silent_until_then_and_the_period_is_over() -> None:
    silent = pd.DataFrame(
        [[0, 0, 0], [1, 0, 0], [1, 1, 1], [1, np.nan, np.nan], [np.nan] * 3], columns=COLUMNS, dtype="float64"
    )
    matrix = pd.DataFrame({"row": range(5)})
    taught = HazardModel(_Constant()).fit(matrix, silent).classifier_.taught_
    assert taught.tolist() == [  # row, period, bought
        [0, 0, True],
        [1, 0, False],
        [2, 0, False],
        [3, 0, False],
        [1, 1, True],
        [2, 1, False],
        [2, 2, False],
    ]


def test_silence_over_the_horizon_is_silence_in_every_period() -> None:
    model = HazardModel(_Constant()).fit(pd.DataFrame({"x": [0.0]}), pd.DataFrame([[1.0] * 3], columns=COLUMNS))
    expected = 0.5 * 0.8 * 0.9
    np.testing.assert_allclose(model.predict_proba(pd.DataFrame({"x": [1.0, 2.0]})), [[1 - expected, expected]] * 2)


def test_periods_scored_together_are_those_scored_one_by_one(followed_world: Any, learnt: RiskModel) -> None:
    assert isinstance(learnt.churn_, HazardModel)
    rows = now(followed_world)
    matrix = model_matrix(rows, learnt.inputs_, rows["as_of"].dt.day_of_year)
    by_period = [
        learnt.churn_.classifier_.predict_proba(np.column_stack([matrix, np.full(len(matrix), number)]))[:, 0]
        for number in range(3)
    ]
    assert (learnt.churn_.predict_proba(matrix)[:, 1] == np.prod(by_period, axis=0)).all()


def fit(world: Any, config: ChurnConfig, inputs: tuple[str, ...], silence: pd.DataFrame, **changes: Any) -> RiskModel:
    split = world.splits[-1]
    snapshots = world.at(*split.training, split.training[-1] + 30 * DAY, split.training[-1] + 60 * DAY)
    arguments = {
        "features": world.at(*split.training),
        "labels": world.labels,
        "base": world.features[world.features["as_of"] == split.test],
        "followed": followed_rows(snapshots, silence, 90, known_until=split.test),
    } | changes
    return RiskModel().fit(**arguments, config=config, horizon_days=90, seed=0, inputs=inputs)


@pytest.fixture(scope="module")
def followed_world(world: Any, make: Callable[..., Any]) -> Any:
    """The shared world with two later training dates."""
    last = world.splits[-1].training[-1]
    return make(world.purchases, world.splits, (last + 30 * DAY, last + 60 * DAY))


@pytest.fixture(scope="module")
def silence(followed_world: Any) -> pd.DataFrame:
    return silence_of(followed_world.purchases, followed_world.features)


@pytest.fixture(scope="module")
def learnt(followed_world: Any, quick: ChurnConfig, inputs: tuple[str, ...], silence: pd.DataFrame) -> RiskModel:
    return fit(followed_world, quick, inputs, silence)


def now(world: Any) -> pd.DataFrame:
    rows: pd.DataFrame = world.at(world.splits[-1].test)
    return rows


def test_hazards_rank_customers_out_of_time(followed_world: Any, learnt: RiskModel) -> None:
    assert isinstance(learnt.churn_, HazardModel)
    scored = now(followed_world).merge(followed_world.labels, on=KEYS)
    scores = learnt.predict(scored)
    assert roc_auc_score(scored["churned"], scores["p_churn"]) > 0.7
    assert abs(scores["p_churn"].mean() - scored["churned"].mean()) < 0.1
    assert (scores["p_stagnation"] >= scores["p_churn"]).all()


def test_what_came_after_the_test_date_changes_no_score(
    followed_world: Any, quick: ChurnConfig, inputs: tuple[str, ...], silence: pd.DataFrame, learnt: RiskModel
) -> None:
    test = followed_world.splits[-1].test
    unlike = silence.copy()
    for column, days in zip(COLUMNS, period_ends(90), strict=True):
        is_later = unlike["as_of"] + days * DAY > test
        assert is_later.any()
        unlike.loc[is_later, column] = 1 - unlike.loc[is_later, column]
    other = fit(followed_world, quick, inputs, unlike)
    pd.testing.assert_frame_equal(
        other.predict(now(followed_world)), learnt.predict(now(followed_world)), check_exact=True
    )


def test_order_of_rows_and_number_of_threads_change_no_bit(
    followed_world: Any, quick: ChurnConfig, inputs: tuple[str, ...], silence: pd.DataFrame, learnt: RiskModel
) -> None:
    with threadpool_limits(2):
        other = fit(followed_world, quick, inputs, silence.sample(frac=1, random_state=0))
        scores = other.predict(now(followed_world).sample(frac=1, random_state=1)).sort_index()
    expected = learnt.predict(now(followed_world)).sort_index()
    pd.testing.assert_frame_equal(scores, expected, check_exact=True)


def test_hazards_survive_storage_that_runs_no_code(followed_world: Any, learnt: RiskModel) -> None:
    restored = skops.io.loads(skops.io.dumps(learnt), trusted=list(TRUSTED_TYPES))
    rows = now(followed_world)
    pd.testing.assert_frame_equal(restored.predict(rows), learnt.predict(rows), check_exact=True)


def test_silence_of_another_horizon_is_refused(
    followed_world: Any, quick: ChurnConfig, inputs: tuple[str, ...], silence: pd.DataFrame
) -> None:
    followed = followed_world.at(followed_world.splits[-1].training[0]).merge(silence, on=KEYS)
    with pytest.raises(DataError, match=r"followed rows lack columns \['silent_60d'\]"):
        fit(followed_world, quick, inputs, silence, followed=followed.drop(columns="silent_60d"))
