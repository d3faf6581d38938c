"""Segments of a new model by the names of the previous one."""

import numpy as np
import pandas as pd
import pytest

from segml.clusters import KMeansSegments
from segml.language import speaking
from segml.monitor import migration, same_names
from segml.schema import NOT_ENOUGH_DATA, DataError


def names(**customers: str) -> "pd.Series[str]":
    return pd.Series(customers, dtype="str")


def test_a_segment_goes_on_under_the_name_that_most_of_its_customers_had() -> None:
    old = names(a="large", b="large", c="rare", d="rare", e="rare")
    found = same_names(old, names(a="frequent", b="frequent", c="frequent", d="rare, small", e="rare, small"))
    assert found.mapping == {"frequent": "large", "rare, small": "rare"}
    assert (found.born, found.vanished, found.share_kept) == ((), (), 0.8)


def test_names_that_change_places_are_no_trap() -> None:
    old = names(a="large", b="large", c="rare")
    found = same_names(old, names(a="rare", b="rare", c="large"))
    assert found.mapping == {"rare": "large", "large": "rare"}
    assert found.told(names(a="rare", x="unseen")).tolist() == ["large", "unseen"]


def test_what_has_no_predecessor_keeps_its_name_or_gets_a_number() -> None:
    old = names(a="large", b="large", c="large", d="rare")
    found = same_names(old, names(a="all", b="all", c="large", d="all"))
    assert found.mapping == {"all": "large", "large": "large (2)"}
    assert (found.born, found.vanished) == (("large (2)",), ("rare",))
    assert found.remark == (
        "The segments were learnt anew; by the new model 50% of last time's customers keep theirs. Without a "
        "predecessor: large (2). Without a successor: rare."
    )
    with speaking("ru"):
        assert "50" in found.remark


def test_names_by_rule_are_never_matched_with_others() -> None:
    old = names(a=NOT_ENOUGH_DATA, b="one purchase only", c="large", d="no clear segment")
    found = same_names(old, names(a="large", b="large", c="no clear segment", d="no clear segment"))
    assert found.mapping == {"large": "large (2)"}
    assert found.vanished == ("large",)


def test_customers_whom_one_model_does_not_know_are_left_out() -> None:
    found = same_names(names(a="large", z="rare"), names(a="big", y="big"))
    assert (found.mapping, found.share_kept) == ({"big": "large"}, 1.0)
    with pytest.raises(DataError, match="customers more than once"):
        same_names(pd.Series(["x", "y"], index=["a", "a"]), names(a="x"))


def test_a_model_learnt_anew_on_the_same_customers_moves_nobody() -> None:
    rng = np.random.default_rng(0)
    customers = pd.DataFrame({"recency_days": np.repeat([1.0, 50.0, 900.0], 50) * rng.uniform(0.9, 1.1, 150)})
    ids = [f"c{place}" for place in range(150)]
    by_seed = [
        pd.Series(KMeansSegments(3, random_state=seed).fit(customers).labels_, index=ids).map(
            {0: f"zero {seed}", 1: f"one {seed}", 2: f"two {seed}"}
        )
        for seed in (0, 7)
    ]
    told = same_names(*by_seed).told(by_seed[1])
    then, now = (pd.DataFrame({"customer_id": ids, "cluster_name": each}) for each in (by_seed[0], told))
    moves = migration(then, now, "cluster_name", as_of=pd.Timestamp("2025-07-01"), money=())
    assert (moves.moved, moves.share_kept) == (0, 1.0)
