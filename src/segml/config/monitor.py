"""Configuration of the watch over a model in use."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from segml.settings import Positive, PositiveFloat, Section, Share


class MonitorConfig(Section):
    """When a refresh calls a change a drift, and advises to recalibrate or retrain; see docs/monitoring.md.

    Every alarm takes both a change that chance does not explain and one that is large enough to matter.
    """

    psi_bins: Annotated[int, Field(ge=2, le=50)] = 10  # of equal count; fewer where a bin would hold under 10 customers
    psi_moderate: PositiveFloat = 0.10  # population stability index from which a drift is moderate
    psi_large: PositiveFloat = 0.25  # and large
    false_discovery: Annotated[float, Field(gt=0, lt=1)] = 0.05  # share of false alarms among all, over many features
    drift_share: Share = 0.50  # of the model's importance under large drift, from which on retraining is advised
    auc_tolerance: Share = 0.02  # by which ROC-AUC may lie below what the backtest promised
    calibration_tolerance: PositiveFloat = 0.25  # share by which cases may exceed what was expected, or fall short
    recalibration_share: Share = 0.5  # of the measured error in level that a recalibration takes away
    min_cases: Annotated[int, Field(ge=2)] = 20  # of the rarer outcome; below it performance cannot be told
    max_age_days: Positive = 400  # of a model, from which on retraining is advised
    quality_share: Share = 0.01  # of the lines, by which a rule's share may change
    quality_amount_share: Share = 0.05  # of the money, likewise
    corrections_share: Share = 0.01  # of a past month's revenue, by which a later delivery may change it
    bootstrap: Annotated[int, Field(ge=100)] = 1000  # redrawn customers for intervals

    @model_validator(mode="after")
    def _bands_of_drift_rise(self) -> MonitorConfig:
        if self.psi_moderate >= self.psi_large:
            raise ValueError(f"psi_moderate must lie below psi_large; found {self.psi_moderate} and {self.psi_large}")
        return self
