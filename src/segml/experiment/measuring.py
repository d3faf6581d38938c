"""One variant run as the command would run it: the same files, the same record, and what is compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from segml import outputs, pipeline, records, segments, store
from segml.config import Config
from segml.experiment.jobs import Job
from segml.experiment.kept import Finished
from segml.pipeline import Prepared
from segml.pipeline.stage import Stage
from segml.tracking import Record, Run


@dataclass(frozen=True)
class Data:
    """The clean data of a group of variants, and their fingerprint."""

    prepared: Prepared
    digest: str


@dataclass(frozen=True)
class _Measured:
    """What a command found: its metrics and notices, who is compared, and how its files and its record are made."""

    metrics: Mapping[str, float]
    notices: tuple[str, ...]
    customers: int
    scored: pd.DataFrame
    tested: pd.DataFrame
    write: Callable[[Path, str], None]
    record: Callable[[Record, float], Record]


def measure(command: str, job: Job, data: Data, run: Run, folder: Path, stage: Stage) -> tuple[Finished, Record]:
    """Run a variant, write what its run tracks into a folder, and return what it gave and what its run says."""
    began = time.perf_counter()
    found = _MEASURES[command](job.config, data, stage)
    found.write(folder, run.run_id)
    seconds = time.perf_counter() - began
    finished = Finished(
        command=command,
        config_digest=job.digest,
        data_digest=data.digest,
        source=data.prepared.source,
        as_of=str(data.prepared.as_of.date()),
        dates=tuple(str(moment.date()) for moment in sorted(found.scored["as_of"].unique())),
        metrics=found.metrics,
        notices=found.notices,
        customers=found.customers,
        seconds=round(seconds, 1),
        versions=store.versions(job.config),
        run_id=run.run_id,
        scored=found.scored,
        tested=found.tested,
    )
    return finished, found.record(run.begun, seconds)


def _backtest(config: Config, data: Data, stage: Stage) -> _Measured:
    found = pipeline.backtest(data.prepared, config, stage=stage)

    def record(begun: Record, seconds: float) -> Record:
        took = {"variant": seconds}
        return records.of_backtest(begun, found, data.prepared, config, data_digest=data.digest, seconds=took)

    return _Measured(
        {**found.metrics, **data.prepared.ledger.metrics()},
        found.notices,
        int(found.table["customer_id"].nunique()),
        found.table,
        segments.FoundSegments().tested,
        lambda folder, run_id: outputs.write_backtest(found, config, folder),
        record,
    )


def _train(config: Config, data: Data, stage: Stage) -> _Measured:
    playbook = segments.configured_playbook(config.segments)
    training = pipeline.train(data.prepared, config, playbook=playbook, stage=stage)

    def record(begun: Record, seconds: float) -> Record:
        whole = records.of_training(begun, training, data_digest=data.digest, seconds={"variant": seconds})
        # A study compares; models are made by training.
        return replace(whole, model="", registered_model="", children=())

    return _Measured(
        training.metrics,
        training.notices,
        len(training.decided.decisions),
        training.backtest.table,
        training.found.tested,
        lambda folder, run_id: outputs.write(training, folder, run_id=run_id, data_digest=data.digest),
        record,
    )


_MEASURES: Mapping[str, Callable[[Config, Data, Stage], _Measured]] = {"backtest": _backtest, "train": _train}
