"""``python -m segml.campaign``: plan a campaign test, assign its arms, measure its effect."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Hashable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from segml import artifacts, cli
from segml.display import plain_console
from segml.language import speaking
from segml.schema import DataError

if TYPE_CHECKING:
    import pandas as pd

    from segml.campaigns import Assigned, Measured, Planned
    from segml.config import CampaignConfig, Config
    from segml.pipeline import Prepared

DESCRIPTION = """Test whether a campaign works: treat a part of the customers, hold the others back, compare.

What is tested stands in the section campaign of the configuration. Decisions are those of a training, a scoring or a
refresh."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and plan, assign or measure; return the exit code."""
    arguments = _parser().parse_args(argv)
    commands = {"plan": _plan, "assign": _assign, "measure": _measure}
    return cli.run(commands[arguments.command], arguments)


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m segml.campaign",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    plan = _command(commands, "plan", "say how large an effect a test of these customers can show")
    assign = _command(commands, "assign", "draw the arms of all customers who have none yet; nobody is moved")
    measure = _command(commands, "measure", "tell the effect once the test is over")
    for command in (plan, assign, measure):
        command.add_argument(
            "--decisions",
            metavar="FILE",
            type=Path,
            required=command is not measure,
            help="decisions, .parquet or .csv"
            + ("; segments of a campaign of --touches" if command is measure else ""),
        )
        command.add_argument("--as-of", type=cli.iso_date, metavar="DATE", help=_WHAT_DATE[command.prog.split()[-1]])
    earlier = "decisions of campaign.days ago or more: the plan is measured on what came after them"
    plan.add_argument("--earlier", metavar="FILE", type=Path, help=earlier)
    plan.add_argument("--effect", type=_share, metavar="SHARE", help="also say how many customers show this effect")
    _kept(assign, required=True)
    source = measure.add_mutually_exclusive_group(required=True)
    _kept(source, required=False)
    source.add_argument("--touches", action="store_true", help="take the arms from data.touches instead")
    measure.add_argument(
        "--output", dest="folder", metavar="DIR", type=Path, help="write table, page and picture there"
    )
    return made


_WHAT_DATE = {
    "plan": "look back from the midnight of this day",
    "assign": "the day of the draw; default today",
    "measure": "what is known at the midnight of this day",
}


