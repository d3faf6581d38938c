"""One model of both risks: churn (no purchase) and stagnation (revenue far below the run rate)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from segml.churn.classifier import RiskClassifier
from segml.churn.hazard import HazardModel, silence_columns
from segml.churn.inputs import KEYS, check_columns, in_order_of_keys, model_matrix, purchase_history
from segml.churn.pareto_nbd import ParetoNBD, Vector
from segml.churn.prior_shift import LastYear, learn_shifts, moved
from segml.config import ChurnConfig
from segml.features import CATALOG
from segml.language import N_, _
from segml.schema import DataError

TARGETS = {"churned": "p_churn", "stagnated": "p_stagnation"}
INSTEAD = {
    "churned": N_("churn scores come from Pareto/NBD"),
    "stagnated": N_("stagnation scores come from its rate so far and the churn score"),
}

TRUSTED_TYPES = (
    "segml.churn.boosting.LightGBMTrees",
    "segml.churn.classifier.RiskClassifier",
    "segml.churn.forest.Forest",
    "segml.churn.conformal.ConformalCalls",
    "segml.churn.hazard.HazardModel",
    "segml.churn.model.RiskModel",
    "segml.churn.normal_scores.NormalScores",
    "segml.churn.pareto_nbd.ParetoNBD",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
)
"""What ``skops.io.load(trusted=…)`` is to be told to restore a model or calls: our types, and two plain containers."""


class RiskModel(BaseEstimator):  # type: ignore[misc]
    """Probabilities of churn and stagnation over one horizon.

    Where there is too little history to learn from, churn falls back to the Pareto/NBD probability of no purchase and
    stagnation to its rate so far; ``notices_`` says so in words.

    Attributes
    ----------
    inputs_ : list of str, the feature columns read
    season_day_ : int or None, day of the year that stands for every as-of date; None: each has its own
    horizon_days_ : int
    churn_ : HazardModel, RiskClassifier without followed snapshots, or None where the model fell back
    stagnation_ : RiskClassifier, or None where the model fell back
    pareto_nbd_ : ParetoNBD of the whole base
    stagnation_rate_ : float, share of the training rows that stagnated; 0 without labels
    healthy_ : dict, median of each input over training rows that neither churned nor stagnated
    shifts_ : dict, target to the constant added to all its logits; see ``prior_shift``
    notices_ : tuple of sentences
    """

    def fit(
        self,
        features: pd.DataFrame,
        labels: pd.DataFrame,
        *,
        base: pd.DataFrame,
        config: ChurnConfig,
        horizon_days: int,
        seed: int,
        inputs: Sequence[str] | None = None,
        followed: pd.DataFrame | None = None,
        last_year: LastYear | None = None,
    ) -> RiskModel:
        """Learn from snapshots of scored customers.

        Parameters
        ----------
        features : one row a scored customer and training date; may be empty
        labels : ``customer_id``, ``as_of``, ``churned``, ``stagnated`` for every row of ``features``
        base : features of all customers at the moment of training, scored or not; Pareto/NBD is fitted on them
        config, horizon_days, seed : as configured
        inputs : feature columns to read; default all model inputs of the catalogue
        followed : snapshots, also of dates too late for ``labels``, with their silence; see ``hazard.followed_rows``.
            Churn is learnt from it period by period; default: from ``labels``, the whole horizon at once
        last_year : what the level of last year's season is learnt from, for the targets under ``config.prior_shift``

        Raises
        ------
        DataError : columns or labels missing
        """
        self.inputs_ = list(inputs) if inputs is not None else [f.name for f in CATALOG if f.is_model_input]
        self.horizon_days_ = horizon_days
        self.pareto_nbd_ = ParetoNBD().fit(**purchase_history(base))
        rows = training_rows(features, labels)
        self.season_day_ = _standing_season(rows, base, config)
        self.stagnation_rate_ = float(rows["stagnated"].mean()) if len(rows) else 0.0
        self.healthy_ = self._healthy_medians(rows if len(rows) else base)
        reasons = {target: _why_not_learn(rows, target, config) for target in TARGETS}
        risk = RiskClassifier(**config.boosting.model_dump(), logistic_c=config.logistic_c, random_state=seed)
        self.stagnation_ = None if reasons["stagnated"] else self._learn(rows, "stagnated", risk)
        self.churn_: HazardModel | RiskClassifier | None
        if reasons["churned"]:
            self.churn_ = None
        elif followed is None:
            self.churn_ = self._learn(rows, "churned", risk)
        else:
            del rows  # the hazards, the largest fit, have rows of their own
            self.churn_ = self._learn_hazards(followed, risk)
        self.shifts_, not_moved = learn_shifts(self._own_level, last_year, config)
        self.notices_ = (*(reason for reason in reasons.values() if reason), *not_moved)
        return self

    def predict(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return ``p_churn`` and ``p_stagnation`` of each row, on its index; never null."""
        check_is_fitted(self, "inputs_")
        return moved(self._own_level(features), self.shifts_)

    def _own_level(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the probabilities as they were learnt, not moved to any season's level."""
        own_season = features["as_of"].dt.day_of_year
        matrix = self._matrix(features, own_season if self.season_day_ is None else self.season_day_)
        churn = self._silence(features) if self.churn_ is None else _probability(self.churn_, matrix)
        stagnation = self.stagnation_rate_ if self.stagnation_ is None else _probability(self.stagnation_, matrix)
        # Who buys nothing stagnates as well, so stagnation is at least as likely as churn.
        columns = {"p_churn": churn, "p_stagnation": np.maximum(churn, stagnation)}
        return pd.DataFrame(columns, index=features.index)

    def _silence(self, features: pd.DataFrame) -> Vector:
        history = purchase_history(features)
        return self.pareto_nbd_.probability_of_no_purchase(**history, horizon=self.horizon_days_)

    def _matrix(self, features: pd.DataFrame, season: pd.Series[int] | int) -> pd.DataFrame:
        return model_matrix(features, self.inputs_, season)

    def _learn_hazards(self, followed: pd.DataFrame, risk: RiskClassifier) -> HazardModel:
        columns = silence_columns(self.horizon_days_)
        check_columns(followed, columns, "followed rows")
        return HazardModel(risk).fit(self._matrix(followed, followed["as_of"].dt.day_of_year), followed[columns])

    def _learn(self, rows: pd.DataFrame, target: str, risk: RiskClassifier) -> RiskClassifier:
        learner: RiskClassifier = clone(risk)
        return learner.fit(self._matrix(rows, rows["as_of"].dt.day_of_year), rows[target].to_numpy(dtype=bool))

    def _healthy_medians(self, rows: pd.DataFrame) -> dict[str, float]:
        unwell = rows["churned"] | rows["stagnated"] if "churned" in rows else pd.Series(False, index=rows.index)
        well = rows[~unwell] if not unwell.all() else rows
        return {name: float(model_matrix(well, [name])[name].median()) for name in self.inputs_}


def training_rows(features: pd.DataFrame, labels: pd.DataFrame) -> pd.DataFrame:
    """Return the features with their labels, in the order of the keys, whatever the order of the input."""
    check_columns(labels, [*KEYS, *TARGETS], "labels")
    known = features[KEYS].merge(labels[[*KEYS, *TARGETS]], on=KEYS, how="left", validate="1:1")
    missing = known["churned"].isna() | known["stagnated"].isna()
    if missing.any():
        example = known[missing].iloc[0]
        raise DataError(
            f"customer {example['customer_id']!r} has features but no label at {example['as_of']:%Y-%m-%d}; "
            "train only on dates whose label window is over"
        )
    return in_order_of_keys(features, known[list(TARGETS)].astype("bool"))


def _standing_season(rows: pd.DataFrame, base: pd.DataFrame, config: ChurnConfig) -> int | None:
    """Return the last training date's day of the year where the log is too short to know this season, else None.

    The season is an input of the fit in any case, so that features do not stand in for the date; but a season that
    was never seen is not extrapolated: the level of the latest one is kept.
    """
    if rows.empty or base["tenure_days"].max() >= config.season_min_days:
        return None
    return int(rows["as_of"].max().day_of_year)


def _why_not_learn(rows: pd.DataFrame, target: str, config: ChurnConfig) -> str | None:
    """Return why a target cannot be learnt, as a sentence, or None."""
    snapshots, customers = rows["as_of"].nunique(), rows["customer_id"].nunique()
    smaller = int(min(rows[target].sum(), (~rows[target]).sum())) if len(rows) else 0
    found = (
        (snapshots, config.min_snapshots, _("training dates"), "churn.min_snapshots"),
        (customers, config.min_scored_customers, _("customers to learn from"), "churn.min_scored_customers"),
        (smaller, config.min_class_rows, _("rows of the rarer outcome"), "churn.min_class_rows"),
    )
    for count, needed, what, key in found:
        if count < needed:
            told = _("{instead}: {count} {what}, at least {needed} are needed ({key})")
            return told.format(instead=_(INSTEAD[target]), count=count, what=what, needed=needed, key=key)
    return None


def _probability(classifier: HazardModel | RiskClassifier, matrix: pd.DataFrame) -> Vector:
    return np.asarray(classifier.predict_proba(matrix)[:, 1]) if len(matrix) else np.empty(0)
