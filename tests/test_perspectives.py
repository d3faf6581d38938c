"""Two dates by the rules of both: with the same rules nothing but the customers differs."""

from dataclasses import replace

import pandas as pd
import pytest

from segml import config
from segml.pipeline import Memory, Training, score
from segml.pipeline.perspectives import Perspectives, perspectives

AUTUMN = pd.Timestamp("2025-10-01")
LABELS = ["lifecycle", "rfm_segment", "abc", "tier", "cluster_name", "risk_band"]


def autumn(training: Training) -> Memory:
    """Return what a refresh in autumn would have left."""
    decided = score(replace(training.prepared, as_of=AUTUMN), training.scorer)
    return Memory(AUTUMN, decided.decisions, decided.features, scorer=training.scorer)


def seen(training: Training, memory: Memory) -> Perspectives:
    """Return both dates by the rules of both."""
    return perspectives(memory, training.decided, training.prepared, training.scorer)


@pytest.fixture(scope="module")
def memory(small_training: Training) -> Memory:
    """What a refresh in autumn would have left."""
    return autumn(small_training)


def labels(table: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    return table.set_index("customer_id")[names].sort_index()


def test_at_one_date_all_four_are_the_same(small_training: Training) -> None:
    training = small_training
    now = Memory(training.prepared.as_of, training.decisions, training.decided.features, scorer=training.scorer)
    found = seen(training, now)
    assert found.now_by_old is not None
    for table in (found.then_by_new, found.now_by_old, found.then):
        pd.testing.assert_frame_equal(labels(table, LABELS), labels(training.decisions, LABELS))


def test_schemes_that_learn_nothing_from_the_base_differ_by_the_customers_alone(
    small_training: Training, memory: Memory
) -> None:
    found = seen(small_training, memory)
    assert found.now_by_old is not None
    fixed_rules = ["lifecycle", "xyz", "cluster_name", "risk_band"]
    pd.testing.assert_frame_equal(labels(found.then_by_new, fixed_rules), labels(memory.decisions, fixed_rules))
    pd.testing.assert_frame_equal(labels(found.now_by_old, fixed_rules), labels(small_training.decisions, fixed_rules))


def test_quantiles_of_then_are_kept_for_the_customers_of_now(small_training: Training, memory: Memory) -> None:
    found = seen(small_training, memory)
    assert found.now_by_old is not None
    own, others = labels(small_training.decisions, ["rfm_cell"]), labels(found.now_by_old, ["rfm_cell"])
    assert 0 < (own != others).to_numpy().mean() < 0.5


def test_features_that_were_not_recorded_are_built_from_the_lines_before_that_date(
    small_training: Training, memory: Memory
) -> None:
    recorded, built = (seen(small_training, replace(memory, features=base)) for base in (memory.features, None))
    for name in ("then_by_new", "now_by_old"):
        pd.testing.assert_frame_equal(
            labels(getattr(recorded, name), LABELS), labels(getattr(built, name), LABELS), obj=name
        )


def test_features_defined_otherwise_are_built_anew(small_training: Training, memory: Memory) -> None:
    settings = small_training.config.model_dump(mode="json")
    settings["features"]["run_rate_days"] = 180
    other = replace(small_training.scorer, config=config.from_mapping(settings))
    found = perspectives(memory, small_training.decided, small_training.prepared, other)
    rates = found.then_by_new.set_index("customer_id")["run_rate"]
    assert (rates != memory.decisions.set_index("customer_id")["run_rate"]).any()


def test_rules_that_are_not_known_any_more_are_not_made_up(small_training: Training, memory: Memory) -> None:
    assert seen(small_training, replace(memory, scorer=None)).now_by_old is None
