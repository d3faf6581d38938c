from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Health
from segml.schemes.health import SOURCES, Best, Weights

Table = Callable[..., pd.DataFrame]

BEST = {
    "function_share_90d": 0.7,
    "seat_share_90d": 0.9,
    "nps": 10.0,
    "recency_to_gap": 1.0,
    "revenue_90d_to_run_rate": 1.0,
    "ticket_count_90d": 0.0,
}
WORST = dict.fromkeys(BEST, 0.0) | {"recency_to_gap": 3.0, "ticket_count_90d": 10.0}
MIDDLE = {name: (BEST[name] + WORST[name]) / 2 for name in BEST}
BEYOND = {name: BEST[name] + (BEST[name] - WORST[name]) for name in BEST}
UNKNOWN = dict.fromkeys(BEST, np.nan)


def scored(table: Table, *rows: dict[str, float], health: Health | None = None) -> pd.DataFrame:
    health = health or Health()
    customers = table(**{name: [row[name] for row in rows] for name in rows[0]})
    return pd.DataFrame(health.details(customers)).assign(health=health.assign(customers))


def test_the_score_goes_from_0_to_100(table: Table) -> None:
    found = scored(table, WORST, MIDDLE, BEST, BEYOND)
    assert found["health_score"].tolist() == [0, 50, 100, 100]
    assert found["health"].tolist() == ["low", "medium", "high", "high"]
    assert found.filter(regex="health_(use|seats|nps|rhythm|trend|tickets)").iloc[1].tolist() == [50.0] * 6


def test_each_part_rests_on_its_column(table: Table) -> None:
    for part, source in SOURCES.items():
        row = scored(table, WORST | {source: BEST[source]}).iloc[0]
        assert row[f"health_{part}"] == 100, part
        assert row["health_score"] == pytest.approx(100 * getattr(Weights(), part))


def test_unknown_parts_drop_out_and_the_weights_of_the_others_grow(table: Table) -> None:
    rhythm_and_trend = UNKNOWN | {"recency_to_gap": 1.0, "revenue_90d_to_run_rate": 0.5}
    row = scored(table, rhythm_and_trend).iloc[0]
    assert row["health_score"] == 75
    assert np.isnan(row["health_use"])


def test_fewer_known_parts_than_needed_tell_nothing(table: Table) -> None:
    found = scored(table, UNKNOWN, UNKNOWN | {"nps": 9.0}, UNKNOWN | {"nps": 9.0, "recency_to_gap": 1.0})
    assert found["health"].tolist() == [NOT_ENOUGH_DATA, NOT_ENOUGH_DATA, "high"]
    assert found["health_score"].isna().tolist() == [True, True, False]
    one = Health(min_parts=1)
    assert scored(table, UNKNOWN | {"nps": 9.0}, health=one)["health_score"].tolist() == [90]


def test_a_part_of_no_weight_does_not_count_as_known(table: Table) -> None:
    health = Health(weights=Weights(nps=0))
    found = scored(table, UNKNOWN | {"nps": 9.0, "recency_to_gap": 1.0}, health=health)
    assert found["health"].tolist() == [NOT_ENOUGH_DATA]


@pytest.mark.parametrize(("nps", "band"), [(3.99, "low"), (4.0, "medium"), (6.99, "medium"), (7.0, "high")])
def test_a_score_on_a_line_belongs_to_the_better_band(nps: float, band: str, table: Table) -> None:
    assert scored(table, UNKNOWN | {"nps": nps}, health=Health(min_parts=1))["health"].tolist() == [band]


def test_columns_that_are_not_there_are_unknown(table: Table) -> None:
    assert Health().assign(table(recency_to_gap=[1.0], revenue_90d_to_run_rate=[1.0])).tolist() == ["high"]
    assert Health().assign(table(revenue_365d=[1.0])).tolist() == [NOT_ENOUGH_DATA]


def test_the_rule_tells_the_weights() -> None:
    assert "functions in use 0.25, seats in use 0.15" in Health().rules()["low"]


def test_what_makes_no_score_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"worst and best must differ; they are equal for \['rhythm'\]"):
        Health(best=Best(rhythm=3))
    with pytest.raises(ValidationError, match=r"medium_from \(70\) must lie below high_from \(70\)"):
        Health(medium_from=70)
    with pytest.raises(ValidationError, match=r"min_parts is 2, but only \['tickets'\] have a weight above 0"):
        Health(weights=Weights(use=0, seats=0, nps=0, rhythm=0, trend=0))
