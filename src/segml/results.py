"""What a notebook does with a training: keep its files, track it, and load a model that was kept.

MLflow is imported in the functions: it takes seconds, and is to be calmed before.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from segml import artifacts, data, tracking
from segml import views as views  # registers what objects show
from segml.calm import calmed
from segml.config import Config, TrackingConfig
from segml.display import Card, Displayed, Grid, Link, card
from segml.language import _
from segml.nearest import tells_nearest_argument
from segml.pipeline import Scorer, Training
from segml.progress import Stages
from segml.promotion import Verdict
from segml.schema import DataError, OutputError
from segml.stopping import stop_if_asked

MODEL_FILE = "MLmodel"
"""What tells a folder that MLflow reads as a model."""


@dataclass(frozen=True)
class Tracked(Displayed):
    """A run in the tracking store.

    Attributes
    ----------
    run_page : where ``mlflow ui`` or the server shows it
    ui_command : starts the user interface of a local store; empty for a server
    model_version : of the model in the registry; empty where it was not registered
    promotion : whether it became champion, in a sentence
    folder : where the files are that were logged
    """

    run_id: str
    run_page: str
    ui_command: str
    model_version: str
    promotion: str
    experiment: str
    folder: Path


@card.register
def _card(run: Tracked) -> Card:
    rows = (
        (_("experiment"), run.experiment),
        (_("run"), run.run_id),
        (_("model version"), run.model_version or _("not registered")),
        *(((_("champion"), run.promotion),) if run.promotion else ()),
        (_("files"), str(run.folder)),
        *(((_("to look at it"), run.ui_command),) if run.ui_command else ()),
    )
    return Card(_("Tracked run"), (Grid("", ("", ""), rows, words=(0, 1)), Link(_("its page"), run.run_page)))


@tells_nearest_argument
def save(kept: Training | Scorer, folder: str | os.PathLike[str] = "outputs", *, progress: bool = True) -> Path:
    """Write all that ``python -m segml.train`` leaves, the report and the model too; return the folder.

    Of a model alone, such as one that was recalibrated, the folder that ``load_model`` reads.

    Raises
    ------
    OutputError : the folder cannot be written; or it would take the place of something that is no model
    DataError : neither a training nor a model
    """
    output = Path(folder)
    if isinstance(kept, Scorer):
        return _save_model(kept, output)
    if not isinstance(kept, Training):
        raise DataError(f"segml.save keeps what train returns, or its scorer; found {type(kept).__name__}")
    training = kept
    artifacts.check_writable(output)
    with calmed(), Stages(quiet=not progress) as stages:
        stages("report and model")
        _write(training, output, run_id="", data_digest=data.digest(training.prepared.lines))
    return output.resolve()


@tells_nearest_argument
def track(
    training: Training,
    experiment: str | None = None,
    run_name: str | None = None,
    *,
    uri: str | None = None,
    folder: str | os.PathLike[str] = "outputs",
    progress: bool = True,
) -> Tracked:
    """Track a training in MLflow as ``python -m segml.train`` does: write its files, then log and register all.

    Parameters
    ----------
    experiment, run_name, uri : of the tracking store; default those of the configuration
    folder : where the files are written first

    Raises
    ------
    OutputError : the folder cannot be written
    TrackingError : the store does not answer; what was written can be sent later, the message says how
    """
    output = Path(folder)
    artifacts.check_writable(output)
    config = _tracked_in(training.config, experiment, run_name, uri)
    asked = replace(training, scorer=replace(training.scorer, config=config))
    with calmed(), Stages(quiet=not progress) as stages:
        stages("starting")
        from segml import records, summary

        begun = records.begun(config)
        digest = data.digest(training.prepared.lines)
        with tracking.Run(
            config.tracking, name=begun.name, tags=begun.tags, params=begun.params, say=stages.say
        ) as run:
            verdict = finish(asked, output, run, data_digest=digest, stages=stages)
    facts = summary.facts(asked, output, run, verdict)
    return Tracked(
        run_id=facts["run_id"],
        run_page=facts["run_page"],
        ui_command=tracking.ui_command(facts["tracking_uri"]),
        model_version=run.model_version,
        promotion=verdict.decision if verdict is not None else "",
        experiment=config.tracking.experiment,
        folder=output.resolve(),
    )


@tells_nearest_argument
def load_model(model: str | os.PathLike[str], *, uri: str | None = None) -> Scorer:
    """Return a trained model: a folder, ``models:/segml@champion`` or ``runs:/RUN_ID/model``.

    Parameters
    ----------
    uri : of the tracking store; default ``MLFLOW_TRACKING_URI``, else ``sqlite:///mlflow.db``

    Raises
    ------
    ModelError : nothing there, or not a model of segml
    TrackingError : the store does not answer
    """
    with calmed():
        from segml import serving

        if Path(model).is_dir():
            return serving.load(os.fspath(model))
        with tracking.default_store(tracking.check_reachable(TrackingConfig(uri=uri))):
            return serving.load(os.fspath(model))


def finish(training: Training, output: Path, run: tracking.Run, *, data_digest: str, stages: Stages) -> Verdict | None:
    """Write all that a training leaves, track it, and let its model run for champion.

    Parameters
    ----------
    run : begun; it is ended
    data_digest : of the clean lines

    Returns
    -------
    What became of the model; None where it was not registered.
    """
    from segml import contest, records

    stages("report and model")
    _write(training, output, run_id=run.run_id, data_digest=data_digest)
    stages("tracking")
    run.send(records.of_training(run.begun, training, data_digest=data_digest, seconds=stages.seconds), output)
    if not run.model_version:
        return None
    stages("promotion")
    evaluate = contest.evaluator(training.prepared, training.config, stages.detail)
    return contest.settle(training.config.tracking, run.model_version, say=stages.say, evaluate=evaluate)


def _write(training: Training, output: Path, *, run_id: str, data_digest: str) -> None:
    """Write all that a training leaves, all at once or not at all."""
    from segml import outputs, serving

    with artifacts.staged(output) as folder:
        outputs.write(training, folder, run_id=run_id, data_digest=data_digest)
        serving.save(training.scorer, folder / serving.MODEL_FOLDER)
        stop_if_asked()


def _save_model(scorer: Scorer, output: Path) -> Path:
    if output.exists() and not (output / MODEL_FILE).is_file():
        raise OutputError(f"{output} is there, and is no model; give a folder for the model alone")
    with calmed():
        from segml import serving

        with artifacts.staged(output.absolute().parent) as folder:
            serving.save(scorer, folder / output.name)
    return output.resolve()


def _tracked_in(config: Config, experiment: str | None, run_name: str | None, uri: str | None) -> Config:
    asked = {"experiment": experiment, "run_name": run_name, "uri": uri}
    given = {name: value for name, value in asked.items() if value is not None}
    return config.model_copy(update={"tracking": config.tracking.model_copy(update=given)})
