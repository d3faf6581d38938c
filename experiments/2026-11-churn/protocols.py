"""Wrong ways to evaluate, and what each pretends; beside it what the same model reaches out of time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from cases import Case, inputs
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score, roc_auc_score
from threadpoolctl import threadpool_limits

from segml.churn.classifier import RiskClassifier
from segml.churn.inputs import KEYS, model_matrix
from segml.features.catalog import model_inputs

SEED = 0
SILENT_DAYS = 90
COLUMNS = ["protocol", "model", "pretended_auc", "true_auc", "pretended_ap", "true_ap"]
SILENCE = ["recency_days", "recency_to_gap"]


def overfit() -> HistGradientBoostingClassifier:
    """Return trees that learn customers by heart."""
    return HistGradientBoostingClassifier(
        max_leaf_nodes=63, min_samples_leaf=5, max_iter=300, early_stopping=False, random_state=SEED
    )


def regularised() -> RiskClassifier:
    """Return the package's classifier."""
    return RiskClassifier(random_state=SEED)


MODELS: dict[str, Callable[[], Any]] = {"regularised": regularised, "trees that overfit": overfit}


def wrong_protocols(cases: list[Case], at_end: pd.DataFrame) -> pd.DataFrame:
    """Return one row a wrong protocol and model, columns ``COLUMNS``.

    Parameters
    ----------
    cases : test dates, the last of them with the longest history
    at_end : features of all customers at the end of the log
    """
    with threadpool_limits(1):
        rows = [row for name, make in MODELS.items() for row in _of_model(name, make, cases, at_end)]
    return pd.DataFrame(rows, columns=COLUMNS).sort_values("protocol", kind="stable", ignore_index=True)


def _of_model(
    name: str, make: Callable[[], Any], cases: list[Case], at_end: pd.DataFrame
) -> Iterator[tuple[object, ...]]:
    true = _measure(*_pooled(cases, make, lambda case: case.training, lambda case: case.tested))
    pretended = {
        "random rows of pooled snapshots": _random_rows(cases, make),
        "no embargo": _measure(*_pooled(cases, make, _up_to_the_test_date, lambda case: case.tested)),
        "customers long gone scored too": _measure(*_pooled(cases, make, _everybody, _everybody_now)),
        "label: silent at the end of the log": _silent_at_end(at_end, make, ()),
        "label: silent at the end of the log, recency left out": _silent_at_end(at_end, make, SILENCE),
    }
    for protocol, (area, precision) in pretended.items():
        yield protocol, name, area, true[0], precision, true[1]


def _measure(outcome: Any, score: Any) -> tuple[float, float]:
    return float(roc_auc_score(outcome, score)), float(average_precision_score(outcome, score))


def _pooled(
    cases: list[Case],
    make: Callable[[], Any],
    training: Callable[[Case], pd.DataFrame],
    tested: Callable[[Case], pd.DataFrame],
) -> tuple[Any, Any]:
    """Return outcomes and scores of all test dates together."""
    outcomes, scores = [], []
    for case in cases:
        rows, test = training(case), tested(case)
        outcomes.append(test["churned"])
        scores.append(_learn(make(), inputs(rows), rows["churned"], inputs(test)))
    return np.concatenate(outcomes), np.concatenate(scores)


def _learn(model: Any, matrix: pd.DataFrame, outcome: pd.Series[bool], tested: pd.DataFrame) -> Any:
    """Return the scores of the tested rows; inputs without any value in training are left out."""
    known = matrix.dropna(axis="columns", how="all")
    return model.fit(known.to_numpy(), outcome).predict_proba(tested[known.columns].to_numpy())[:, 1]


def _up_to_the_test_date(case: Case) -> pd.DataFrame:
    """Return training rows of dates right up to the test date: their labels reach past it."""
    features = case.snapshots.features
    dates = [*case.split.training, *case.split.recent]
    return case.labelled(features[features["as_of"].isin(dates) & case.snapshots.scored])


def _everybody(case: Case) -> pd.DataFrame:
    features = case.snapshots.features
    return case.labelled(features[features["as_of"].isin(case.split.training)])


def _everybody_now(case: Case) -> pd.DataFrame:
    return case.labelled(case.base)


def _random_rows(cases: list[Case], make: Callable[[], Any]) -> tuple[float, float]:
    """Train on seven rows in ten of all dates, test on the others: the same customers, often in the same weeks."""
    pooled = pd.concat([part for case in cases for part in (case.training, case.tested)])
    rows = pooled.drop_duplicates(KEYS).sort_values(KEYS, ignore_index=True)
    is_training = np.random.default_rng(SEED).random(len(rows)) < 0.7
    seen, held_out = rows[is_training], rows[~is_training]
    return _measure(held_out["churned"], _learn(make(), inputs(seen), seen["churned"], inputs(held_out)))


def _silent_at_end(at_end: pd.DataFrame, make: Callable[[], Any], left_out: Any) -> tuple[float, float]:
    """Call silent for 90 days at the end of the log churned, and read features up to that same end."""
    rows = at_end.sort_values("customer_id", ignore_index=True)
    outcome = rows["recency_days"] > SILENT_DAYS
    matrix = model_matrix(rows, [name for name in model_inputs() if name not in left_out])
    is_training = np.random.default_rng(SEED).random(len(rows)) < 0.7
    score = _learn(make(), matrix[is_training], outcome[is_training], matrix[~is_training])
    return _measure(outcome[~is_training], score)
