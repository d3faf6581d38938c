"""Campaigns of the simulated company, whose true effect on the rate of orders is known."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.campaigns import TREATMENT, from_touches, measure
from segml.config import CampaignConfig, DemoConfig
from segml.data import connect
from segml.data.engine import to_table
from segml.data.simulate import simulate
from segml.data.simulate.clock import Clock

WORLDS = 6
"""Of three years and five campaigns a year; python benchmarks/campaigns.py takes more of them."""


def measured(seed: int) -> Iterator[tuple[float, float, float, float]]:
    """Yield the true effect on orders, the one found, and the ends of its interval, a campaign each."""
    demo = DemoConfig(customers=800, seed=seed)
    world, clock, backend = simulate(demo), Clock(demo.end, demo.days), connect()
    first, end = clock.stamps([0.0, float(demo.days)])
    lines = backend.create_table("lines", to_table(world.truth_lines, backend))
    runs: Iterator[Any] = world.truth_campaigns.itertuples()
    for run in runs:
        config = CampaignConfig(name=str(run.campaign), days=int(run.works_days), outcome="orders")
        span = pd.Timedelta(days=config.days)
        if first <= run.starts_at - span and run.starts_at + span <= end:
            touched = from_touches(world.touches, None, config)
            found = measure(lines, touched.customers, config, known_from=first, known_until=end, share=0.7)
            uplift = run.uplift * share_at_work((run.starts_at - first).days, config.days)
            is_treated = found.customers["arm"] == TREATMENT
            untreated: float = (found.customers["outcome"] / np.where(is_treated, 1 + uplift, 1.0)).mean()
            whole = found.table.iloc[0]
            yield uplift * untreated, whole["difference"], whole["low"], whole["high"]


def share_at_work(start: int, days: int) -> float:
    """Return the share of the window's days on which the campaign works: it does so by whole weeks."""
    middle = np.arange(start, start + days) // 7 * 7 + 3.5
    return float(((middle >= start) & (middle < start + days)).mean())


@pytest.mark.slow
def test_true_effects_lie_within_their_intervals_and_are_found_without_bias() -> None:
    rows = np.array([row for seed in range(WORLDS) for row in measured(seed)])
    truth, found, low, high = rows.T
    assert len(rows) == 15 * WORLDS
    held = ((low <= truth) & (truth <= high)).mean()
    assert held >= 0.95 - 2.5 * np.sqrt(0.95 * 0.05 / len(rows))
    off = (found - truth) / ((high - low) / 3.92)  # in standard errors
    assert abs(off.mean()) < 3 / np.sqrt(len(rows))
    assert 0.8 < off.std() < 1.25
