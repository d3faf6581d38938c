"""What contacts would have earned, what customers have gone silent in, and how well next orders are foreseen."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd

from segml import plots
from segml.churn import Terms, profit_curve
from segml.config import ActionsConfig
from segml.language import _, ngettext
from segml.report.content import ReportContent
from segml.report.pictures import Picture, picture
from segml.report.tables import records
from segml.report.words import money as in_words
from segml.report.words import number, share

ROWS = 10


def money(content: ReportContent) -> dict[str, Any]:
    """Return sentences, the profit curve and the silent categories; what is not known says so in words."""
    return {
        "profit": _profit(content),
        "pictures": _pictures(content),
        "silent": _silent(content),
        "silent_told": _silent_told(content),
        "next_order": _next_order(content),
    }


def _profit(content: ReportContent) -> list[str]:
    """Return what the list chosen by expected profit would have earned, or what to set to know it."""
    actions, metrics = content.config.actions, content.metrics
    if actions.contact_cost is None:
        return [
            _(
                "No profit is counted: set actions.contact_cost to what a contact costs, actions.success_rate to the "
                "share of threatened money that it saves, and actions.margin_rate where the data tell no margin. Only "
                "customers whom a contact earns more from than it costs are then on the call list."
            )
        ]
    if "profit/listed" not in metrics:
        return [_("The profit of contacts could not be checked against the past; see the notices.")]
    return [_terms(actions, metrics["profit/margin_rate"], content), _earned(content), _compared(content)]


def _terms(actions: ActionsConfig, margin: float, content: ReportContent) -> str:
    told = _(
        "A contact costs {cost}, saves {success} of what would have been lost, and {margin} of that is margin. It is "
        "worth it where the expected loss earns more than the contact costs."
    )
    return told.format(
        cost=_money(actions.contact_cost, content), success=share(actions.success_rate), margin=share(margin)
    )


def _earned(content: ReportContent) -> str:
    names = {"own": "listed", "low": "listed_low", "high": "listed_high"}
    earned = {word: _money(content.metrics.get(f"profit/{name}"), content) for word, name in names.items()}
    told = _(
        "At earlier dates {listed} of the scored customers were worth it, and contacting them would have earned {own} "
        "({low} to {high})."
    )
    return told.format(listed=share(content.metrics["profit/listed_share"]), **earned)


def _compared(content: ReportContent) -> str:
    told = _(
        "As many contacts would have earned {size} by size of account alone, {probability} by probability alone, and "
        "{perfect} with perfect knowledge; contacting everybody {everyone}."
    )
    names = {"size": "run_rate", "probability": "p_stagnation", "perfect": "perfect", "everyone": "everyone"}
    return told.format(**{word: _money(content.metrics[f"profit/{name}"], content) for word, name in names.items()})


def _money(value: float | None, content: ReportContent) -> str:
    return in_words(math.nan if value is None else value, content.config.report.currency)


def _pictures(content: ReportContent) -> list[Picture]:
    actions, margin = content.config.actions, content.metrics.get("profit/margin_rate")
    if actions.contact_cost is None or margin is None or content.backtest is None:
        return []
    curve = profit_curve(content.backtest, Terms(actions.contact_cost, actions.success_rate, margin))
    chosen = (content.metrics["profit/listed_share"], content.metrics["profit/listed"])
    draw = partial(plots.plot_profit, curve, chosen=chosen)
    caption = _(
        "Profit of contacts a test date against the length of the list, by what was really lost; the dot is the list "
        "that expected profit chooses."
    )
    return [picture("profit", caption, draw)]


def _silent(content: ReportContent) -> list[dict[str, Any]]:
    """Return the silent categories with the most money."""
    if content.silent is None:
        return []
    top = content.silent.head(ROWS).rename(columns={content.config.actions.silent_by: "category"})
    return [{**row, "name": content.customer_names.get(row["customer_id"], "")} for row in records(top)]


def _silent_told(content: ReportContent) -> str:
    silent = content.silent if content.silent is not None else pd.DataFrame({"customer_id": []})
    if silent.empty:
        return _("No customer that still buys has gone silent in anything it used to buy regularly.")
    customers = silent["customer_id"].nunique()
    told = ngettext(
        "{n} customer still buys, but has gone silent in something it used to buy: {pairs} cases, {money} of "
        "revenue in the last 365 days.",
        "{n} customers still buy, but have gone silent in something they used to buy: {pairs} cases, {money} of "
        "revenue in the last 365 days.",
        customers,
    )
    held = _money(math.fsum(silent["revenue_365d"]), content)
    shown = _("The largest are shown; silent_categories.csv holds all.") if len(silent) > ROWS else ""
    return " ".join([told.format(n=number(customers), pairs=number(len(silent)), money=held), shown]).strip()


def _next_order(content: ReportContent) -> str:
    held = content.metrics.get("next_order/coverage_80")
    if held is None:
        return ""
    told = _(
        "The interval of the next order is to hold in 80% of cases; in the evaluation it held in {share}. It assumes "
        "that the customer orders again: those who leave miss it."
    )
    return told.format(share=share(held))
