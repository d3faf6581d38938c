"""Runs one task in this process and says what it cost; standard library only, as it runs in every peer's environment.

A peer's script imports what it needs and hands its tasks to ``main``, so that imports are not counted (but told).
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Run:
    """What a task is told: the Parquet file to read, where a table may be written, how many threads to use."""

    lines: Path
    result: Path
    threads: int
    memory_limit: str | None
    dates: tuple[str, ...]


Task = Callable[[Run], Any]
"""Returns its table; or, where only what comes after some preparation is to be counted, a function that does."""


def main(tasks: Mapping[str, Task], packages: tuple[str, ...] = ()) -> None:
    """Run the task that the command line names, keep its table, print its cost as JSON."""
    name, request = sys.argv[1:]
    fields = json.loads(request)
    run = Run(
        lines=Path(fields["lines"]),
        result=Path(fields["result"]),
        threads=fields["threads"],
        memory_limit=fields["memory_limit"],
        dates=tuple(fields["dates"]),
    )
    imports, began = _cpu_seconds(), time.perf_counter()
    before, table = imports, tasks[name](run)
    if callable(table):
        before, began = _cpu_seconds(), time.perf_counter()
        table = table()
    cost = {"cpu_s": _cpu_seconds() - before, "wall_s": time.perf_counter() - began, "peak_bytes": _peak_bytes()}
    if table is not None:
        (table.write_parquet if hasattr(table, "write_parquet") else table.to_parquet)(run.result)
    print(json.dumps({**cost, "imports_cpu_s": imports, "versions": _versions(packages)}))


def _cpu_seconds() -> float:
    """Return user and system time of this process and of the children it has waited for."""
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak_bytes() -> int:
    """Return the largest resident size so far; Linux keeps one that does not begin with the parent's."""
    status = Path("/proc/self/status")
    if status.exists():
        return 1024 * next(int(line.split()[1]) for line in status.read_text().splitlines() if "VmHWM" in line)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "?"
    return found
