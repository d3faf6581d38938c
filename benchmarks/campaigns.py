"""How often intervals of campaign tests hold the true effect, and what other ways to treat revenue would give.

Made-up customers of log-normal size with Gamma-Poisson orders (`tests/campaign_worlds.py`), stratified by size; a
true effect on the rate of orders. Beside the difference as segml tells it: without the period before, and with revenue
cut at the 99th percentile.

    OMP_NUM_THREADS=1 python benchmarks/campaigns.py --tests 2000
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from campaign_worlds import Worlds, worlds
from segml.campaigns import adjusted_difference

Floats = npt.NDArray[np.float64]
Method = Callable[[Worlds, int], tuple[float, float]]
CASES = [
    (customers, strata, share, spread, uplift)
    for customers, strata in ((24, 2), (120, 4), (400, 6))
    for share in (0.5, 0.3, 0.2)
    for spread in (1.0, 1.8)
    for uplift in (0.0, 0.3)
    if customers * share / strata >= 3
]


def adjusted(made: Worlds, one: int) -> tuple[float, float]:
    return adjusted_difference(
        made.revenue[one], made.revenue_before[one], made.is_treated[one], made.stratum
    ).interval(0.05)


def plain(made: Worlds, one: int) -> tuple[float, float]:
    nothing = np.zeros(len(made.stratum))
    return adjusted_difference(made.revenue[one], nothing, made.is_treated[one], made.stratum).interval(0.05)


def cut(made: Worlds, one: int) -> tuple[float, float]:
    limit = np.quantile(made.revenue_before[one], 0.99)
    after, before = np.minimum(made.revenue[one], limit), np.minimum(made.revenue_before[one], limit)
    return adjusted_difference(after, before, made.is_treated[one], made.stratum).interval(0.05)


def orders(made: Worlds, one: int) -> tuple[float, float]:
    return adjusted_difference(made.orders[one], made.orders_before[one], made.is_treated[one], made.stratum).interval(
        0.05
    )


def coverage(method: Method, made: Worlds, truth: Floats) -> tuple[float, float]:
    """Return the share of intervals that hold the truth, and their median width."""
    ends = np.array([method(made, one) for one in range(len(truth))])
    held = (ends[:, 0] <= truth) & (truth <= ends[:, 1])
    return float(held.mean()), float(np.median(ends[:, 1] - ends[:, 0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=2000)
    arguments = parser.parse_args()
    methods: dict[str, Method] = {"revenue": adjusted, "not adjusted": plain, "cut at 99 %": cut}
    table = Table(title="coverage of 95 % intervals, and width / width of revenue's", box=None)
    for name in ("customers", "strata", "share", "spread", "uplift", "orders", *methods):
        table.add_column(name, justify="right")
    for customers, strata, share, spread, uplift in CASES:
        made = worlds(arguments.tests, customers, strata, share=share, uplift=uplift, spread=spread, seed=1)
        of_orders = coverage(orders, made, made.orders_effect)[0]
        found = [coverage(method, made, made.revenue_effect) for method in methods.values()]
        told = [f"{100 * held:.1f} ({width / found[0][1]:.2f})" for held, width in found]
        case = (f"{customers}", f"{strata}", f"{share:g}", f"{spread:g}", f"{uplift:g}", f"{100 * of_orders:.1f}")
        table.add_row(*case, *told)
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
