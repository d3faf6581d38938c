"""Runs tasks, each in a fresh process, and keeps what they cost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.engines import environments
from benchmarks.engines.targets import Cost
from benchmarks.engines.tasks import Task


@dataclass
class Bench:
    """What all tasks share, and the versions that they told of."""

    cache: Path
    results: Path
    threads: int
    timeout_s: int
    versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def table(self, key: str) -> Path:
        """Return where the result of a task is kept."""
        return self.results / f"{key}.parquet"

    def forget(self) -> None:
        """Remove all that was kept, and what a task that was stopped left behind."""
        for kept in self.results.iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()

    def measure(self, task: Task, lines: Path) -> Cost:
        """Return what one run of a task cost; the reason, where it failed."""
        try:
            told = json.loads(self._answer(task, lines).splitlines()[-1])
        except environments.PeerError as error:
            return Cost(reason=str(error))
        self.versions[task.peer] = told.pop("versions")
        return Cost(**told)

    def compare(self, task: Task, cost: Cost) -> Cost:
        """Return the cost with how far the task's result agrees with segml's."""
        if task.comparison is None or cost.reason or not self.table(task.like).exists():
            return cost
        return replace(cost, equal=task.comparison(self.table(task.like), self.table(task.key)))

    def _answer(self, task: Task, lines: Path) -> str:
        python = environments.python_of(task.peer, self.cache)
        request = {
            "lines": str(lines),
            "result": str(self.table(task.key)),
            "threads": self.threads,
            "memory_limit": task.memory_limit,
            "dates": task.dates,
        }
        command = [str(python), str(environments.PEERS / f"{task.peer}.py"), task.function, json.dumps(request)]
        variables = environments.variables(python, self.threads)
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, env=variables, timeout=self.timeout_s
            )
        except subprocess.TimeoutExpired as error:
            raise environments.PeerError(f"took longer than {self.timeout_s} s") from error
        if done.returncode != 0:
            reason = environments.last_words(done.stderr) if done.returncode > 0 else f"signal {-done.returncode}"
            raise environments.PeerError(f"failed: {reason}")
        return done.stdout


def best(costs: Sequence[Cost]) -> Cost:
    """Return the least times and the largest memory of the runs of a task; a failure stays one."""
    failed = next((cost for cost in costs if cost.reason), None)
    if failed is not None:
        return failed
    return replace(
        costs[0],
        cpu_s=min(cost.cpu_s for cost in costs),
        wall_s=min(cost.wall_s for cost in costs),
        peak_bytes=max(cost.peak_bytes for cost in costs),
    )
