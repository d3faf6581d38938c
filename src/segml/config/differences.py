"""What tells one run's configuration from another's: the keys that are worth a column in a table of runs."""

from __future__ import annotations

import json
from typing import Any

from segml.config.digests import WITHOUT_INFLUENCE
from segml.config.sections import Config

COMPARED = (
    "seed",
    "as_of",
    "horizon_days",
    "data.transactions",
    "demo",
    "labels",
    "churn",
    "backtest",
    "segments.clusters",
)
"""Keys, or sections of them, that every run tells; of the others a run tells what differs from the default."""
WITHOUT_INTEREST = (*WITHOUT_INFLUENCE, "report")
CLUSTERERS = ("kmeans", "hdbscan")


def changed(config: Config, base: Config | None = None) -> dict[str, Any]:
    """Return the keys in dotted form that may change results and differ from a base, by default the built-in defaults.

    Passwords are masked; keys of what is switched off are left out.

    >>> changed(Config(horizon_days=60, output="elsewhere"))
    {'horizon_days': 60}
    """
    before = (base or Config()).flat()
    return {key: value for key, value in _in_use(config).items() if value != before.get(key)}


def compared(config: Config) -> dict[str, str]:
    """Return the keys by which runs are compared, with short values as text."""
    differing = changed(config)
    return {
        key: in_short(value) for key, value in _in_use(config).items() if _lies_in(key, COMPARED) or key in differing
    }


def in_short(value: Any) -> str:
    """Return a value of a key as text.

    >>> in_short(["kmeans", "hdbscan"]), in_short(None), in_short(True), in_short({"a": 1})
    ('kmeans, hdbscan', 'null', 'true', '{"a": 1}')
    """
    if isinstance(value, list) and value and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(in_short(part) for part in value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _in_use(config: Config) -> dict[str, Any]:
    clusters = config.segments.clusters
    idle = [
        *WITHOUT_INTEREST,
        *(() if config.data.transactions == Config().data.transactions else ("demo",)),
        *(f"segments.clusters.{kind}" for kind in CLUSTERERS if kind not in (clusters.kind, *clusters.candidates)),
    ]
    return {key: value for key, value in config.flat().items() if not _lies_in(key, idle)}


def _lies_in(key: str, sections: tuple[str, ...] | list[str]) -> bool:
    return any(key == section or key.startswith(f"{section}.") for section in sections)
