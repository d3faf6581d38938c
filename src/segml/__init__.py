"""segml: B2B customer segmentation with churn and stagnation scores, tracked in MLflow.

>>> import segml
>>> segml.prepare("demo", settings={"demo.customers": 50}, progress=False)
Dataset('demo', as of 2025-12-30: 50 customers, 3,755 lines)

Nothing is imported until it is asked for, so that ``import segml`` takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segml import (
        actions,
        churn,
        clusters,
        config,
        data,
        features,
        labels,
        pipeline,
        plots,
        report,
        schema,
        schemes,
        segments,
        windows,
    )
    from segml.config import Config
    from segml.dataset import Dataset, prepare
    from segml.pipeline import Scorer, Training
    from segml.results import Tracked, load_model, save, track
    from segml.schema import InputError, SegmlError

__version__ = "0.1.0"

__all__ = [
    "Config",
    "Dataset",
    "InputError",
    "Scorer",
    "SegmlError",
    "Tracked",
    "Training",
    "actions",
    "churn",
    "clusters",
    "config",
    "data",
    "features",
    "labels",
    "load_model",
    "pipeline",
    "plots",
    "prepare",
    "report",
    "save",
    "schema",
    "schemes",
    "segments",
    "track",
    "windows",
]

_HOMES = {
    "Config": "config",
    "Dataset": "dataset",
    "InputError": "schema",
    "Scorer": "pipeline",
    "SegmlError": "schema",
    "Tracked": "results",
    "Training": "pipeline",
    "load_model": "results",
    "prepare": "dataset",
    "save": "results",
    "track": "results",
}
"""The module of each name that is no module itself."""

if not TYPE_CHECKING:  # to a type checker every name would be there

    def __getattr__(name: str) -> object:
        from importlib import import_module

        if name in _HOMES:
            found = getattr(import_module(f"segml.{_HOMES[name]}"), name)
            globals()[name] = found
            return found
        if name in __all__:
            return import_module(f"segml.{name}")
        from segml.nearest import no_attribute

        raise no_attribute("module 'segml'", name, __dir__)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING", "annotations"})
