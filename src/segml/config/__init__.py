"""One frozen, typed configuration: built-in defaults, YAML differences, ``--set`` overrides.

Every key has a default; a file or an override holds only what differs.
"""

from segml.config.data import CleaningConfig, CustomerColumns, DataConfig, FormatConfig, Section, TransactionColumns
from segml.config.loading import from_mapping, learnt_under, load, looking_back_from, with_test_dates
from segml.config.sections import (
    AbcConfig,
    ActionsConfig,
    BacktestConfig,
    BoostingConfig,
    ChurnConfig,
    Config,
    DemoConfig,
    FeaturesConfig,
    KMeansConfig,
    LabelsConfig,
    LifecycleConfig,
    ReportConfig,
    RfmConfig,
    SegmentsConfig,
    TierConfig,
    TrackingConfig,
    XyzConfig,
    without_secrets,
)

__all__ = [
    "AbcConfig",
    "ActionsConfig",
    "BacktestConfig",
    "BoostingConfig",
    "ChurnConfig",
    "CleaningConfig",
    "Config",
    "CustomerColumns",
    "DataConfig",
    "DemoConfig",
    "FeaturesConfig",
    "FormatConfig",
    "KMeansConfig",
    "LabelsConfig",
    "LifecycleConfig",
    "ReportConfig",
    "RfmConfig",
    "Section",
    "SegmentsConfig",
    "TierConfig",
    "TrackingConfig",
    "TransactionColumns",
    "XyzConfig",
    "from_mapping",
    "learnt_under",
    "load",
    "looking_back_from",
    "with_test_dates",
    "without_secrets",
]
