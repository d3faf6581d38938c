"""``python -m segml.registry``: which versions of the model there are, who is champion, and how to change that."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table

from segml import cli
from segml.display import plain_console
from segml.language import speaking
from segml.schema import RegistryError
from segml.tracking.versions import (
    CHALLENGER,
    CHAMPION,
    PROMOTED_TAG,
    RECIPE_TAG,
    ROLLED_BACK_TAG,
    VERDICT_TAG,
    Registry,
    Version,
)

if TYPE_CHECKING:
    import pandas as pd

    from segml.config import Config
    from segml.contest import Entry
    from segml.promotion import Verdict

DESCRIPTION = """Versions of the registered model: list, compare, promote, roll back.

Scoring and refreshing use the version that is champion: --model models:/segml@champion."""

NO_REASON = "by hand, without a reason given"
SHOWN = {
    "segml.as_of": 10,
    "churn/roc_auc": 5,
    "stagnation/roc_auc": 5,
    "segments/min_jaccard": 5,
    "segml.data_digest": 6,
    RECIPE_TAG: 6,
}
"""Tags of a version that the list shows, and how much of each: no intervals, so that a row has 80 characters."""
OF_THE_DATA = ("data.", "demo.")
"""Beginnings of the keys of the configuration that name data."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and look at the registry, or change who is champion; return the exit code."""
    arguments = _parser().parse_args(argv)
    commands = {"list": _list, "compare": _compare, "promote": _promote, "rollback": _roll_back}
    return cli.run(commands[arguments.command], arguments)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m segml.registry",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _command(commands, "list", "show all versions, the newest first")
    compare = _command(commands, "compare", "say what the promotion rule makes of a version; change nothing")
    compare.add_argument("--version", metavar="N", help="number or alias; default the challenger, else the newest")
    compare.add_argument(
        "--with", dest="other", metavar="M", default=CHAMPION, help="number or alias; default champion"
    )
    promote = _command(commands, "promote", "make a version champion, whatever the rule says")
    promote.add_argument("version", metavar="VERSION", help="number or alias")
    promote.add_argument("--reason", metavar="TEXT", default=NO_REASON, help="why; kept as a tag of the version")
    _command(commands, "rollback", "make champion again who was it before")
    return made


