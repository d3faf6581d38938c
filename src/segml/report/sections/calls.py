"""Whom to call, and what to do about everybody else."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from segml.actions import rules
from segml.language import _, ngettext
from segml.report.content import ReportContent
from segml.report.tables import records
from segml.report.words import day, number, share


def calls(content: ReportContent, listed: pd.DataFrame) -> dict[str, Any]:
    """Return the top of the call list, and in words what it covers."""
    top = listed.head(content.config.report.call_list_rows)
    rows = [_row(row, content, largest=top["revenue_at_risk"].iloc[0]) for row in records(top)]
    return {"summary": _summary(content, listed), "rows": rows, "actions": _actions(content)}


def _summary(content: ReportContent, listed: pd.DataFrame) -> str:
    actions, shown = content.config.actions, content.config.report.call_list_rows
    scored = int(content.decisions["p_stagnation"].notna().sum())
    if not scored:
        return _("Nobody was scored, so there is no call list; see the notices.")
    if listed.empty:
        return ngettext(
            "None of {n} scored customer is at risk enough to be called.",
            "None of {n} scored customers is at risk enough to be called.",
            scored,
        ).format(n=number(scored))
    who = ngettext(
        "{n} customer of {scored} scored, by falling revenue at risk: at most {share} of the scored, and only with a "
        "probability of stagnation of {p} or more.",
        "{n} customers of {scored} scored, by falling revenue at risk: at most {share} of the scored, and only with a "
        "probability of stagnation of {p} or more.",
        len(listed),
    )
    limits = {"share": share(actions.call_list_share), "p": share(actions.min_p_stagnation)}
    covered = _("Together they hold {share} of the revenue at risk.")
    sentences = [
        who.format(n=number(len(listed)), scored=number(scored), **limits),
        covered.format(share=share(listed["cumulative_share"].iloc[-1])),
    ]
    if actions.contact_cost is not None:
        sentences.append(_("With each of them a contact is expected to earn more than it costs."))
    if shown < len(listed):
        sentences.append(_("The first {shown} are shown; call_list.csv holds all.").format(shown=number(shown)))
    return " ".join(sentences)


def _row(row: dict[str, Any], content: ReportContent, *, largest: float) -> dict[str, Any]:
    return {
        **row,
        "name": content.customer_names.get(row["customer_id"], ""),
        "segments": [content.name_of(scheme, row[scheme]) for scheme in ("tier", "lifecycle")],
        "bar": 100 * row["revenue_at_risk"] / largest,
        "due": _due(row["next_order_expected"], content.as_of),
    }


def _due(expected: pd.Timestamp, as_of: pd.Timestamp) -> dict[str, str]:
    late = (as_of.normalize() - expected).days
    overdue = ngettext("{n} day overdue", "{n} days overdue", late).format(n=number(late)) if late > 0 else ""
    return {"day": day(expected), "late": overdue}


def _actions(content: ReportContent) -> list[dict[str, Any]]:
    """Return one row an action, in order of precedence."""
    groups = content.decisions.groupby("action")["revenue_at_risk"]
    customers, money = groups.size(), groups.agg(math.fsum)
    return [
        {
            "action": rule.name,
            "when": rule.when,
            "customers": int(customers.get(rule.action, 0)),
            "revenue_at_risk": float(money.get(rule.action, 0.0)),
        }
        for rule in rules(content.config.actions, content.config.segments.lifecycle)
    ]
