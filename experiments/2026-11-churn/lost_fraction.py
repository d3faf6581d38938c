"""The share of the run rate that a customer will not bring, learnt directly, and what call lists by it hold."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from cases import Case, inputs
from measures import RESAMPLES, SEED
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from segml.churn.metrics import Array, Ranking, captured_at, with_intervals
from segml.config import BoostingConfig

SHARES = {"captured_5": 0.05, "captured_10": 0.10, "captured_20": 0.20}
"""Column -> share of the customers on the list."""
RIVAL = "p(stagnation) × run rate"


def lost_fractions(cases: list[Case]) -> npt.NDArray[np.float64]:
    """Return the expected lost revenue / run rate, 0 to 1, of the tested customers of all dates together."""
    return np.concatenate([_of_case(case) for case in cases])


def _of_case(case: Case) -> npt.NDArray[np.float64]:
    """Learn by the trees of the classifier; a row weighs √ run rate, those without a run rate have nothing to lose."""
    rows = case.training[case.training["run_rate"] > 0]
    fraction = (rows["lost_revenue"] / rows["run_rate"]).clip(0, 1)
    matrix = inputs(rows).dropna(axis="columns", how="all")
    settings = BoostingConfig().model_dump(exclude={"library"})
    trees = HistGradientBoostingRegressor(**settings, early_stopping=False, random_state=SEED)
    with threadpool_limits(1):
        trees.fit(matrix.to_numpy(), fraction, sample_weight=np.sqrt(rows["run_rate"]))
        return np.clip(trees.predict(inputs(case.tested)[matrix.columns].to_numpy()), 0, 1)


def captured_losses(tested: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row a ranking: lost revenue held by lists of several lengths, and the paired difference to ``RIVAL``.

    Each figure has ``_low`` and ``_high``, customers redrawn.

    Parameters
    ----------
    tested : tested rows with outcomes
    scores : ``p_stagnation`` and ``lost_fraction`` of the same rows
    """
    size = tested["run_rate"].clip(lower=0)
    rankings = {
        RIVAL: scores["p_stagnation"] * size,
        "lost fraction × run rate": scores["lost_fraction"] * size,
        "average of the two × run rate": (scores["p_stagnation"] + scores["lost_fraction"]) / 2 * size,
        "run rate": size,
        "perfect": tested["lost_revenue"],
    }
    rows = {name: _figures(tested, score, rankings[RIVAL]) for name, score in rankings.items()}
    return pd.DataFrame(rows).T.rename_axis("ranking")


def _figures(tested: pd.DataFrame, score: pd.Series[float], rival: pd.Series[float]) -> dict[str, float]:
    own, other = Ranking.by(score), Ranking.by(rival)
    loss = tested["lost_revenue"].to_numpy(dtype=float)

    def statistics(weights: Array) -> dict[str, Array]:
        found = {name: captured_at(own, loss, weights, share) for name, share in SHARES.items()}
        behind = {name: captured_at(other, loss, weights, share) for name, share in SHARES.items()}
        return found | {f"{name}_minus_rival": found[name] - behind[name] for name in SHARES}

    return with_intervals(statistics, tested["customer_id"].to_numpy(), resamples=RESAMPLES, seed=SEED)
