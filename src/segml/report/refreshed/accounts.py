"""Key accounts: how each does, and who is close to the border of the tier."""

from __future__ import annotations

import math

import pandas as pd

from segml.actions.border import ENTERING
from segml.actions.key_accounts import KEY
from segml.display import Grid
from segml.language import _, ngettext
from segml.pipeline import Refresh
from segml.report.refreshed.part import Part
from segml.report.words import NOTHING, day, money, number, share

CLOSE_ROWS = 8
"""Of either direction."""


def accounts(refresh: Refresh) -> Part:
    """Return the part of the page with the sheet of key accounts, and customers close to entering or leaving."""
    found, currency = refresh.accounts, refresh.config.report.currency
    names = refresh.prepared.customer_names
    count = len(found.sheet)
    told = ngettext(
        "{n} key account with {money} of revenue in 365 days.",
        "{n} key accounts with {money} of revenue in 365 days.",
        count,
    ).format(n=count, money=money(math.fsum(found.sheet["revenue_365d"]), currency))
    advice = refresh.playbook.strategy("tier", KEY)
    return Part(
        "key-accounts",
        _("Key accounts"),
        lead=(told, *([_("With each of them: {advice}.").format(advice=advice)] if advice else [])),
        tables=(
            *([_sheet(found.sheet, refresh.config.report.call_list_rows, currency, names)] if count else []),
            *([_close(found.close, currency, names)] if len(found.close) else []),
        ),
    )


def _sheet(sheet: pd.DataFrame, rows: int, currency: str, names: dict[str, str]) -> Grid:
    has_plan, has_wallet, has_growth = (
        bool(sheet[name].notna().any()) for name in ("plan_share", "wallet_share", "growth_year")
    )
    head = [
        _("customer"),
        _("revenue"),
        *([_("on a year ago")] if has_growth else []),
        *([_("of plan")] if has_plan else []),
        *([_("of wallet")] if has_wallet else []),
        _("usual gap, days"),
        _("next order"),
        _("revenue at risk"),
        _("risk, and why"),
        _("next steps"),
    ]
    shown = tuple(
        (
            names.get(row["customer_id"], row["customer_id"]),
            money(row["revenue_365d"], currency),
            *([_growth(row["growth_year"])] if has_growth else []),
            *([share(row["plan_share"])] if has_plan else []),
            *([share(row["wallet_share"])] if has_wallet else []),
            number(row["usual_gap_days"]),
            day(row["next_order_expected"]),
            money(row["revenue_at_risk"], currency),
            f"{_(row['risk_band'])}: {row['reasons']}",
            row["next_steps"],
        )
        for row in sheet.head(rows).to_dict("records")
    )
    beyond = len(sheet) - len(shown)
    return Grid(
        _("The largest key accounts"),
        tuple(head),
        shown,
        words=(0, len(head) - 2, len(head) - 1),
        more=_("{n} more are in key_accounts.csv").format(n=number(beyond)) if beyond > 0 else "",
    )


def _close(close: pd.DataFrame, currency: str, names: dict[str, str]) -> Grid:
    shown = close.groupby("direction", sort=False).head(CLOSE_ROWS)
    rows = tuple(
        (
            names.get(row["customer_id"], row["customer_id"]),
            _("may enter") if row["direction"] == ENTERING else _("may leave"),
            row["tier"],
            money(row["revenue"], currency),
            row["why"],
        )
        for row in shown.to_dict("records")
    )
    beyond = len(close) - len(shown)
    return Grid(
        _("Close to the border of the tier"),
        (_("customer"), _("direction"), _("tier"), _("revenue"), _("why")),
        rows,
        words=(0, 1, 2, 4),
        more=_("{n} more are in close_to_key.csv").format(n=number(beyond)) if beyond > 0 else "",
    )


def _growth(value: float) -> str:
    if math.isnan(value):
        return NOTHING
    return f"{'+' if value >= 0 else '−'}{share(abs(value))}"
