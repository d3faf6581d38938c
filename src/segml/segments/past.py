"""The base at earlier as-of dates, one horizon apart: where segments are tried out before they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.schema import DataError
from segml.schemes.scheme import check_columns, check_snapshot


@dataclass(frozen=True)
class Earlier:
    """The base at one earlier as-of date, with what it bought in the horizon that followed.

    Attributes
    ----------
    features : one row a customer, sorted by ``customer_id``
    next_revenue : money over that horizon, indexed by ``customer_id``, in the same order
    """

    features: pd.DataFrame
    next_revenue: pd.Series[float]

    @property
    def log_revenue(self) -> NDArray[np.float64]:
        """log1p of the next revenue; more returned than bought counts as nothing."""
        return np.log1p(self.next_revenue.clip(lower=0).to_numpy(dtype=float))


def earlier(features: pd.DataFrame, labels: pd.DataFrame) -> Earlier:
    """Return the base at an earlier as-of date.

    Parameters
    ----------
    features : one row a customer, one as-of date
    labels : ``customer_id`` and ``next_revenue`` of the same customers

    Raises
    ------
    DataError : columns missing, or customers without a next revenue or with two
    """
    check_snapshot(features, ["revenue_365d"], "the earlier base (features)")
    check_columns(labels, ["customer_id", "next_revenue"], "the earlier base (labels)")
    unlabelled = sorted(set(features["customer_id"]) - set(labels["customer_id"]))
    if unlabelled:
        raise DataError(
            f"labels lack next_revenue of {len(unlabelled)} customers in features, such as {unlabelled[0]!r}"
        )
    if labels["customer_id"].duplicated().any():
        raise DataError("an earlier base needs one row a customer in labels; pass those of one as-of date")
    ordered = features.sort_values("customer_id", ignore_index=True)
    return Earlier(ordered, labels.set_index("customer_id")["next_revenue"].reindex(ordered["customer_id"]))


@dataclass(frozen=True)
class Past:
    """Earlier bases, the latest first; the first lies one horizon before the as-of date of the segments.

    Raises
    ------
    DataError : dates that are not one horizon apart
    """

    bases: Sequence[Earlier] = ()
    horizon_days: int = 90

    def __post_init__(self) -> None:
        dates = [base.features["as_of"].iloc[0] for base in self.bases if len(base.features)]
        for later, before in pairwise(dates):
            if later - before < pd.Timedelta(days=self.horizon_days):
                raise DataError(
                    f"earlier bases lie a horizon of {self.horizon_days} days apart; found {before} behind {later}"
                )

    def before(self, place: int) -> Earlier | None:
        """Return the base ``place`` horizons before the latest, if history reaches back so far."""
        return self.bases[place] if place < len(self.bases) else None
