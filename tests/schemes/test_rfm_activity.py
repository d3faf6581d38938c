from collections.abc import Callable

import pandas as pd
import pytest

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Rfm, RfmActivity

Table = Callable[..., pd.DataFrame]
nan = float("nan")


@pytest.mark.parametrize(
    ("story", "levels", "cv", "label"),
    [
        ("recent, frequent, steady", "555", 0.3, "active"),
        ("frequency at the line", "341", 0.3, "active"),
        ("frequency below the line", "535", 0.3, "neutral"),
        ("the cheque varies as much as it may", "554", 1.0, "active"),
        ("the cheque varies more", "554", 1.01, "neutral"),
        ("one order: nobody knows whether the cheque is steady", "554", nan, "neutral"),
        ("recency just above the lowest two fifths", "311", 0.3, "neutral"),
        ("recency at the line", "211", 0.3, "sleeping"),
        ("frequent of old, and silent", "255", 0.3, "sleeping"),
        ("no cell", NOT_ENOUGH_DATA, 0.3, NOT_ENOUGH_DATA),
    ],
)
def test_readings(story: str, levels: str, cv: float, label: str, table: Table) -> None:
    features = table(rfm_segment="loyal", _rfm_levels=[levels], order_value_cv=[cv])
    assert RfmActivity().assign(features).tolist() == [label], story


def test_without_order_values_nobody_is_active(table: Table) -> None:
    assert RfmActivity().assign(table(rfm_segment="loyal", _rfm_levels=["555", "111"])).tolist() == [
        "neutral",
        "sleeping",
    ]


def test_the_lines_come_from_the_configuration(table: Table) -> None:
    scheme = RfmActivity(active_frequency_from=3, sleeping_recency_to=1, steady_cv=0.5)
    features = table(rfm_segment="loyal", _rfm_levels=["231", "231", "155"], order_value_cv=[0.5, 0.6, 0.1])
    assert scheme.assign(features).tolist() == ["active", "neutral", "sleeping"]
    assert "frequency level 3 of 5" in scheme.rules()["active"]


@pytest.mark.parametrize("bins", range(2, 10))
def test_it_reads_the_details_of_rfm_whatever_the_bins(bins: int, base: pd.DataFrame) -> None:
    rfm = Rfm(bins=bins)
    features = base.assign(rfm_segment=rfm.assign(base), **rfm.details(base), order_value_cv=0.4)
    labels = RfmActivity().assign(features)
    assert set(labels) == {"active", "neutral", "sleeping"}
    assert (
        features.loc[labels == "active", "recency_days"].max()
        < features.loc[labels == "sleeping", "recency_days"].max()
    )
