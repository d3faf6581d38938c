"""What the model of the demo data weighs, and what loading it and scoring by it cost.

The model is trained once on the demo data and stored as training stores it. Each step runs in a process of its own:
training and storing; an interpreter that imports what serving needs; loading; and, of the same lines, reading them,
features alone, and all of scoring, features included. CPU and wall time are of the step alone, the peak memory is the
highest of its process.

    python benchmarks/model.py
    python benchmarks/model.py --customers 600
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from segml import config
from segml.config import Config
from segml.pipeline import Prepared

TODAY = date(2026, 6, 1)
PARTS = {"scorer": "artifacts/scorer/*", "code of segml": "code/**/*", "whole folder": "**/*"}

Figures = tuple[float, float, float]
"""CPU seconds, wall seconds, most GiB during it."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=2000)
    arguments = parser.parse_args()
    settings = config.load(None, [f"demo.customers={arguments.customers}"])
    sizes, steps = Table("part of the model", "files", "KiB"), Table("step", "CPU s", "wall s", "peak GiB")
    with TemporaryDirectory() as name:
        folder = Path(name)
        trained = alone(train, settings, folder)
        for part, pattern in PARTS.items():
            files = [path for path in folder.glob(f"model/{pattern}") if path.is_file()]
            sizes.add_row(part, f"{len(files)}", f"{sum(path.stat().st_size for path in files) / 2**10:,.0f}")
        steps.add_row("train and store", *map("{:.2f}".format, trained))
        steps.add_row("import of segml.serving", *map("{:.2f}".format, imported()))
        for title, step in {"load": load, "read, clean": read, "features": describe, "score": score}.items():
            steps.add_row(title, *map("{:.2f}".format, alone(step, settings, folder)))
    Console().print(sizes, steps)


def train(settings: Config, folder: Path) -> Figures:
    from segml import pipeline, serving

    base = prepared(settings)
    return timed(lambda: serving.save(pipeline.train(base, settings).scorer, folder / "model"))


def imported() -> Figures:
    """Return what an interpreter costs that imports what serving needs."""
    before, wall = os.times(), time.perf_counter()
    code = "import resource, segml.serving; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return cpu, time.perf_counter() - wall, int(told.stdout) / 2**20


def load(settings: Config, folder: Path) -> Figures:
    from segml import serving

    return timed(lambda: serving.load(str(folder / "model")))


def read(settings: Config, folder: Path) -> Figures:
    from segml import pipeline  # noqa: F401  # imports are not measured

    return timed(lambda: prepared(settings))


def describe(settings: Config, folder: Path) -> Figures:
    from segml import features

    base = prepared(settings)
    return timed(lambda: features.build(base.lines, [base.as_of], settings.features))


def score(settings: Config, folder: Path) -> Figures:
    from segml import pipeline, serving

    base, scorer = prepared(settings), serving.load(str(folder / "model"))
    return timed(lambda: pipeline.score(base, scorer))


def prepared(settings: Config) -> Prepared:
    from segml import pipeline
    from segml.data import connect, load_tables

    return pipeline.prepare(load_tables(settings, connect(settings.threads)), settings, today=TODAY)


def timed(run: Callable[[], Any]) -> Figures:
    Path("/proc/self/clear_refs").write_text("5")  # the highest memory counts from here on
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - cpu, time.perf_counter() - wall, peak()


def peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def alone(step: Callable[[Config, Path], Any], *arguments: Any) -> Any:
    """Run a step in a fresh process, which nothing before it has filled."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(step, *arguments).result()


if __name__ == "__main__":
    main()
