from typing import Any

import numpy as np
import pandas as pd

from segml.churn import risk_bands
from segml.churn.risk import band_rates

CUTS = (0.15, 0.35, 0.60)


def test_a_cut_point_belongs_to_the_band_above() -> None:
    bands = risk_bands(pd.Series([0.0, 0.149, 0.15, 0.35, 0.599, 0.6, 1.0]), CUTS)
    assert bands.tolist() == ["low", "low", "medium", "high", "high", "very high", "very high"]


def test_an_unscored_customer_has_no_band() -> None:
    bands = risk_bands(pd.Series([np.nan, 0.2], index=["x", "y"]), CUTS)
    assert bands.isna().tolist() == [True, False]
    assert list(bands.index) == ["x", "y"]


def test_band_rates_count_what_happened() -> None:
    table = pd.DataFrame(
        {
            "p_churn": [0.1, 0.12, 0.5, 0.7],
            "churned": [False, False, True, True],
            "stagnated": [False, True, True, True],
        }
    )
    rates: Any = band_rates(table, CUTS).set_index("band")
    assert rates["customers"].to_dict() == {"low": 2, "medium": 0, "high": 1, "very high": 1}
    assert rates.loc["low", ["p_from", "p_below", "predicted", "churned", "stagnated"]].tolist() == [
        0,
        0.15,
        0.11,
        0,
        0.5,
    ]
    assert np.isnan(rates.loc["medium", "churned"])
