"""The result in words: a table a size, the targets, and what they were measured with, as Markdown and as CSV."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from benchmarks.engines.targets import GB, Cost, Costs, Target
from benchmarks.engines.tasks import TASKS

COLUMNS = ("", "CPU s", "× scan", "× segml", "wall s", "peak GB", "× segml", "imports, CPU s", "equal to segml")

NOTES = """CPU is user and system time of the process and its children, memory its largest resident size with all that
was imported; the CPU of imports is not counted, but shown. Every task reads the file of order lines. "× segml" compares
with segml at the same dates; RFM and writing with all features at 1 date. The last column counts the columns that are
equal to segml's to 1e-9; groupings by sorting are compared with those by hashing.

pandas and Polars are written by hand in `benchmarks/peers/`, all features of the catalog, none left out; they read the
file once and then loop over the dates. segml computes all its features or none: a row "RFM only" is three columns
against all of segml's, and the row "DuckDB SQL" tells what these three cost in the same engine. openretailscience
also scores them. lifetimes and pymc-marketing count days with a purchase, and money a day, over purchases before
returns; segml's columns are turned into these before they are compared.
"""


@dataclass(frozen=True)
class Circumstances:
    """When, with what and by which command the figures came about."""

    day: str
    command: str
    machine: str
    threads: int
    repeat: int
    versions: Mapping[str, Mapping[str, str]]


def table(costs: Costs, size: float) -> Iterator[tuple[str, ...]]:
    """Yield the rows of a size, in the order of the tasks."""
    for task in TASKS:
        cost = costs.get((size, task.key))
        if cost is not None:
            yield task.label, *_cells(cost, _of_segml(costs, size, task.key), costs.get((size, "scan"), Cost()))


def _of_segml(costs: Costs, size: float, key: str) -> Cost:
    return costs.get((size, "segml 12" if key.endswith(" 12") else "segml 1"), Cost())


def _cells(cost: Cost, ours: Cost, scan: Cost) -> tuple[str, ...]:
    if cost.reason:
        return "", "", "", "", "", "", "", cost.reason
    return (
        _figure(cost.cpu_s, 2),
        _figure(cost.cpu_s / scan.cpu_s, 1),
        _figure(cost.cpu_s / ours.cpu_s, 2),
        _figure(cost.wall_s, 2),
        _figure(cost.peak_bytes / GB, 2),
        _figure(cost.peak_bytes / ours.peak_bytes, 2),
        _figure(cost.imports_cpu_s, 1),
        cost.equal,
    )


def _figure(value: float, decimals: int) -> str:
    return "–" if math.isnan(value) else f"{value:.{decimals}f}"


def figures(target: Target) -> tuple[str, str, str, str]:
    """Return a target as the cells of a row."""
    return target.meaning, _figure(target.figure, 2), f"{target.sense} {target.bound:g}", target.verdict


def markdown(costs: Costs, counts: Mapping[float, int], promises: Sequence[Target], about: Circumstances) -> str:
    """Return the whole result as Markdown."""
    sizes = (
        f"## {count:,} order lines\n\n{_markdown_table(COLUMNS, table(costs, size))}" for size, count in counts.items()
    )
    head = ("target", "figure", "bound", "")
    versions = "\n".join(
        f"- {peer}: {', '.join(f'{name} {version}' for name, version in packages.items())}"
        for peer, packages in sorted(about.versions.items())
    )
    return "\n".join(
        (
            f"# Feature engines side by side, {about.day}\n",
            f"`{about.command}`\n\n{about.machine}; {about.threads} thread(s); {about.repeat} run(s) of each task in "
            f"turn, least time and largest memory taken.\n\n{NOTES}",
            *sizes,
            f"## Targets\n\n{_markdown_table(head, map(figures, promises))}",
            f"## Versions\n\n{versions}\n",
        )
    )


def _markdown_table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 2) + ["---"], *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def write(path: Path, text: str, costs: Costs, counts: Mapping[float, int], about: Circumstances) -> None:
    """Write the Markdown and, beside it, the figures as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    peers = {task.key: task.peer for task in TASKS}
    rows = [
        {
            "date": about.day,
            "millions": size,
            "lines": counts[size],
            "task": key,
            **vars(cost),
            "threads": about.threads,
            "repeat": about.repeat,
            "machine": about.machine,
            "versions": " ".join(f"{name}={version}" for name, version in about.versions.get(peers[key], {}).items()),
            "command": about.command,
        }
        for (size, key), cost in costs.items()
    ]
    pd.DataFrame(rows).to_csv(path.with_suffix(".csv"), index=False)
