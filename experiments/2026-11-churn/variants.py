"""The models of the study: each takes a case and returns the probabilities of its tested customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from cases import HORIZON_DAYS, Case, inputs, without_season
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from segml.churn import RiskModel
from segml.churn.baselines import BASELINES, baseline_scores
from segml.churn.classifier import RiskClassifier
from segml.churn.hazard import period_ends, silence_columns

Vector = npt.NDArray[np.float64]
TARGETS = {"churned": "p_churn", "stagnated": "p_stagnation"}
SEED = 0
NAMES_OF_BASELINES = dict(
    zip(BASELINES, ("days since last purchase", "silence / usual gap", "Pareto/NBD"), strict=True)
)

DEFAULT = "hazards, season (the default)"
DIRECT = "average, season"
PARETO_NBD = NAMES_OF_BASELINES["pareto_nbd_p_churn"]


def all_variants(case: Case) -> dict[str, pd.DataFrame]:
    """Return the scores of each model on the tested customers: ``p_churn``, ``p_stagnation`` (NaN: not its task)."""
    return {name: scores for family in FAMILIES for name, scores in family(case)}


def baselines(case: Case) -> Iterator[tuple[str, pd.DataFrame]]:
    """What needs no labels; the same score for both targets."""
    known = baseline_scores(case.base, HORIZON_DAYS).assign(customer_id=case.base["customer_id"])
    rows = case.tested[["customer_id"]].merge(known, on="customer_id", how="left", validate="1:1")
    for column, name in NAMES_OF_BASELINES.items():
        yield name, pd.DataFrame(dict.fromkeys(TARGETS.values(), rows[column]))


def simple(case: Case) -> Iterator[tuple[str, pd.DataFrame]]:
    """What a first attempt would be."""
    yield "RFM, logistic", _both(case, _rfm, lambda: make_pipeline(StandardScaler(), LogisticRegression()))
    yield "boosting as it comes", _both(case, without_season, lambda: HistGradientBoostingClassifier(random_state=SEED))


def _rfm(rows: pd.DataFrame) -> pd.DataFrame:
    return np.log1p(rows[["recency_days", "purchase_day_count", "revenue_365d"]].clip(lower=0))


def averages(case: Case) -> Iterator[tuple[str, pd.DataFrame]]:
    """The regularised trees and the logistic regression, each alone and averaged, with and without season."""
    plain = _both_parts(case, case.training, without_season)
    yield "trees, regularised", plain["trees"]
    yield "logistic, strong ridge", plain["logistic"]
    yield "average of the two", plain["average"]
    standing = _both_parts(case, case.training, inputs, lambda rows: inputs(rows, case.last_season))
    yield "average, season of the last training date", standing["average"]
    often = case.training[case.training["purchase_day_count"] >= 3]
    yield "average, season, trained on 3 and more purchase days", _both_parts(case, often, inputs)["average"]


def of_package(case: Case) -> Iterator[tuple[str, pd.DataFrame]]:
    """The package's models, and the other ways to set up hazards."""
    direct = _risk_model(case, None)
    yield DIRECT, direct
    hazards = default(case)
    yield DEFAULT, hazards
    mean = _probability((_logit(direct["p_churn"]) + _logit(hazards["p_churn"])) / 2)
    yield "hazards and average, averaged", _only_churn(mean)
    yield "hazards, season of each period", _only_churn(_hazards_by_period_season(case))


FAMILIES: tuple[Callable[[Case], Iterator[tuple[str, pd.DataFrame]]], ...] = (baselines, simple, averages, of_package)


def default(case: Case) -> pd.DataFrame:
    """Return the scores of the package's default on the tested customers."""
    return _risk_model(case, case.followed)


def _risk_model(case: Case, followed: pd.DataFrame | None) -> pd.DataFrame:
    model = RiskModel().fit(
        case.snapshots.training(case.split),
        case.snapshots.labels,
        base=case.base,
        config=case.settings.churn.model_copy(update={"season_min_days": 1, "min_snapshots": 1}),
        horizon_days=HORIZON_DAYS,
        seed=SEED,
        followed=followed,
    )
    return model.predict(case.tested)


def _hazards_by_period_season(case: Case) -> Vector:
    """Hazards whose season is that of the period's first day, not of the as-of date."""
    columns, starts = silence_columns(HORIZON_DAYS), (0, *period_ends(HORIZON_DAYS))
    stacked, bought = [], []
    for number, column in enumerate(columns):
        rows = case.followed if number == 0 else case.followed[case.followed[columns[number - 1]] == 1]
        rows = rows[rows[column].notna()]
        stacked.append(_at_period(rows, number, starts[number]))
        bought.append(rows[column] == 0)
    model = RiskClassifier(random_state=SEED).fit(pd.concat(stacked), pd.concat(bought))
    stays = [
        model.predict_proba(_at_period(case.tested, number, starts[number]))[:, 0] for number in range(len(columns))
    ]
    return np.asarray(np.prod(stays, axis=0))


def _at_period(rows: pd.DataFrame, number: int, first_day: int) -> pd.DataFrame:
    day = (rows["as_of"] + pd.Timedelta(days=first_day)).dt.day_of_year
    return inputs(rows, day).assign(period=float(number))


def _both(case: Case, read: Callable[[pd.DataFrame], pd.DataFrame], make: Callable[[], Any]) -> pd.DataFrame:
    matrix = read(case.training).dropna(axis="columns", how="all")
    tested = read(case.tested)[matrix.columns]
    with threadpool_limits(1):
        scores = {p: make().fit(matrix, case.training[y]).predict_proba(tested)[:, 1] for y, p in TARGETS.items()}
    return pd.DataFrame(scores)


def _both_parts(
    case: Case,
    rows: pd.DataFrame,
    read: Callable[[pd.DataFrame], pd.DataFrame],
    read_tested: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> dict[str, pd.DataFrame]:
    """Return the scores of the trees, of the logistic regression and of their average."""
    tested = (read_tested or read)(case.tested)
    parts: dict[str, dict[str, Vector]] = {"trees": {}, "logistic": {}, "average": {}}
    for outcome, p in TARGETS.items():
        model = RiskClassifier(random_state=SEED).fit(read(rows), rows[outcome])
        both = model.decision_function(tested)
        trees = model.boosting_.decision_function(np.where(model.unknown_, 0.0, tested.to_numpy()))
        logits = {"trees": trees, "logistic": 2 * both - trees, "average": both}
        for name, logit in logits.items():
            parts[name][p] = _probability(logit)
    return {name: pd.DataFrame(scores) for name, scores in parts.items()}


def _only_churn(p_churn: Any) -> pd.DataFrame:
    return pd.DataFrame({"p_churn": np.asarray(p_churn), "p_stagnation": np.nan})


def _probability(logit: Any) -> Any:
    return 1 / (1 + np.exp(-logit))


def _logit(probability: Any) -> Any:
    return np.log(probability / (1 - probability))
