"""Risk bands: four words for a probability, and what happened to the customers who got them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from segml.language import N_

BANDS = (N_("low"), N_("medium"), N_("high"), N_("very high"))


def risk_bands(p_churn: pd.Series[float], cuts: Sequence[float]) -> pd.Series[str]:
    """Return the band of each probability of churn, null where it is null; a cut point belongs to the band above.

    >>> risk_bands(pd.Series([0.1, 0.15, 0.5, 0.9, None]), (0.15, 0.35, 0.6)).tolist()
    ['low', 'medium', 'high', 'very high', nan]
    """
    place = np.searchsorted(np.asarray(cuts), p_churn.to_numpy(dtype="float64"), side="right")
    names = pd.Series(
        np.array(BANDS, dtype=object)[np.minimum(place, len(BANDS) - 1)], index=p_churn.index, dtype="str"
    )
    return names.where(p_churn.notna())


def band_rates(table: pd.DataFrame, cuts: Sequence[float]) -> pd.DataFrame:
    """Return what a backtest saw by band: one row a band, an empty one included.

    Columns: band, p_from, p_below, customers, predicted (mean probability of churn), churned, stagnated (rates).
    """
    grouped = table.groupby(risk_bands(table["p_churn"], cuts)).agg(
        customers=("p_churn", "size"),
        predicted=("p_churn", "mean"),
        churned=("churned", "mean"),
        stagnated=("stagnated", "mean"),
    )
    rates = grouped.reindex(pd.Index(BANDS, name="band", dtype="str")).fillna({"customers": 0})
    edges = [0.0, *cuts, 1.0]
    rates.insert(0, "p_from", edges[:-1])
    rates.insert(1, "p_below", edges[1:])
    return rates.astype({"customers": "int64"}).reset_index()
