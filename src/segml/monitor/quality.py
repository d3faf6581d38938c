"""Data quality against last time: what cleaning took, what is unknown, what is new, and what changed afterwards.

Lines of one customer are taken to be wrong together, so that customers are counted, not lines: ten thousand lines of
forty customers say as much as forty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, fisher_exact

from segml.config import MonitorConfig
from segml.language import N_, _, ngettext
from segml.monitor.delivery import NAMED, Delivery, revenue_by_month

RULE_COLUMNS = [
    *("rule", "kind", "meaning", "lines_then", "lines_now"),
    *("share_then", "share_now", "amount_share_then", "amount_share_now"),
    *("p_adjusted", "is_alarm"),
]
NULL_COLUMNS = ["column", "share_then", "share_now", "p_adjusted", "is_alarm"]
MONTH_COLUMNS = ["month", "revenue_then", "revenue_now", "late", "cancelled", "share", "is_alarm"]
SIZE_COLUMNS = ["what", "then", "now"]

_SIZES = {
    "lines": N_("order lines"),
    "customers": N_("customers"),
    "newest_age_days": N_("age of the newest line, days"),
    "recent_lines": N_("order lines of the last 90 days"),
    "recent_customers": N_("customers of the last 90 days"),
}
_NEW_NAMES = {
    "category": N_("new in category: {names}"),
    "channel": N_("new in channel: {names}"),
    "region": N_("new in region: {names}"),
}
_TOLD_NAMES = 5


@dataclass(frozen=True)
class Quality:
    """A delivery against the last one.

    Attributes
    ----------
    rules : one row a rule of the cleaning ledger, see ``compare_rules``
    nulls : one row a column that a source may leave empty, see ``compare_nulls``
    months : one row a past month, see ``compare_months``
    sizes : ``what, then, now``: lines, customers, age of the newest line
    new_names : column -> names that were not there then
    """

    rules: pd.DataFrame
    nulls: pd.DataFrame
    months: pd.DataFrame
    sizes: pd.DataFrame
    new_names: Mapping[str, tuple[str, ...]]

    @property
    def alarms(self) -> tuple[str, ...]:
        """What to look at, in sentences in the language spoken; nothing where all is as it was."""
        return (*map(_told_rule, _alarmed(self.rules)), *map(_told_null, _alarmed(self.nulls)), *self._late())

    @property
    def notes(self) -> tuple[str, ...]:
        """What is new and no alarm, in words in the language spoken."""
        return tuple(
            _(_NEW_NAMES[column]).format(names=_in_short(names)) for column, names in self.new_names.items() if names
        )

    def _late(self) -> tuple[str, ...]:
        changed = self.months[self.months["is_alarm"].astype(bool)]
        if changed.empty:
            return ()
        told = ngettext(
            "{n} past month was delivered with another revenue than last time: {months}; corrections by {money:+,.0f}, "
            "later cancellations not counted.",
            "{n} past months were delivered with another revenue than last time: {months}; corrections by "
            "{money:+,.0f}, later cancellations not counted.",
            len(changed),
        )
        months = _in_short(tuple(changed["month"]))
        return (told.format(n=len(changed), months=months, money=float(changed["late"].sum())),)


def quality(then: Delivery, now: Delivery, lines_now: Any, config: MonitorConfig | None = None) -> Quality:
    """Return what is different about a delivery of order lines.

    Parameters
    ----------
    then, now : what both looked like
    lines_now : order lines of the delivery now, for what became of past months
    config : bounds; default ``MonitorConfig()``
    """
    rule = config if config is not None else MonitorConfig()
    sizes = [(what, getattr(then, what), getattr(now, what)) for what in _SIZES]
    return Quality(
        rules=compare_rules(then.ledger, now.ledger, rule),
        nulls=compare_nulls(then, now, rule),
        months=compare_months(then, now, lines_now, rule),
        sizes=pd.DataFrame(sizes, columns=SIZE_COLUMNS),
        new_names={column: tuple(sorted(set(now.names[column]) - set(then.names[column]))) for column in NAMED},
    )


def told_size(what: str) -> str:
    """Return what people call a row of ``Quality.sizes``, in the language spoken."""
    return _(_SIZES[what])


def compare_rules(then: Mapping[str, Any], now: Mapping[str, Any], config: MonitorConfig) -> pd.DataFrame:
    """Return what each rule of the cleaning took or corrected, then and now: one row an entry of either ledger.

    Where a log has only grown, shares now are those of the lines that were added: a fault of a month would drown in the
    years before it. Columns: ``rule, kind, meaning``; ``lines_then``, ``lines_now`` (of which the shares are taken);
    ``share_then``, ``share_now`` of the lines, ``amount_share_then``, ``amount_share_now`` of the money that came in
    (NaN where that is zero); ``p_adjusted`` (Fisher's exact test on as many lines as there are customers, adjusted
    after Benjamini and Hochberg); ``is_alarm``: the lines' share changed beyond chance and by ``quality_share`` at
    least, or the money's by ``quality_amount_share``.

    Parameters
    ----------
    then, now : ``Ledger.to_dict()``
    """
    before, after = _entries(then), _entries(now)
    added = _added(before, after)
    is_grown = bool((added[["lines", "customers"]].to_numpy() >= 0).all() and added["lines"]["in"] > 0)
    latest = added.assign(customers=after["customers"]) if is_grown else after
    rows = _shares(before).add_suffix("_then").join(_shares(latest).add_suffix("_now"), how="outer")
    rows = rows.drop(index=["in", "kept"]).fillna(
        {"lines_then": 0, "lines_now": 0, "share_then": 0.0, "share_now": 0.0}
    )
    counted = [int(min(table["customers"]["in"], table["lines"]["in"])) for table in (before, latest)]
    rows["p_adjusted"] = _adjusted_p(rows["share_then"], rows["share_now"], *counted)
    amount_changed = (rows["amount_share_now"] - rows["amount_share_then"].fillna(0.0)).abs()
    rows["is_alarm"] = _alarm(rows, config) | (amount_changed >= config.quality_amount_share)
    words = pd.concat([_words(now), _words(then)])
    found = rows.join(words[~words.index.duplicated()]).rename_axis("rule").reset_index()
    order = [entry["rule"] for entry in (*now["rules"], *then["rules"])]
    return found.sort_values("rule", key=lambda name: name.map(order.index), ignore_index=True)[RULE_COLUMNS].astype(
        {"lines_then": "int64", "lines_now": "int64", "is_alarm": "bool"}
    )


def compare_nulls(then: Delivery, now: Delivery, config: MonitorConfig) -> pd.DataFrame:
    """Return in which share of the recent lines each column was unknown, then and now; alarms as of lines there."""
    shares = [
        pd.Series(delivery.recent_nulls, dtype="float64") / max(delivery.recent_lines, 1) for delivery in (then, now)
    ]
    rows = pd.DataFrame({"share_then": shares[0], "share_now": shares[1]}).fillna(0.0)
    rows["p_adjusted"] = _adjusted_p(rows["share_then"], rows["share_now"], then.recent_customers, now.recent_customers)
    rows["is_alarm"] = _alarm(rows, config)
    return rows.rename_axis("column").reset_index()[NULL_COLUMNS]


def compare_months(then: Delivery, now: Delivery, lines_now: Any, config: MonitorConfig) -> pd.DataFrame:
    """Return how the revenue of the months before the last as-of date differs between the two deliveries.

    Columns: ``month``; ``revenue_then``, ``revenue_now`` (of the same lines' dates); ``late``: what was delivered, or
    corrected, after the fact; ``cancelled``: what was cancelled since, which is no fault; then + late + cancelled =
    now; ``share``: late over the revenue then, NaN where that is zero; ``is_alarm``: it is ``corrections_share`` or
    more.
    Where one delivery begins later than the other, its first month and those before it are left out.
    """
    seen = revenue_by_month(lines_now, then.as_of, then.as_of)
    stands = revenue_by_month(lines_now, then.as_of, now.as_of)
    rows = pd.DataFrame(
        {"revenue_then": then.months, "seen": seen, "revenue_now": stands}, dtype="float64"
    ).sort_index()
    rows = rows.loc[_both_reach(then.months, seen) :].fillna(0.0)
    late = (rows["seen"] - rows["revenue_then"]).round(6)
    share = (late / rows["revenue_then"].abs()).where(rows["revenue_then"] != 0)
    return (
        rows.assign(
            late=late,
            cancelled=(rows["revenue_now"] - rows["seen"]).round(6),
            share=share,
            is_alarm=(share.abs() >= config.corrections_share) | (share.isna() & (late != 0)),
        )
        .rename_axis("month")
        .reset_index()[MONTH_COLUMNS]
    )


def _both_reach(then: Mapping[str, float], now: Mapping[str, float]) -> str:
    """Return where the months begin that both deliveries hold in full."""
    starts = sorted(min(months, default="") for months in (then, now))
    return starts[1] if starts[0] == starts[1] else f"{starts[1]}, the month after"


def _entries(ledger: Mapping[str, Any]) -> pd.DataFrame:
    rows = pd.DataFrame(ledger["rules"]).set_index("rule")
    return rows[["lines", "amount", "customers"]].astype("float64")


def _words(ledger: Mapping[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(ledger["rules"]).set_index("rule")[["kind", "meaning"]]


def _added(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Return by how much each entry grew."""
    return after.sub(before, fill_value=0.0)


def _shares(entries: pd.DataFrame) -> pd.DataFrame:
    lines, money = entries["lines"]["in"], entries["amount"]["in"]
    amount = entries["amount"] / money if money else np.nan
    return pd.DataFrame({"lines": entries["lines"], "share": entries["lines"] / max(lines, 1), "amount_share": amount})


def _adjusted_p(then: pd.Series[float], now: pd.Series[float], counted_then: int, counted_now: int) -> Any:
    found = [
        fisher_exact([_cells(one, counted_then), _cells(other, counted_now)]).pvalue
        for one, other in zip(then, now, strict=True)
    ]
    return false_discovery_control(np.minimum(found, 1.0)) if found else np.empty(0)


def _cells(share: float, counted: int) -> list[int]:
    """Return of how many it is true and of how many not, as far as whole customers go."""
    hits = min(max(round(share * counted), 0), counted)
    return [hits, counted - hits]


def _alarm(rows: pd.DataFrame, config: MonitorConfig) -> pd.Series[bool]:
    changed = (rows["share_now"] - rows["share_then"]).abs()
    return (rows["p_adjusted"] <= config.false_discovery) & (changed >= config.quality_share)


def _alarmed(rows: pd.DataFrame) -> Sequence[Mapping[Any, Any]]:
    return rows[rows["is_alarm"].astype(bool)].to_dict("records")


def _told_rule(row: Mapping[Any, Any]) -> str:
    words = _(
        "Cleaning rule {rule} ({meaning}): {share_now:.1%} of the lines and {amount_share_now:.1%} of the money, "
        "{share_then:.1%} and {amount_share_then:.1%} last time."
    )
    shares = {name: 0.0 if pd.isna(row[name]) else row[name] for name in row if "share" in str(name)}
    meaning = str(row["meaning"])
    return words.format(rule=row["rule"], meaning=_(meaning), **shares)


def _told_null(row: Mapping[Any, Any]) -> str:
    words = _("Column {column} is unknown in {share_now:.1%} of the recent lines, {share_then:.1%} last time.")
    return words.format(**{name: row[name] for name in ("column", "share_now", "share_then")})


def _in_short(names: Sequence[str]) -> str:
    more = len(names) - _TOLD_NAMES
    return ", ".join(names[:_TOLD_NAMES]) + (f" … (+{more})" if more > 0 else "")
