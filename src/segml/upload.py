"""``python -m segml.upload``: what a command could not send to the tracking store, sent later."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from segml import cli, promotion, tracking
from segml.config import TrackingConfig, without_secrets
from segml.schema import TrackingError

DESCRIPTION = """Send a run whose tracking store went away.

The command that made it left its outputs and unsent.json in FOLDER. The run goes to the store that tracking.uri or
MLFLOW_TRACKING_URI names, else to the one it was meant for; sent twice, it is there once."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and send; return the exit code."""
    parser = cli.parser("upload", DESCRIPTION)
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="the output folder that holds unsent.json")
    return cli.run(_upload, parser.parse_args(argv))


def _upload(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    with tracking.taken_up(arguments.folder) as unsent, cli.Stages() as stages:
        config = _meant_for(settings.tracking, unsent)
        stages("sending")
        sent = tracking.resend(unsent, arguments.folder, config, stages.say)
        verdict = _settle(config, unsent, sent, stages) if sent.model_version else None
    shown = without_secrets(sent.uri)
    facts = {
        "run_id": sent.run_id,
        "model_version": sent.model_version,
        "promotion": verdict.decision if verdict else None,
        "run_page": tracking.ui_page(shown, sent.experiment_id, sent.run_id),
        "tracking_uri": shown,
        "output": str(arguments.folder.resolve()),
    }
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _settle(
    config: TrackingConfig, unsent: tracking.Unsent, sent: tracking.Sent, stages: cli.Stages
) -> promotion.Verdict | None:
    """Judge a model as the training would have done, its data not at hand; offer one that a refresh recalibrated."""
    stages("promotion")
    from segml import contest, refresh_outputs  # they bring scikit-learn

    named = config.model_copy(update={"model_name": unsent.record.registered_model})
    if unsent.record.model == refresh_outputs.MODEL:
        stages.say(contest.offer(named, sent.model_version, say=stages.say))
        return None
    return contest.settle(named, sent.model_version, say=stages.say)


def _meant_for(config: TrackingConfig, unsent: tracking.Unsent) -> TrackingConfig:
    """Return where to send: what the user names now, else the store that the run was meant for."""
    if config.uri or os.environ.get("MLFLOW_TRACKING_URI"):
        return config
    if "…" in unsent.uri:
        raise TrackingError(
            f"the address {unsent.uri} had a password, which is not kept; name the store again by "
            "--set tracking.uri=…, or MLFLOW_TRACKING_URI"
        )
    return config.model_copy(update={"uri": unsent.uri})


if __name__ == "__main__":
    sys.exit(main())
