"""What a command's run says to the tracking store: at its beginning, and of what it found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from segml import description, outputs, refresh_outputs, segments, serving, summary
from segml.churn import Backtest
from segml.config import Config, compared
from segml.pipeline import Prepared, Refresh, Training
from segml.tracking import Child, DataSet, Record, prefixed


def begun(config: Config, config_file: str | None = None, *, prefix: str = "") -> Record:
    """Return what a run says when it begins: its name, tags and parameters."""
    name, tags = summary.identity(config, config_file, prefix=prefix)
    return Record(name, config.tracking.experiment, tags, compared(config))


def of_training(begun: Record, training: Training, *, data_digest: str, seconds: Mapping[str, float]) -> Record:
    """Return all that a training says, its files and its model among it.

    Parameters
    ----------
    begun : what its run began with
    data_digest : of the clean lines
    seconds : how long its stages took
    """
    tracking = training.scorer.config.tracking
    children = (Child(name, params, figures) for name, params, figures in training.found.alternatives())
    said = _looking_at(training.prepared, "train", data_digest, begun, training.notices)
    return replace(
        said,
        tags={**said.tags, **prefixed(segments.as_tags(training.segmentation.cautions))},
        metrics=summary.in_order({**training.metrics, **summary.durations(seconds)}),
        series=summary.series(training.backtest.by_date),
        description=description.markdown(training, said.tags),
        children=tuple(children),
        files=outputs.FILES,
        model=serving.MODEL_FOLDER,
        registered_model=tracking.model_name if tracking.register_model else "",
    )


def of_backtest(
    begun: Record,
    found: Backtest,
    prepared: Prepared,
    config: Config,
    *,
    data_digest: str,
    seconds: Mapping[str, float],
) -> Record:
    """Return all that an evaluation says; parameters as in ``of_training``."""
    said = _looking_at(prepared, "backtest", data_digest, begun, found.notices)
    return replace(
        said,
        metrics=summary.in_order({**found.metrics, **prepared.ledger.metrics(), **summary.durations(seconds)}),
        series=summary.series(found.by_date),
        description=description.backtest_markdown(found, prepared, config, said.tags),
        files=outputs.BACKTEST_FILES,
    )


def of_refresh(begun: Record, refresh: Refresh, *, data_digest: str, seconds: Mapping[str, float]) -> Record:
    """Return all that a refresh says; parameters as in ``of_training``.

    Its tags name the run that trained the model, and the verdict on it.
    """
    said = _looking_at(refresh.prepared, "refresh", data_digest, begun, refresh.prepared.notices)
    last, verdict = refresh.past.last, refresh.verdict
    tags = {
        "training_run": refresh.promise.run_id,
        "model": refresh.promise.model,
        "trained_at": str(refresh.scorer.trained_at.date()),
        "last_refresh": str(last.as_of.date()) if last is not None else "",
        "verdict": verdict.decision,
        "verdict_reasons": "\n".join((verdict.headline, *verdict.reasons)),
    }
    record = replace(
        said,
        tags={**said.tags, **prefixed({name: value for name, value in tags.items() if value})},
        metrics=summary.in_order({**refresh.metrics, **summary.durations(seconds)}),
        description=description.refresh_markdown(refresh, said.tags),
        files=refresh_outputs.files(refresh),
    )
    return record if refresh.recalibrated is None else _with_recalibrated(record, refresh)


def _with_recalibrated(record: Record, refresh: Refresh) -> Record:
    """Return the record of a refresh with its recalibrated model, registered where the run that trained it is known."""
    tracking = refresh.config.tracking
    name = tracking.model_name if tracking.register_model and refresh.promise.run_id else ""
    return replace(record, model=refresh_outputs.MODEL, registered_model=name)


def _looking_at(prepared: Prepared, command: str, data_digest: str, begun: Record, notices: tuple[str, ...]) -> Record:
    tags = {
        "command": command,
        "notices": "\n".join(notices),
        "data_digest": data_digest,
        "as_of": str(prepared.as_of.date()),
    }
    return replace(begun, tags={**begun.tags, **prefixed(tags)}, data=DataSet(prepared.source, data_digest))
