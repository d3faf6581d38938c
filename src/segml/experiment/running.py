"""All variants of a study, one after another: what is finished is skipped, what fails is told, the others run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from segml import artifacts, cli, records, tracking
from segml.data import digest
from segml.experiment.jobs import Job, by_data, jobs
from segml.experiment.kept import Finished, Kept
from segml.experiment.measuring import Data, measure
from segml.experiment.study import Study
from segml.schema import InputError, TrackingError

NOT_RUN = "not run yet"
STUDY_TAG, VARIANT_TAG = "segml.study", "segml.variant"


@dataclass
class Outcome:
    """What became of the variants.

    Attributes
    ----------
    found : job -> what it gave
    skipped : of these, whose that was known before
    failed : job -> why it gave nothing
    """

    found: dict[Job, Finished] = field(default_factory=dict)
    skipped: set[Job] = field(default_factory=set)
    failed: dict[Job, str] = field(default_factory=dict)

    def by_variant(self, study: Study) -> dict[str, list[Finished]]:
        """Return what each variant gave, once for every seed, in the study's order; only those that are complete."""
        complete = {}
        for variant in study.variants:
            given = [self.found[job] for job in jobs(study) if job.variant == variant.name and job in self.found]
            if len(given) == len(variant.configs):
                complete[variant.name] = given
        return complete

    def missing(self, study: Study) -> dict[str, str]:
        """Return why there is nothing of a variant, by its name."""
        complete = self.by_variant(study)
        why = {job.variant: message for job, message in self.failed.items()}
        return {
            variant.name: why.get(variant.name, NOT_RUN) for variant in study.variants if variant.name not in complete
        }


class Running:
    """Runs the variants of a study as runs under a parent run."""

    def __init__(self, study: Study, parent: tracking.Run, stages: cli.Stages, *, fresh: bool) -> None:
        self.study = study
        self.parent = parent
        self.stages = stages
        self.fresh = fresh
        self.kept = Kept(study.folder)
        self.outcome = Outcome()

    def __call__(self, chosen: Sequence[str]) -> Outcome:
        """Run the variants of these names; of the others tell what is known of them."""
        for group in by_data(jobs(self.study)):
            wanted = [job for job in group if job.variant in chosen]
            for job in group:
                if job not in wanted:
                    self._recall(job)
            if wanted:
                self._run_group(wanted)
        return self.outcome

    def _run_group(self, group: Sequence[Job]) -> None:
        try:
            with cli.open_data(group[0].config, self.stages) as prepared:
                data = Data(prepared, digest(prepared.lines))
                for job in group:
                    if self.fresh or not self._recall(job, data.digest):
                        self._run(job, data)
        except TrackingError:
            raise
        except InputError as error:  # the data of all
            for job in group:
                if job not in self.outcome.found and job not in self.outcome.failed:
                    self._fail(job, error)

    def _recall(self, job: Job, data_digest: str | None = None) -> bool:
        """Take what a job is known to give; tell whether anything is."""
        known = self.kept.find(self.study.command, job.digest, data_digest)
        if known is None:
            return False
        self.outcome.found[job] = known
        self.outcome.skipped.add(job)
        if data_digest is not None:
            self.stages.say(f"{job.name}: skipped, finished before ({known.seconds:.0f} s, {job.digest})")
        return True

    def _run(self, job: Job, data: Data) -> None:
        self.stages(job.name)
        try:
            with self._child(job) as run:
                folder = self.kept.tracked(job.digest)
                with artifacts.staged(folder) as staging:
                    finished, record = measure(
                        self.study.command, job, data, run, staging, lambda name: self.stages.detail(name)
                    )
                self.kept.keep(finished)
                run.send(record, folder)
                self.outcome.found[job] = finished
        except TrackingError:
            raise
        except InputError as error:
            self._told(job, error)

    def _fail(self, job: Job, error: InputError) -> None:
        """Track a job that never began as a failed run."""
        try:
            with self._child(job):
                raise error
        except TrackingError:
            raise
        except InputError:
            self._told(job, error)

    def _told(self, job: Job, error: InputError) -> None:
        self.outcome.failed[job] = str(error)
        self.stages.say(f"{job.name}: FAILED: {error}")

    def _child(self, job: Job) -> tracking.Run:
        begun = records.begun(job.config, str(self.study.path))
        tags = {**begun.tags, **study_tags(self.study), VARIANT_TAG: job.name}
        return tracking.Run(
            self.study.base.tracking,
            name=f"{job.name}, {self.study.name}",
            tags=tags,
            params=begun.params,
            parent=self.parent.run_id,
            say=self.stages.say,
        )


def study_tags(study: Study) -> Mapping[str, str]:
    """Return the tags of all runs of a study."""
    return {STUDY_TAG: study.name}
