"""What came in, what cleaning took away, and whether the two add up."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.data.entries import entry_name
from segml.language import _, ngettext
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.words import listing, money, number, share

CENT = 0.005


def came_in(content: ReportContent) -> dict[str, Any]:
    """Return the ledger as rows and a picture, and in words whether it reconciles."""
    ledger = content.ledger.assign(
        rule=content.ledger["rule"].map(entry_name),
        meaning=content.ledger["meaning"].map(_),
        amount=content.ledger["amount"].fillna(0.0),
    )
    found = ledger[(ledger["lines"] > 0) | ledger["kind"].isin(["in", "kept"])]
    idle = sorted(set(ledger["rule"]) - set(found["rule"]))
    lines_in = _total(ledger, "in", "lines")
    return {
        "balance": _balance(ledger, content.config.report.currency),
        "gap": _gap(ledger, content.config.report.currency),
        "rows": found.assign(share=found["lines"] / lines_in if lines_in else math.nan).to_dict("records"),
        "idle": listing(idle) if idle else "",
        "pictures": [_steps(found), *_months(content)],
    }


def _total(ledger: pd.DataFrame, kind: str, column: str) -> float:
    return math.fsum(ledger.loc[ledger["kind"] == kind, column])


def _balance(ledger: pd.DataFrame, currency: str) -> str:
    came, taken, kept = (_total(ledger, kind, "lines") for kind in ("in", "taken", "kept"))
    rules = int(((ledger["kind"] == "taken") & (ledger["lines"] > 0)).sum())
    lost = _("None was taken away")
    if taken:
        lost = ngettext(
            "{n} rule took {lines} of them away ({share})", "{n} rules took {lines} of them away ({share})", rules
        ).format(n=number(rules), lines=number(taken), share=share(taken / came))
    arrived = ngettext("{n} line came in, worth {money}", "{n} lines came in, worth {money}", came)
    stayed = _("{lines} were kept, worth {money}")
    arrived = arrived.format(n=number(came), money=money(_total(ledger, "in", "amount"), currency))
    stayed = stayed.format(lines=number(kept), money=money(_total(ledger, "kept", "amount"), currency))
    return f"{arrived}. {lost}; {stayed}."


def _gap(ledger: pd.DataFrame, currency: str) -> str:
    """Return what does not add up, or nothing."""
    lines, amount = (
        _total(ledger, "in", column) - _total(ledger, "taken", column) - _total(ledger, "kept", column)
        for column in ("lines", "amount")
    )
    if not lines and abs(amount) < CENT:
        return ""
    return ngettext(
        "The ledger does not add up: {n} line and {money} are unaccounted for.",
        "The ledger does not add up: {n} lines and {money} are unaccounted for.",
        lines,
    ).format(n=number(lines), money=money(amount, currency))


def _steps(found: pd.DataFrame) -> Picture:
    rows = int((found["kind"] != "corrected").sum())
    return picture(
        "ledger",
        _("Lines that came in, lines that each rule took away, lines that were kept."),
        partial(plots.plot_ledger, found),
        height=0.3 * rows + 0.3,
    )


def _months(content: ReportContent) -> list[Picture]:
    if content.revenue_by_month is None or content.revenue_by_month.empty:
        return []
    draw = partial(plots.plot_revenue_by_month, content.revenue_by_month)
    return [picture("months", _("Revenue by month, after cleaning."), draw, height=2.4)]
