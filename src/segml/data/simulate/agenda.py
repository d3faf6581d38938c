"""The contracts and touches tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from segml import schema
from segml.data.simulate.campaigns import Run
from segml.data.simulate.clock import Clock, Floats
from segml.data.simulate.contracts import renewal, year_of_renewal
from segml.data.simulate.fates import Fates
from segml.data.simulate.truth import customer_ids, text

CONTRACT_AFTER_DAYS = 30  # from the first order to the contract


def contracts(fates: Fates, anniversary: Floats, clock: Clock) -> pd.DataFrame:
    """Return one row a renewal: all within the log, and the next one of each contract that still runs."""
    signed = np.flatnonzero(np.isfinite(anniversary))
    signs = np.maximum(fates.started[signed], 0.0) + CONTRACT_AFTER_DAYS
    first = year_of_renewal(anniversary[signed], signs)
    last = year_of_renewal(anniversary[signed], np.minimum(fates.leaves[signed], clock.days))
    count = (np.maximum(last - first, 0) + 1).astype(np.int64)
    row = np.repeat(np.arange(len(signed)), count)
    year = first[row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    frame = pd.DataFrame(
        {
            "customer_id": text(customer_ids(len(anniversary)), signed[row]),
            "renews_on": clock.stamps(renewal(anniversary[signed[row]], year)),
        }
    )
    return frame[list(schema.CONTRACTS.names)]


def touches(runs: list[Run], companies: int, clock: Clock) -> pd.DataFrame:
    """Return one row a company and run of a campaign, in the order of the runs."""
    run = np.repeat(np.arange(len(runs)), [len(run.company) for run in runs])
    frame = pd.DataFrame(
        {
            "customer_id": text(customer_ids(companies), _joined([run.company for run in runs], np.int64)),
            "touched_at": clock.stamps(np.array([run.day for run in runs], dtype=np.float64)[run]),
            "campaign": text([run.name for run in runs], run),
            "arm": text(("control", "treatment"), _joined([run.is_treated for run in runs], np.int64)),
            "responded": _joined([run.responded for run in runs], np.bool_),
        }
    )
    return frame[list(schema.TOUCHES.names)]


def _joined(arrays: list[Any], kind: type) -> Any:
    """Concatenate; nothing at all is an empty array."""
    return np.concatenate([np.empty(0, dtype=kind), *arrays]).astype(kind)
