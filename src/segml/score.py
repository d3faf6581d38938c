"""``python -m segml.score``: decisions for new transactions by a model that training left."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from segml import artifacts, cli, config, tracking
from segml.schema import OutputError

if TYPE_CHECKING:
    from segml.pipeline import Scorer

DESCRIPTION = """Decide about customers by a trained model.

Thresholds, horizon and features are those of the model; where the data come from and how they are cleaned is read
from the configuration given here."""

FORMATS = (".parquet", ".csv")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and score; return the exit code."""
    parser = cli.parser("score", DESCRIPTION)
    parser.add_argument("--model", required=True, help="models:/segml/1, runs:/RUN_ID/model, or a folder")
    parser.add_argument("--as-of", type=cli.iso_date, metavar="DATE", help="look back from the midnight of this day")
    parser.add_argument("--output", dest="file", required=True, metavar="FILE", help="decisions, .parquet or .csv")
    return cli.run(_score, parser.parse_args(argv))


def _score(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    file = Path(arguments.file)
    if file.suffix not in FORMATS:
        raise OutputError(f"output {file} must end in {' or '.join(FORMATS)}; found {file.suffix or 'no ending'!r}")
    artifacts.check_writable(file.parent)
    store = tracking.check_reachable(settings.tracking)
    with cli.Stages() as stages:
        stages("loading the model")
        from segml import outputs, pipeline  # they bring scikit-learn

        with tracking.default_store(store):
            scorer, remarks = _load(arguments.model)
        with cli.open_data(config.learnt_under(settings, scorer.config), stages) as prepared:
            stages("scores")
            decided = pipeline.score(prepared, scorer)
        artifacts.write_file(file, lambda path: outputs.write_table(decided.decisions, path))
    facts = {
        "output": str(file.resolve()),
        "as_of": str(prepared.as_of.date()),
        "customers": len(decided.decisions),
        "scored": int(decided.decisions["p_churn"].notna().sum()),
        "trained_at": str(scorer.trained_at.date()),
        "notices": [*remarks, *prepared.notices],
    }
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _load(uri: str) -> tuple[Scorer, list[str]]:
    """Return the scorer of a model, and what there is to know about its versions."""
    from segml import serving, store  # they bring MLflow

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        scorer = serving.load(uri)
    return scorer, [str(warning.message) for warning in told if issubclass(warning.category, store.ModelWarning)]


if __name__ == "__main__":
    sys.exit(main())
