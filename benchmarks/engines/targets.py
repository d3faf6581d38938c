"""What the feature engine promises beside its peers, and whether a run kept it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import ge, le
from typing import Literal

MILLION = 1_000_000
GB = 1e9


@dataclass(frozen=True)
class Cost:
    """What a task cost at a size; ``reason`` says why it has no cost."""

    cpu_s: float = float("nan")
    wall_s: float = float("nan")
    peak_bytes: float = float("nan")
    imports_cpu_s: float = float("nan")
    equal: str = ""
    reason: str = ""


Costs = Mapping[tuple[float, str], Cost]
"""By millions of lines asked for and the task's key."""


@dataclass(frozen=True)
class Target:
    """One promise: a figure that is at least, or at most, a bound; NaN where it was not measured."""

    meaning: str
    figure: float
    bound: float
    sense: Literal["at least", "at most"] = "at most"

    @property
    def verdict(self) -> str:
        """Return pass, miss, or that it was not measured."""
        if self.figure != self.figure:
            return "not measured"
        kept: Callable[[float, float], bool] = ge if self.sense == "at least" else le
        return "pass" if kept(self.figure, self.bound) else "MISS"


def targets(costs: Costs) -> Iterator[Target]:
    """Yield every promise with the figure of this run."""

    def of(size: float, key: str) -> Cost:
        return costs.get((size, key), Cost())

    for dates, key in (("1 date", "1"), ("12 dates", "12")):
        ours, pandas = of(10, f"segml {key}"), of(10, f"pandas {key}")
        yield Target(f"10 M lines, {dates}: CPU of pandas / segml", pandas.cpu_s / ours.cpu_s, 2.0, "at least")
        yield Target(f"10 M lines, {dates}: peak memory of segml / pandas", ours.peak_bytes / pandas.peak_bytes, 0.5)
    one = of(10, "segml 1")
    yield Target("10 M lines: CPU of 12 dates / 1 date", of(10, "segml 12").cpu_s / one.cpu_s, 2.5)
    yield Target("10 M lines: CPU of 1 date / plain scan", one.cpu_s / of(10, "scan").cpu_s, 6.0)
    yield Target("10 M lines: CPU of 1 date / the four groupings", one.cpu_s / of(10, "groupings").cpu_s, 2.0)
    yield Target("5,000 customers of 1 M lines, a further date: seconds", of(1, "segml again").wall_s, 0.5)
    free, limited = of(50, "write"), of(50, "write limited")
    yield Target("50 M lines, memory limit 1 GB: CPU / unlimited CPU", limited.cpu_s / free.cpu_s, 1.3)
    yield Target("50 M lines, memory limit 1 GB: peak memory, GB", limited.peak_bytes / GB, 1.2)
    for small, large in ((1, 10), (10, 50), (1, 50)):
        growth = of(large, "segml 1").cpu_s / of(small, "segml 1").cpu_s / (large / small)
        yield Target(f"CPU a line at {large} M / at {small} M lines, 1 date", growth, 1.0)
