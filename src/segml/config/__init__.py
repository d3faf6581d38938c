"""One frozen, typed configuration: built-in defaults, YAML differences, ``--set`` overrides.

Every key has a default; a file or an override holds only what differs.
"""

from segml.config.clusters import ClustersConfig, HdbscanConfig, KMeansConfig
from segml.config.data import (
    CleaningConfig,
    ContractColumns,
    CustomerColumns,
    DataConfig,
    FormatConfig,
    TouchColumns,
    TransactionColumns,
    UsageColumns,
)
from segml.config.differences import changed, compared, in_short
from segml.config.digests import digest, recipe_digest
from segml.config.engine import EngineConfig, size_in_bytes
from segml.config.loading import (
    all_errors,
    apply,
    checked,
    from_mapping,
    learnt_under,
    load,
    looking_back_from,
    parse_yaml,
    place,
    read_yaml,
    with_test_dates,
)
from segml.config.sections import (
    ActionsConfig,
    BacktestConfig,
    BoostingConfig,
    ChurnConfig,
    Config,
    DemoConfig,
    FeaturesConfig,
    GateConfig,
    LabelsConfig,
    PromotionConfig,
    ReportConfig,
    SegmentsConfig,
    TrackingConfig,
    without_secrets,
)

__all__ = [
    "ActionsConfig",
    "BacktestConfig",
    "BoostingConfig",
    "ChurnConfig",
    "CleaningConfig",
    "ClustersConfig",
    "Config",
    "ContractColumns",
    "CustomerColumns",
    "DataConfig",
    "DemoConfig",
    "EngineConfig",
    "FeaturesConfig",
    "FormatConfig",
    "GateConfig",
    "HdbscanConfig",
    "KMeansConfig",
    "LabelsConfig",
    "PromotionConfig",
    "ReportConfig",
    "SegmentsConfig",
    "TouchColumns",
    "TrackingConfig",
    "TransactionColumns",
    "UsageColumns",
    "all_errors",
    "apply",
    "changed",
    "checked",
    "compared",
    "digest",
    "from_mapping",
    "in_short",
    "learnt_under",
    "load",
    "looking_back_from",
    "parse_yaml",
    "place",
    "read_yaml",
    "recipe_digest",
    "size_in_bytes",
    "with_test_dates",
    "without_secrets",
]
