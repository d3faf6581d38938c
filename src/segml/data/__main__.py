"""``python -m segml.data``: fetch a public data set, simulate a company, or check what cleaning would do."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from segml import artifacts, cli
from segml.data import Ledger, catalog
from segml.data.download import Progress as OnProgress
from segml.data.simulate import simulate, write
from segml.display import plain_console


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and do what the subcommand says; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m segml.data", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, action, text in (
        ("fetch", _fetch, "download a public data set, check it and keep it in SEGML_DATA_HOME"),
        ("simulate", _simulate, "write the demo company's tables, and the truth behind them, as Parquet"),
        ("check", _check, "read and clean the configured tables, and print the ledger"),
    ):
        own = commands.add_parser(name, help=text, description=text, allow_abbrev=False)
        cli.add_common(own)
        own.set_defaults(action=action)
        if name == "fetch":
            own.add_argument("name", metavar="NAME", help=", ".join(catalog.PUBLIC))
        if name == "simulate":
            own.add_argument("--output", dest="folder", required=True, metavar="DIR", help="where the tables go")
        if name == "check":
            own.add_argument("--taken", metavar="FILE.parquet", help="write the lines taken away, with their rule")
    arguments = parser.parse_args(argv)
    return cli.run(arguments.action, arguments)


def _fetch(arguments: argparse.Namespace) -> None:
    home = catalog.data_home()
    with _bar(arguments.name) as progress:
        path = catalog.fetch(arguments.name, home, progress=progress)
    data = catalog.PUBLIC[arguments.name]
    facts = {"file": str(path), "rows": data.rows, "licence": data.licence, "citation": data.citation}
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _simulate(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    folder = Path(arguments.folder)
    artifacts.check_writable(folder)
    with cli.Stages() as stages:
        stages("simulating")
        world = simulate(settings.demo)
        stages("writing")
        files = write(world, folder)
    facts = {"files": [str(path) for path in files], "lines": len(world.transactions), "customers": len(world.truth)}
    cli.print_json(facts) if arguments.json else cli.print_facts(facts)


def _check(arguments: argparse.Namespace) -> None:
    settings = cli.load_config(arguments)
    with cli.Stages() as stages, cli.open_data(settings, stages) as prepared:
        if arguments.taken:
            stages("writing the lines taken away")
            artifacts.write_file(Path(arguments.taken), lambda path: prepared.cleaned.taken.to_parquet(path))
    if arguments.json:
        cli.print_json(prepared.ledger.to_dict())
    else:
        _show(prepared.ledger)
        for notice in prepared.notices:
            print(f"note: {notice}")


def _show(ledger: Ledger) -> None:
    table = Table(title="Cleaning ledger", title_justify="left", box=None, header_style="dim")
    for name in ("", "rule"):
        table.add_column(name, no_wrap=True)
    for name in ("lines", "customers", "money"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in ledger.to_frame().to_dict("records"):
        table.add_row(row["kind"], row["rule"], f"{row['lines']:,}", f"{row['customers']:,}", f"{row['amount']:,.2f}")
    console = plain_console()
    console.print(table)
    console.print("lines and money in = kept + taken away; --json tells what each rule means")


@contextmanager
def _bar(name: str) -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(name, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


if __name__ == "__main__":
    sys.exit(main())
