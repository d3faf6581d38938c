"""The page of a refresh: one offline HTML file, from what to do on Monday to what came in."""

from __future__ import annotations

import math

from segml.language import _, ngettext, speaking, spoken
from segml.monitor import Verdict
from segml.pipeline import Refresh
from segml.report.build import environment
from segml.report.refreshed.accounts import accounts
from segml.report.refreshed.came_in import came_in
from segml.report.refreshed.effect import effect
from segml.report.refreshed.migration import migration
from segml.report.refreshed.model import ABOUT, model
from segml.report.refreshed.selling import selling
from segml.report.refreshed.todo import todo
from segml.report.sections.headline import Figure
from segml.report.words import day, listing, number, share, short_money

PARTS = (todo, migration, effect, accounts, selling, model, came_in)


def build_refresh(refresh: Refresh, *, run_id: str = "") -> str:
    """Return the page of a refresh as HTML that needs nothing else; the same refresh gives the same bytes.

    It speaks the language that the configuration names as ``report.language``; labels and names stay as they are.
    """
    with speaking(refresh.config.report.language):
        since = refresh.past.last
        dateline = (
            _("As of {day}, compared with {since}").format(day=day(refresh.prepared.as_of), since=day(since.as_of))
            if since is not None
            else _("As of {day}, the first refresh").format(day=day(refresh.prepared.as_of))
        )
        run = " · " + _("run {run}").format(run=run_id) if run_id else ""
        return (
            environment(refresh.config.report.currency)
            .get_template("refresh.html.j2")
            .render(
                title=_("What changed, and what to do"),
                dateline=f"{dateline}{run}",
                language=spoken(),
                headline=_headline(refresh),
                notices=refresh.prepared.notices,
                parts=[part(refresh) for part in PARTS],
            )
        )


def _headline(refresh: Refresh) -> list[Figure]:
    currency, decisions = refresh.config.report.currency, refresh.decided.decisions
    issued = refresh.tasks.issued
    at_risk = math.fsum(decisions["revenue_at_risk"])
    return [
        Figure(number(len(issued)), ngettext("task", "tasks", len(issued)), _until(refresh)),
        *_moved(refresh),
        Figure(
            short_money(at_risk, currency),
            ngettext(
                "revenue at risk, next {n} day", "revenue at risk, next {n} days", refresh.config.horizon_days
            ).format(n=refresh.config.horizon_days),
        ),
        Figure(_(refresh.verdict.decision), _("the model"), _because(refresh.verdict)),
    ]


def _because(verdict: Verdict) -> str:
    if verdict.decision == "keep":
        return _("as far as can be told") if verdict.unknown else _("nothing speaks against it")
    about = dict.fromkeys(_(ABOUT[check.about]) for check in verdict.checks if check.finding == verdict.decision)
    return _("because of {parts}").format(parts=listing(list(about)))


def _until(refresh: Refresh) -> str:
    issued = refresh.tasks.issued
    return _("due by {day}").format(day=day(issued["due_on"].max())) if len(issued) else ""


def _moved(refresh: Refresh) -> list[Figure]:
    if refresh.moves is None or "lifecycle" not in refresh.moves.schemes:
        return []
    lifecycle = refresh.moves.schemes["lifecycle"]
    return [
        Figure(
            number(lifecycle.moved),
            ngettext("customer changed its stage", "customers changed their stage", lifecycle.moved),
            _("{share} stayed in theirs").format(share=share(lifecycle.share_kept)),
        )
    ]