def _command(commands: Any, name: str, what: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    cli.add_common(made)
    return made


def _list(arguments: argparse.Namespace) -> None:
    registry = _opened(cli.load_config(arguments))
    mended, versions = registry.mend(), registry.versions()
    facts = {
        "model": registry.name,
        "champion": _holder(versions, CHAMPION),
        "challenger": _holder(versions, CHALLENGER),
        "champions": list(registry.champions()),
        "versions": [_plain(version) for version in versions],
        "notices": [mended] if mended else [],
    }
    cli.print_json(facts) if arguments.json else _show_list(facts, versions)


def _compare(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    registry = _opened(settings)
    with cli.Stages() as stages:
        stages("reading the runs")
        from segml import contest

        other = registry.version(arguments.other)
        one = registry.version(arguments.version) if arguments.version else _challenger(registry.versions())
        if one.number == other.number:
            raise RegistryError(f"version {one.number} cannot be compared with itself; give --version and --with")
        verdict = _judged(contest.read(registry, one), contest.read(registry, other), settings, arguments, stages)
    facts = {"version": one.number, "with": other.number, **verdict.summary()}
    cli.print_json(facts) if arguments.json else _show_comparison(verdict, facts)


def _promote(arguments: argparse.Namespace) -> None:
    registry = _opened(cli.load_config(arguments))
    mended, version = registry.mend(), registry.version(arguments.version)
    before = registry.promote(version.number, reason=arguments.reason, at=datetime.now(UTC))
    if before == version.number:
        said = f"Version {version.number} is champion already; nothing was changed."
    else:
        said = f"Version {version.number} is champion now; before it was {f'version {before}' if before else 'none'}."
    facts = {"champion": version.number, "previous": before, "reason": arguments.reason, "said": said}
    _tell(arguments, facts, mended)


def _roll_back(arguments: argparse.Namespace) -> None:
    registry = _opened(cli.load_config(arguments))
    mended = registry.mend()
    number, left = registry.roll_back()
    lost = f" in place of version {left}; a model of that recipe is not promoted again but by hand" if left else ""
    said = f"Version {number} is champion again{lost}."
    _tell(arguments, {"champion": number, "previous": left, "said": said}, mended)


def _opened(settings: Config) -> Registry:
    return Registry(settings.tracking, lambda text: print(text, file=sys.stderr))


def _judged(one: Entry, other: Entry, settings: Config, arguments: argparse.Namespace, stages: cli.Stages) -> Verdict:
    """Return the verdict; a recipe is evaluated again where that is needed and the arguments name data."""
    from segml import contest, data, promotion

    with speaking(settings.report.language):
        if not promotion.needs_evaluation(one.contender, other.contender) or not _names_data(arguments):
            return contest.compare(one, other, settings.promotion, None)
        with cli.open_data(settings, stages) as prepared:
            evaluate, fingerprint = contest.evaluator(prepared, settings, stages), data.digest(prepared.lines)
            if fingerprint != one.contender.data_digest:
                stages.say(f"these are not the data of version {one.version.number}: both are evaluated on them")
                one = contest.evaluated_on(one, fingerprint, evaluate)
            return contest.compare(one, other, settings.promotion, evaluate)


def _names_data(arguments: argparse.Namespace) -> bool:
    return bool(arguments.config) or any(override.startswith(OF_THE_DATA) for override in arguments.overrides)


def _challenger(versions: Sequence[Version]) -> Version:
    """Return the challenger, else the newest version that is not champion."""
    others = [version for version in versions if CHAMPION not in version.aliases]
    if not others:
        raise RegistryError(f"there is nothing to compare: version {versions[0].number} is the only one, and champion")
    return next((version for version in others if CHALLENGER in version.aliases), others[0])


def _holder(versions: Sequence[Version], alias: str) -> str:
    return next((version.number for version in versions if alias in version.aliases), "")


def _plain(version: Version) -> dict[str, Any]:
    return {
        "version": version.number,
        "aliases": list(version.aliases),
        "standing": _standing(version),
        "run_id": version.run_id,
        "created_at": version.created_at.isoformat(timespec="seconds"),
        "tags": dict(version.tags),
    }


def _standing(version: Version) -> str:
    """Return in a word how the version came to what it is."""
    role, _, outcome = version.tags.get(VERDICT_TAG, "").partition(": ")
    if ROLLED_BACK_TAG in version.tags:
        return "rolled back"
    if PROMOTED_TAG in version.tags and role != CHAMPION:
        return "by hand"
    return outcome or "not judged"


def _show_list(facts: Mapping[str, Any], versions: Sequence[Version]) -> None:
    console = plain_console()
    table = Table(title=f"Model {facts['model']}", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("#", justify="right", no_wrap=True)
    for name in ("role", "standing", "as of", "churn", "stagnation", "Jaccard", "data", "recipe"):
        table.add_column(name, no_wrap=True)
    for version in versions:
        figures = [version.tags.get(name, "–")[:length] for name, length in SHOWN.items()]
        table.add_row(version.number, ", ".join(version.aliases), _standing(version), *figures)
    console.print(table)
    console.print(f"Champions so far: {' → '.join(facts['champions']) or 'none'}")
    _show_notices(facts["notices"])


def _show_comparison(verdict: Verdict, facts: Mapping[str, Any]) -> None:
    console = plain_console()
    if len(verdict.table):
        console.print(_figures(verdict.table, facts))
    console.print(f"By the rule: {verdict.decision}", markup=False, soft_wrap=True)
    for reason in verdict.reasons:
        console.print(f"  {reason}", markup=False, soft_wrap=True)
    console.print(f"Nothing was changed. To promote it: python -m segml.registry promote {facts['version']}")


def _figures(found: pd.DataFrame, facts: Mapping[str, Any]) -> Table:
    table = Table(box=None, header_style="dim")
    table.add_column("")
    for name in (f"version {facts['version']}", f"version {facts['with']}", "difference", "95 % interval"):
        table.add_column(name, justify="right")
    for row in found.to_dict("records"):
        low, high = row["difference_low"], row["difference_high"]
        interval = "–" if low != low else f"\\[{low:+.3f}, {high:+.3f}]"
        table.add_row(
            row["figure"].replace("_", " "),
            f"{row['challenger']:.3f}",
            f"{row['champion']:.3f}",
            f"{row['difference']:+.3f}",
            interval,
        )
    return table


def _tell(arguments: argparse.Namespace, facts: Mapping[str, Any], mended: str) -> None:
    notices = [mended] if mended else []
    if arguments.json:
        cli.print_json({**facts, "notices": notices})
        return
    print(facts["said"])
    _show_notices(notices)


def _show_notices(notices: Sequence[str]) -> None:
    for notice in notices:
        print(f"note: {notice}")


if __name__ == "__main__":
    sys.exit(main())
