"""Fingerprints of a configuration: two runs with the same one give the same results on the same data."""

from __future__ import annotations

import hashlib
import json

from segml.config.sections import Config

AFTERWARDS = (
    "output",
    "tracking",
    "promotion",
    "refresh",
    "monitor",
    "tasks",
    "cross_sell",
    "key_accounts",
    "campaign",
    "crm",
)
"""Where results go, and what is done about them."""
WITHOUT_INFLUENCE = (*AFTERWARDS, "threads", "engine")
"""What becomes of results, and what computes them: decisions are the same."""
ABOUT_THE_MOMENT = ("as_of", "data", "demo", "backtest")
"""What a model is made from, and tested at: not how."""


def digest(config: Config) -> str:
    """Return 12 hexadecimal digits that change with every key that may change a result."""
    return _digest(config, WITHOUT_INFLUENCE)


def recipe_digest(config: Config) -> str:
    """Return 12 hexadecimal digits of how a model is made, whatever the data and dates it is made from."""
    return _digest(config, (*WITHOUT_INFLUENCE, *ABOUT_THE_MOMENT))


def _digest(config: Config, without: tuple[str, ...]) -> str:
    values = {name: value for name, value in config.shown().items() if name not in without}
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
