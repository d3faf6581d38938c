"""What a run says of itself in Markdown: the summary that its page in the MLflow UI shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from pathlib import Path

from segml import store, summary_tables
from segml.churn import Backtest
from segml.config import Config, changed, digest, in_short
from segml.data import Ledger
from segml.data.address import redact
from segml.data.entries import entry_name
from segml.language import _, ngettext, speaking
from segml.pipeline import Prepared, Refresh, Training
from segml.plots.style import elide
from segml.summary_tables import TextTable, share, whole

LENGTH = 5_000
"""Characters of a description at the most: what the stores of MLflow take of any tag."""
SETTINGS_LENGTH, NAME_LENGTH, NOTICE_LENGTH = 800, 40, 300
MOST_ROWS, MOST_NOTICES = 12, 8
GAP = "&emsp;"
"""The UI draws the cells of a table without any space between them."""

Tags = Mapping[str, str]


def markdown(training: Training, tags: Tags) -> str:
    """Return the description of a training run in the language of its report, in at most ``LENGTH`` characters.

    The same training gives the same text, and passwords are masked.

    Parameters
    ----------
    tags : of the run; read are ``segml.data_digest`` and ``segml.git_commit``, where they are
    """
    config = training.config
    with speaking(config.report.language):
        found = [summary_tables.found_segments(training)] if training.found.model is not None else []
        tables = [summary_tables.lifecycle(training), *_scores(training.metrics), *found]
        sentence = summary_tables.headline(training)
        parts = [f"**{sentence}.**", _data(training.prepared), *map(table, tables), _notices(training.notices)]
        return fitting(parts, _origin("train", config, tags))


def refresh_markdown(found: Refresh, tags: Tags) -> str:
    """Return the description of a refresh; see ``markdown``."""
    with speaking(found.config.report.language):
        issued, verdict = found.tasks.issued, found.verdict
        told = ngettext(
            "Refresh as of {day}: {n} task. {verdict}", "Refresh as of {day}: {n} tasks. {verdict}", len(issued)
        ).format(day=found.prepared.as_of.date(), n=len(issued), verdict=verdict.headline)
        since = found.past.last
        moved = [summary_tables.moved(found)] if found.moves is not None else []
        compared = _("Compared with {day}.").format(day=since.as_of.date()) if since is not None else ""
        reasons = "\n".join(f"- {check.words}" for check in verdict.checks)
        parts = [f"**{told}** {compared}", reasons, _data(found.prepared), *map(table, moved)]
        return fitting(parts, _origin("refresh", found.config, tags))


def backtest_markdown(found: Backtest, prepared: Prepared, config: Config, tags: Tags) -> str:
    """Return the description of an evaluation out of time; see ``markdown``."""
    with speaking(config.report.language):
        tables = [*_scores(found.metrics), *([summary_tables.by_date(found)] if len(found.by_date) else [])]
        told = ngettext(
            "Scores evaluated out of time at {n} date, {horizon} days ahead",
            "Scores evaluated out of time at {n} dates, {horizon} days ahead",
            len(found.by_date),
        ).format(n=len(found.by_date), horizon=config.horizon_days)
        parts = [f"**{told}.**", _data(prepared), *map(table, tables), _notices(found.notices)]
        return fitting(parts, _origin("backtest", config, tags))


def _data(prepared: Prepared) -> str:
    told = _("Data: {source}, {start} to {end}.").format(
        source=f"`{_code(Path(redact(prepared.source)).name)}`",
        start=prepared.log_start.date(),
        end=prepared.log_end.date(),
    )
    return f"{told} {_cleaned(prepared.ledger)}"


def _cleaned(ledger: Ledger) -> str:
    came, kept = ledger.came_in, ledger.kept
    told = ngettext(
        "Of {n:,} order line, worth {money:,.0f}, cleaning kept {kept:,} ({share}), worth {kept_money:,.0f}, of "
        "{customers:,} customers.",
        "Of {n:,} order lines, worth {money:,.0f}, cleaning kept {kept:,} ({share}), worth {kept_money:,.0f}, of "
        "{customers:,} customers.",
        came.lines,
    ).format(
        n=came.lines,
        money=float(came.amount),
        kept=kept.lines,
        share=share(kept.lines / came.lines if came.lines else math.nan),
        kept_money=float(kept.amount),
        customers=ledger["kept"].tally.customers,
    )
    rules = [row for row in ledger.rows if row.kind == "taken" and row.tally.lines]
    taken = ", ".join(f"{entry_name(row.rule)} {whole(row.tally.lines)}" for row in rules)
    return told + " " + _("Taken away: {rules}.").format(rules=taken) if taken else told


def _scores(metrics: Mapping[str, float]) -> list[TextTable]:
    if not metrics.keys() & {"churn/roc_auc", "stagnation/roc_auc"}:
        return []
    money = summary_tables.money(metrics)
    return [summary_tables.ranking(metrics), *([money] if money.rows else [])]


def table(told: TextTable) -> str:
    """Return a table of Markdown under its title; of a long one the first rows."""
    rows = told.rows[:MOST_ROWS]
    lines = (
        _row(told.columns),
        f"|{'|'.join(':--' if place in told.words else '--:' for place in range(len(told.columns)))}|",
        *(_row([_text(cell, NAME_LENGTH) for cell in row]) for row in rows),
    )
    more = len(told.rows) - len(rows)
    left_out = ["", ngettext("and {n} more", "and {n} more", more).format(n=more)] if more else []
    return "\n".join([f"#### **{told.title}**", "", *lines, *left_out])


def _row(cells: Iterable[str]) -> str:
    return f"| {f'{GAP} | '.join(cells)} |"


def _notices(notices: tuple[str, ...]) -> str:
    if not notices:
        return ""
    notices_title = _("Notices")
    lines = [f"- {_text(notice, NOTICE_LENGTH)}" for notice in notices[:MOST_NOTICES]]
    more = len(notices) - len(lines)
    if more:
        lines.append("- " + ngettext("and {n} more", "and {n} more", more).format(n=more))
    return "\n".join([f"#### **{notices_title}**", "", *lines])


def _origin(command: str, config: Config, tags: Tags) -> str:
    """Return what the run can be done again from: the command, what was changed, and digests of what went in."""
    title = _("To do it again")
    lines = [
        _("`{command}`, with config.yaml from the artifacts.").format(
            command=f"python -m segml.{command} --config config.yaml"
        )
    ]
    differences = [f"`{_code(f'{key}={in_short(value)}')}`" for key, value in changed(config).items()]
    if differences:
        lines.append(_("Changed from the defaults: {settings}.").format(settings=_as_many_as_fit(differences)))
    sources = {
        _("configuration"): digest(config),
        _("data"): tags.get("segml.data_digest", ""),
        _("commit"): tags.get("segml.git_commit", "")[:12],
        **store.versions(config),
    }
    lines.append(", ".join(f"{name} `{_code(value)}`" for name, value in sources.items() if value) + ".")
    return "\n\n".join([f"#### **{title}**", *lines])


def _as_many_as_fit(items: list[str]) -> str:
    """Return items in a row, as many as ``SETTINGS_LENGTH`` characters hold."""
    lengths = accumulate(len(item) + 2 for item in items)
    shown = [item for item, length in zip(items, lengths, strict=True) if length <= SETTINGS_LENGTH]
    more = len(items) - len(shown)
    return ", ".join([*shown, *([ngettext("and {n} more", "and {n} more", more).format(n=more)] if more else [])])


def fitting(parts: list[str], origin: str) -> str:
    """Return parts and origin as one text; parts that would make it too long are left out, from the last one on."""
    while len("\n\n".join([*filter(None, parts), origin])) > LENGTH:
        parts = parts[:-1]
    return "\n\n".join([*filter(None, parts), origin])


def _text(value: str, length: int = NOTICE_LENGTH) -> str:
    """Return text of one line that Markdown takes literally."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", elide(value, length))


def _code(value: str) -> str:
    """Return text of one line that may stand between backquotes, and in a table."""
    return " ".join(value.split()).replace("`", "'").replace("|", "¦")
