"""Independent random streams, one an idea, so that a new idea leaves all others byte for byte as they were."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator, SeedSequence

# A stream is known by its place: append new ones at the end, never in between.
STREAMS = (
    "catalogue",
    "names",
    "companies",
    "needs",
    "contracts",
    "fates",
    "campaigns",
    "moods",
    "rhythm",
    "orders",
    "articles",
    "returns",
    "cancellations",
    "damage",
    "extra lines",
    "spelling",
    "cards",
    "customers",
    "portal",
    "companions",
)


def streams(seed: int) -> dict[str, Generator]:
    """Return a generator for each stream; the same seed gives the same draws."""
    children = SeedSequence(seed).spawn(len(STREAMS))
    return {name: np.random.default_rng(child) for name, child in zip(STREAMS, children, strict=True)}