def _command(commands: Any, name: str, what: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
    cli.add_common(made)
    return made


def _kept(parser: Any, *, required: bool) -> None:
    what = "kept assignments, .parquet or .csv, of all campaigns"
    parser.add_argument("--assignments", metavar="FILE", type=Path, required=required, help=what)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 10:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share above zero, as in 0.05")
    return share


def _plan(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    with cli.Stages() as stages:
        from segml import campaigns
        from segml.campaign import files

        decisions = files.read_decisions(arguments.decisions)
        campaigns.check_customers(decisions, settings.campaign.strata)
        earlier = files.read_decisions(arguments.earlier) if arguments.earlier else None
        with cli.open_data(settings, stages) as prepared, speaking(settings.report.language):
            stages("measuring the past")
            planned = campaigns.plan(
                prepared.lines,
                decisions,
                settings.campaign,
                known_from=prepared.log_start,
                known_until=prepared.observed_until,
                earlier=earlier,
                effect=arguments.effect,
            )
    notices = [*planned.notices, *prepared.notices]
    facts = {
        "campaign": settings.campaign.name,
        "promises": list(planned.promises),
        "table": _records(planned.table),
        "notices": notices,
    }
    cli.print_json(facts) if arguments.json else _show_plan(planned, notices)


def _assign(arguments: argparse.Namespace) -> None:
    settings = config = cli.load_config(arguments)
    from segml import campaigns
    from segml.campaign import files

    files.check_format(arguments.assignments, "assignments")
    decisions = files.read_decisions(arguments.decisions)
    with files.only_one(arguments.assignments), speaking(settings.report.language):
        before = files.read_kept(arguments.assignments)
        assigned = campaigns.assign(decisions, config.campaign, before, on=arguments.as_of or date.today())
        if len(assigned.added):
            files.write_kept(assigned.table, arguments.assignments)
    own = assigned.table[assigned.table["campaign"] == config.campaign.name]
    if own.empty:
        raise DataError(f"nobody takes part in the campaign {config.campaign.name!r}: {_why_nobody(assigned, config)}")
    is_treated = decisions["customer_id"].astype("str").isin(_treated(own))
    takes_part = decisions["customer_id"].astype("str").isin(set(own["customer_id"]))
    alike = campaigns.balance(decisions[takes_part], is_treated[takes_part])
    facts = {
        "campaign": config.campaign.name,
        "assignments": str(arguments.assignments.resolve()),
        "seed": config.campaign.seed,
        "customers": len(own),
        "treated": len(_treated(own)),
        "added": len(assigned.added),
        "strata": _records(_by_stratum(own)),
        "balance": _records(alike),
        "notices": list(assigned.notices),
    }
    cli.print_json(facts) if arguments.json else _show_assigned(own, alike, facts)


def _measure(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    if arguments.folder is not None:
        artifacts.check_writable(arguments.folder)
    with cli.Stages() as stages:
        from segml import campaigns
        from segml.campaign import files

        kept = files.read_kept(arguments.assignments) if arguments.assignments else None
        own = campaigns.of_campaign(kept, settings.campaign.name) if kept is not None else None
        decisions = files.read_decisions(arguments.decisions) if arguments.decisions else None
        with cli.open_data(settings, stages) as prepared, speaking(settings.report.language):
            stages("measuring the effect")
            customers, config, share, notices = _campaign(own, decisions, prepared, settings)
            found = campaigns.measure(
                prepared.lines,
                customers,
                config,
                known_from=prepared.log_start,
                known_until=prepared.observed_until,
                share=share,
            )
    with speaking(settings.report.language):
        facts = _facts(found, config, [*notices, *prepared.notices])
        if arguments.folder is not None:
            _write(found, config, arguments.folder)
            facts["output"] = str(arguments.folder.resolve())
        cli.print_json(facts) if arguments.json else _show_effect(found, config, facts)


def _campaign(
    own: pd.DataFrame | None, decisions: pd.DataFrame | None, prepared: Prepared, settings: Config
) -> tuple[pd.DataFrame, CampaignConfig, float | None, tuple[str, ...]]:
    """Return who was in which arm, the configuration that this was assigned under, and the share that was meant."""
    from segml import campaigns

    if own is not None:
        days, share = int(own["days"].iloc[0]), float(own["share"].iloc[0])
        return own, settings.campaign.model_copy(update={"days": days, "share": share}), share, ()
    if "touches" not in prepared.extra:
        raise DataError("--touches needs a table of touches; set data.touches")
    touched = campaigns.from_touches(prepared.extra["touches"], decisions, settings.campaign)
    return touched.customers, settings.campaign, None, touched.notices


def _facts(found: Measured, config: CampaignConfig, notices: list[str]) -> dict[str, Any]:
    return {
        "campaign": config.name,
        "outcome": config.outcome,
        "finding": list(found.finding),
        "cautions": list(found.cautions),
        "table": _records(found.table),
        "notices": notices,
    }


def _write(found: Measured, config: CampaignConfig, folder: Path) -> None:
    from segml import outputs
    from segml.campaign import page

    with artifacts.staged(folder) as staging:
        outputs.write_csv(found.table, staging / page.TABLE)
        page.save(page.draw(found, config), staging / page.PICTURE)
        (staging / page.PAGE).write_text(page.page(found, config), encoding="utf-8")


def _show_plan(planned: Planned, notices: Sequence[str]) -> None:
    console = plain_console()
    columns = ("outcome", "segment", "customers", "mean", "explained", "visible ±", "share")
    rows = [_power_row(row) for row in planned.table.to_dict("records")]
    console.print(_table("Effects that can be seen", columns, rows, names=2))
    for sentence in planned.promises:
        console.print(sentence, markup=False, soft_wrap=True)
    _show_notes(console, notices)


def _power_row(row: dict[Hashable, Any]) -> tuple[str, ...]:
    from segml.campaign import page

    told = page.teller(row["outcome"])
    figures = (f"{row['customers']:,}", told(row["mean"]), f"{row['explained']:.0%}", told(row["detectable"]))
    return (row["outcome"], row["segment"], *figures, _number(row["detectable_share"], ".0%"))


def _show_assigned(own: pd.DataFrame, alike: pd.DataFrame, facts: dict[str, Any]) -> None:
    console = plain_console()
    strata = [(str(row["stratum"]), str(row["customers"]), str(row["treated"])) for row in facts["strata"]]
    console.print(_table(f"Campaign {facts['campaign']}", ("stratum", "customers", "treated"), strata))
    rows = [
        (str(row["column"]), *(_number(row[name], "+.2f") for name in ("difference", "by_chance")))
        for row in alike.to_dict("records")
    ]
    console.print(_table("Treated against control, standard deviations", ("", "apart", "chance to ±"), rows))
    told = f"{facts['customers']:,} customers, {facts['treated']:,} treated, {facts['added']:,} added now"
    console.print(f"{told}; seed {facts['seed']}; {facts['assignments']}", markup=False, soft_wrap=True)
    _show_notes(console, facts["notices"])


def _show_effect(found: Measured, config: CampaignConfig, facts: dict[str, Any]) -> None:
    from segml.campaign import page

    console = plain_console()
    rows = [page.figures(row, config) for _place, row in found.table.iterrows()]
    console.print(_table(page.heading(config), page.headings(), rows))
    for sentence in (*found.finding, *(f"! {caution}" for caution in found.cautions)):
        console.print(sentence, markup=False, soft_wrap=True)
    if "output" in facts:
        console.print(f"output  {facts['output']}", markup=False, soft_wrap=True)
    _show_notes(console, facts["notices"])


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], names: int = 1) -> Table:
    """Return a table whose first columns hold names, and the others figures."""
    table = Table(title=escape(title), title_justify="left", box=None, header_style="dim", padding=(0, 1, 0, 0))
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < names else "right", no_wrap=place >= names)
    for row in rows:
        table.add_row(*map(escape, row))
    return table


def _number(value: float, form: str) -> str:
    return format(value, form) if value == value else "–"


def _show_notes(console: Console, notices: Sequence[str]) -> None:
    for notice in notices:
        console.print(f"note: {notice}", markup=False, soft_wrap=True)


def _treated(own: pd.DataFrame) -> set[str]:
    from segml.campaigns import TREATMENT

    return set(own.loc[own["arm"] == TREATMENT, "customer_id"])


def _by_stratum(own: pd.DataFrame) -> pd.DataFrame:
    from segml.campaigns import TREATMENT

    counted = own.assign(treated=own["arm"] == TREATMENT).groupby("stratum")["treated"].agg(["size", "sum"])
    return counted.rename(columns={"size": "customers", "sum": "treated"}).reset_index()


def _why_nobody(assigned: Assigned, config: Config) -> str:
    return "; ".join(assigned.notices) or f"campaign.where = {config.campaign.where!r} holds for none of the decisions"


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows for JSON, where what is unknown is null."""
    known = table.astype("object").where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in known.to_dict("records")]


if __name__ == "__main__":
    sys.exit(main())
