"""What a study leaves beside its file: a table, a page and a picture, and the same in its run."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pandas as pd

from segml import artifacts, outputs
from segml.experiment.comparison import comparison
from segml.experiment.jobs import jobs
from segml.experiment.page import PICTURE, described, page
from segml.experiment.picture import draw, save
from segml.experiment.running import VARIANT_TAG, Outcome, study_tags
from segml.experiment.study import Study
from segml.tracking import Child, Record

TABLE, PAGE = "results.csv", "results.md"
SKIPPED_TAG, FAILED_TAG = "segml.finished_in", "segml.failed"
_DIGITS = 6


@dataclass(frozen=True)
class Results:
    """The table of ``comparison``, the description of the run, and the names of the files."""

    table: pd.DataFrame
    description: str
    files: tuple[str, ...]


def write(study: Study, outcome: Outcome) -> Results:
    """Write table, page and picture of what is finished; without any, the page alone."""
    found, missing = outcome.by_variant(study), outcome.missing(study)
    redrawn = {"resamples": study.base.churn.bootstrap, "seed": study.base.seed}
    table = comparison(found, study.reference, study.metrics, **redrawn).round(_DIGITS)
    shown, told = (
        told(study, table, found, missing, resamples=study.base.churn.bootstrap) for told in (page, described)
    )
    with artifacts.staged(study.folder) as folder:
        (folder / PAGE).write_text(shown, encoding="utf-8")
        outputs.write_csv(table, folder / TABLE)
        if found:
            save(draw(table, study.reference, study.metrics), folder / PICTURE)
    return Results(table, told, (TABLE, PAGE, *((PICTURE,) if found else ())))


def record(begun: Record, study: Study, outcome: Outcome, results: Results) -> Record:
    """Return what the study's own run says: the reference's metrics, the files, and the variants that were skipped."""
    reference = outcome.by_variant(study).get(study.reference, ())
    failed = "\n".join(f"{job.name}: {message}" for job, message in outcome.failed.items())
    skipped = (
        Child(
            job.name,
            job.config.flat(),
            outcome.found[job].metrics,
            {**study_tags(study), VARIANT_TAG: job.name, SKIPPED_TAG: outcome.found[job].run_id},
        )
        for job in jobs(study)
        if job in outcome.skipped
    )
    return replace(
        begun,
        tags={**begun.tags, **({FAILED_TAG: failed} if failed else {})},
        metrics=reference[0].metrics if reference else {},
        children=tuple(skipped),
        description=results.description,
        files=results.files,
    )
