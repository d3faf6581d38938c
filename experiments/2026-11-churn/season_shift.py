"""Prior shift: move each probability so that their mean is the base rate of one year before, and measure it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from cases import Case

from segml.churn.metrics import brier, expected_calibration_error
from segml.churn.prior_shift import moved_by, shift_to
from segml.windows import YEAR_DAYS, shift

TARGETS = {"churned": "p_churn", "stagnated": "p_stagnation"}


def season_shift(cases: list[Case], tested: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a date and target: base rates, and the figures as they are and with the mean moved.

    Dates of which no scored customer is known one year before are left out.

    Parameters
    ----------
    cases : test dates
    tested, scores : the tested rows of all of them, and one model's scores
    """
    rows = [
        _row(tested[tested["as_of"] == case.split.test], scores, _year_before(case), outcome, p)
        for case in cases
        if len(_year_before(case))
        for outcome, p in TARGETS.items()
    ]
    return pd.DataFrame(rows)


def _year_before(case: Case) -> pd.DataFrame:
    known = case.snapshots.at(shift(case.split.test, days=-YEAR_DAYS))
    return case.labelled(known[case.snapshots.scored.loc[known.index]])


def _row(tested: pd.DataFrame, scores: pd.DataFrame, year_before: pd.DataFrame, outcome: str, p: str) -> dict[str, Any]:
    happened, before = tested[outcome].to_numpy(dtype=bool), year_before[outcome].mean()
    own = scores.loc[tested.index, p].to_numpy(dtype=float)
    moved = moved_by(own, shift_to(own, float(before)))
    everyone = np.ones((1, len(own)))
    return {
        "as_of": f"{tested['as_of'].iloc[0]:%Y-%m-%d}",
        "outcome": outcome,
        "rate": happened.mean(),
        "predicted": own.mean(),
        "rate_year_before": before,
        "ece": expected_calibration_error(own, happened, everyone)[0],
        "ece_moved": expected_calibration_error(moved, happened, everyone)[0],
        "brier": brier(own, happened, everyone)[0],
        "brier_moved": brier(moved, happened, everyone)[0],
    }
