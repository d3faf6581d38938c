"""What sells with what."""

from __future__ import annotations

from segml.display import Grid
from segml.language import _, ngettext
from segml.pipeline import Refresh
from segml.report.refreshed.part import Part
from segml.report.words import decimal, money, number, share

RULE_ROWS = 12


def selling(refresh: Refresh) -> Part:
    """Return the part of the page that is about cross-sell."""
    found, currency = refresh.selling, refresh.config.report.currency
    title = _("What sells with what")
    if found.items < 2:
        return Part("cross-sell", title, lead=(_("There are no two things to compare."), *found.notices))
    if found.rules.empty:
        none = _("No two things are bought together more often than customers of the same breadth buy them by chance.")
        return Part("cross-sell", title, lead=(none,), notes=found.notices)
    rows = tuple(
        (
            row["bought"],
            row["item"],
            number(row["customers_both"]),
            share(row["support"]),
            share(row["confidence"]),
            decimal(row["lift"], 2),
            decimal(row["lift_like"], 2),
        )
        for row in found.rules.head(RULE_ROWS).to_dict("records")
    )
    beyond = len(found.rules) - len(rows)
    offers = ngettext(
        "{n:,} offer to {customers:,} customers, worth {money} if they buy like those who are alike.",
        "{n:,} offers to {customers:,} customers, worth {money} if they buy like those who are alike.",
        len(found.offers),
    ).format(
        n=len(found.offers),
        customers=found.offers["customer_id"].nunique(),
        money=money(float(found.offers["expected_money"].sum()), currency),
    )
    head = (
        _("who buys"),
        _("buys, too"),
        _("customers with both"),
        _("support"),
        _("confidence"),
        _("lift"),
        _("lift among customers of the same breadth"),
    )
    more = _("{n} more are in cross_sell_rules.csv").format(n=number(beyond)) if beyond else ""
    return Part(
        "cross-sell",
        title,
        lead=(offers,),
        tables=(Grid(_("Rules, the least likely to be chance first"), head, rows, words=(0, 1), more=more),),
        notes=found.notices,
    )
