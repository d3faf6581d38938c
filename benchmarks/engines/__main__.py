"""The feature table beside a plain scan, pandas, Polars and other packages' RFM, on the same lines, side by side.

Skewed B2B order lines (benchmarks/lines.py) are generated once and kept in a cache folder. Every task then runs in a
process of its own, one after the other; a peer with a file of requirements in benchmarks/peers runs in a virtual
environment of its own, made in the same folder, and is reported with the reason where it cannot be installed or run.
Figures are ratios of one run, so that the machine cancels out.

    python -m benchmarks.engines                           # 1, 10 and 50 million lines
    python -m benchmarks.engines --millions 1 --repeat 3
    python -m benchmarks.engines --output benchmarks/results/engines-2026-11-23
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

import platformdirs
import pyarrow.parquet as pq
from benchmarks import lines
from benchmarks.engines import tables
from benchmarks.engines.measure import Bench, best
from benchmarks.engines.targets import MILLION, Cost, targets
from benchmarks.engines.tasks import chosen
from rich.console import Console
from rich.table import Table


def main() -> None:
    arguments = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 160)
    costs: dict[tuple[float, str], Cost] = {}
    counts: dict[float, int] = {}
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        bench = Bench(arguments.cache, Path(folder), arguments.threads, arguments.timeout)
        for size in sorted(set(arguments.millions)):
            path = order_lines(arguments.cache, size, arguments.seed)
            counts[size] = pq.read_metadata(path).num_rows
            costs |= {(size, key): cost for key, cost in measured(bench, path, size, arguments)}
            _show(console, f"{counts[size]:,} order lines", tables.COLUMNS, tables.table(costs, size))
            bench.forget()
    promises = list(targets(costs))
    _show(console, "targets", ("", "figure", "bound", ""), map(tables.figures, promises))
    if arguments.output is not None:
        about = _circumstances(arguments, bench)
        text = tables.markdown(costs, counts, promises, about)
        tables.write(arguments.output, text, costs, counts, about)


def order_lines(cache: Path, millions: float, seed: int) -> Path:
    """Return the file of generated order lines; it is made where this generator has not made it before."""
    version = hashlib.sha256(Path(lines.__file__).read_bytes()).hexdigest()[:12]
    path = cache / f"lines-{millions:g}m-seed{seed}-{version}.parquet"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        lines.write(unfinished, round(millions * MILLION), seed)
        unfinished.rename(path)
    return path


def measured(bench: Bench, path: Path, size: float, arguments: argparse.Namespace) -> Iterator[tuple[str, Cost]]:
    """Yield the cost of each task of a size; all tasks run in turn before any is repeated."""
    tasks = chosen(size, arguments.only)
    runs: dict[str, list[Cost]] = {task.key: [] for task in tasks}
    for _ in range(arguments.repeat):
        for task in tasks:
            if any(cost.reason for cost in runs[task.key]):
                continue
            print(f"{size:g} M lines: {task.label}", file=sys.stderr)
            runs[task.key].append(bench.compare(task, bench.measure(task, path)))
    return iter((key, best(costs)) for key, costs in runs.items())


def _show(console: Console, title: str, head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> None:
    table = Table(title=title, title_justify="left", box=None)
    for number, column in enumerate(head):
        table.add_column(column, justify="right" if 0 < number < len(head) - 1 else "left")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _circumstances(arguments: argparse.Namespace, bench: Bench) -> tables.Circumstances:
    return tables.Circumstances(
        day=str(date.today()),
        command=f"python -m benchmarks.engines {shlex.join(sys.argv[1:])}",
        machine=f"{os.cpu_count()} cores, {_memory_gb():.0f} GB, {platform.system()} {platform.machine()}",
        threads=arguments.threads,
        repeat=arguments.repeat,
        versions=bench.versions,
    )


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millions", type=float, nargs="+", default=[1, 10, 50], help="millions of order lines")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=1, help="runs of each task; the cheapest is shown")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", metavar="WORD", help="only tasks whose name holds the word, and segml's")
    parser.add_argument("--timeout", type=int, default=3600, metavar="SECONDS", help="for one task")
    parser.add_argument("--cache", type=Path, default=platformdirs.user_cache_path("segml") / "benchmarks")
    parser.add_argument("--scratch", type=Path, help="folder for results and what segml spills")
    parser.add_argument("--output", type=Path, metavar="NAME", help="write NAME.md and NAME.csv")
    return parser.parse_args()


if __name__ == "__main__":
    main()
