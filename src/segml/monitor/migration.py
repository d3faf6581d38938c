"""Who moved between the segments of a scheme since the last refresh: did the customer change, or our rules?

Each customer of both dates has four labels: by yesterday's and by today's rules (cut points or model), from yesterday's
and from today's data. Write them L(rules, data).

=========================== ============================ =================================================
``then`` = L(old, old)      what it was                  the decisions of the last refresh
``now`` = L(new, new)       what it is                   today's decisions
L(old, new)                 had only the customer changed ``by_old_rules``: today's customers, old rules
L(new, old)                 had only the rules changed    ``by_new_rules``: yesterday's customers, new rules
=========================== ============================ =================================================

A move (``then`` differs from ``now``) has one of these causes:

- *customer*: L(old, new) is ``now``, and L(new, old) is not. The customer's own change explains the move, that of the
  rules does not.
- *rules*: L(new, old) is ``now``, and L(old, new) is not.
- *both*: either alone would have led to ``now``, or neither alone does.
- *unknown*: one of the two labels is not known, as where the scheme was off, or no model of last time is there.

A customer who stayed is *masked* where L(old, new) differs from ``then``: it changed, and stayed only because the rules
moved with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pandas as pd

from segml.clusters import crossed, flows, share_kept
from segml.language import N_
from segml.monitor.alignment import Aligned, Flags, align
from segml.schema import NOT_ENOUGH_DATA

CAUSES = (N_("customer"), N_("rules"), N_("both"), N_("unknown"))
MONEY = ("revenue_365d",)
PREVIOUS, CHANGED_ON = "_previous", "_changed_on"
"""Ends of the columns that keep, per scheme, the segment before the last change, and its date."""


@dataclass(frozen=True)
class Migration:
    """The moves of one scheme.

    Attributes
    ----------
    scheme : column of its labels
    customers : one row a customer of either date, sorted by ``customer_id``: ``segment_then``, ``segment_now`` (null
        where it was not there); ``cause`` of its move, null where it did not move; ``is_masked``; ``previous``, the
        segment before its last change, null where none is known; ``changed_on``, the refresh that saw that change, null
        where none did; money ``NAME_then``, ``NAME_now``, null where it was not there
    matrix : ``from, to, customers`` and money then and now, one row a pair that occurs; null for customers who were not
        there then, or are not now; segments in their order
    segments : those that occur, in the order in which people read them; "not enough data" last
    """

    scheme: str
    customers: pd.DataFrame
    matrix: pd.DataFrame
    segments: tuple[str, ...]

    @property
    def flows(self) -> pd.DataFrame:
        """``segment, then, now, stayed, came, left, new, gone``: customers of each segment."""
        return flows(self.matrix)

    @property
    def share_kept(self) -> float:
        """Share of the customers of both dates who are where they were; NaN where there are none."""
        return share_kept(self.matrix)

    @property
    def by_cause(self) -> pd.DataFrame:
        """``cause, customers`` and money of the moves, one row a cause, all causes."""
        moved = self.customers.dropna(subset=["cause"])
        as_crossed = moved.assign(segment_then=moved["cause"], segment_now=moved["cause"])
        table = crossed(as_crossed[self._crossing]).drop(columns="to").rename(columns={"from": "cause"})
        return table.set_index("cause").reindex(CAUSES, fill_value=0).reset_index()

    @property
    def moved(self) -> int:
        """Customers of both dates who are elsewhere."""
        return int(self.customers["cause"].notna().sum())

    @property
    def masked(self) -> int:
        """Customers who stayed only because the rules moved with them."""
        return int(self.customers["is_masked"].sum())

    @property
    def _crossing(self) -> list[str]:
        return [name for name in map(str, self.customers) if name.endswith(("_then", "_now"))]


def migration(
    then: pd.DataFrame,
    now: pd.DataFrame,
    scheme: str,
    *,
    as_of: pd.Timestamp,
    by_old_rules: pd.DataFrame | None = None,
    by_new_rules: pd.DataFrame | None = None,
    money: Sequence[str] = MONEY,
    order: Sequence[str] = (),
) -> Migration:
    """Return who moved between the segments of one scheme, and why.

    Parameters
    ----------
    then, now : ``customer_id`` (once each), the labels, and money; ``then`` may have ``SCHEME_previous`` and
        ``SCHEME_changed_on``, as ``carried`` gave them at the last refresh. A null label counts as "not enough data"
    scheme : column of the labels
    as_of : date of ``now``
    by_old_rules : ``customer_id`` and labels of today's customers by yesterday's rules; None where they are not known
    by_new_rules : of yesterday's customers by today's rules
    money : columns of both tables
    order : segments in the order in which people read them; others follow by name

    Raises
    ------
    DataError : columns missing, or customers repeated
    """
    aligned = align(then, now, [scheme, *money])
    old, new = (
        aligned.beside(table, [scheme], name) if table is not None else None
        for table, name in ((by_old_rules, "by_old_rules"), (by_new_rules, "by_new_rules"))
    )
    return _moves(aligned, scheme, as_of, old, new, money, order)


def migrations(
    then: pd.DataFrame,
    now: pd.DataFrame,
    schemes: Mapping[str, Sequence[str]],
    *,
    as_of: pd.Timestamp,
    by_old_rules: pd.DataFrame | None = None,
    by_new_rules: pd.DataFrame | None = None,
    money: Sequence[str] = MONEY,
) -> dict[str, Migration]:
    """Return the migration of each scheme whose labels both tables have.

    Parameters
    ----------
    schemes : column of labels -> its segments in order; see ``migration`` for all others
    by_old_rules, by_new_rules : a scheme that one of them lacks has moves of unknown cause
    """
    aligned = align(then, now, money)
    old, new = (
        aligned.beside(table, (), name) if table is not None else None
        for table, name in ((by_old_rules, "by_old_rules"), (by_new_rules, "by_new_rules"))
    )
    return {
        scheme: _moves(aligned, scheme, as_of, old, new, money, order)
        for scheme, order in schemes.items()
        if scheme in then.columns and scheme in now.columns
    }


def carried(found: Mapping[str, Migration]) -> pd.DataFrame:
    """Return ``customer_id`` and, per scheme, ``SCHEME_previous`` and ``SCHEME_changed_on`` of today's customers.

    Kept beside the labels, they are what the next refresh carries over where nothing changed. Sorted.
    """
    kept = [
        moves.customers.dropna(subset=["segment_now"])
        .set_index("customer_id")[["previous", "changed_on"]]
        .set_axis([f"{scheme}{PREVIOUS}", f"{scheme}{CHANGED_ON}"], axis=1)
        for scheme, moves in found.items()
    ]
    return pd.concat(kept, axis=1).sort_index().reset_index() if kept else pd.DataFrame({"customer_id": []})


def cause_of(
    then: pd.Series[str], now: pd.Series[str], by_old_rules: pd.Series[str], by_new_rules: pd.Series[str]
) -> pd.Series[str]:
    """Return the cause of each customer's move by its four labels (the same index); null where there is none.

    >>> then, now = pd.Series(["A"] * 4), pd.Series(["B", "B", "B", "A"])
    >>> cause_of(then, now, pd.Series(["B", "A", "B", "B"]), pd.Series(["A", "B", "B", "A"])).tolist()
    ['customer', 'rules', 'both', None]
    """
    is_move = then.notna() & now.notna() & (then != now)
    is_told = by_old_rules.notna() & by_new_rules.notna()
    customer_alone, rules_alone = by_old_rules == now, by_new_rules == now
    causes = np.select(
        [~is_move, ~is_told, customer_alone & ~rules_alone, rules_alone & ~customer_alone],
        np.array([None, "unknown", "customer", "rules"], dtype="object")[:, None],
        "both",
    )
    return pd.Series(causes, index=then.index, dtype="object")


def _moves(
    aligned: Aligned,
    scheme: str,
    as_of: pd.Timestamp,
    by_old_rules: pd.DataFrame | None,
    by_new_rules: pd.DataFrame | None,
    money: Sequence[str],
    order: Sequence[str],
) -> Migration:
    """Return the moves of one scheme; the other labels are beside the customers, None where they are not known."""
    was, is_now = _labels(aligned.then, scheme, aligned.is_then), _labels(aligned.now, scheme, aligned.is_now)
    if_customer, if_rules = (
        _labels(by_old_rules, scheme, aligned.is_now),
        _labels(by_new_rules, scheme, aligned.is_then),
    )
    stayed = was.notna() & (was == is_now)
    both = pd.DataFrame({"segment_then": was, "segment_now": is_now}).join(aligned.money(money))
    customers = both.assign(
        cause=cause_of(was, is_now, if_customer, if_rules),
        is_masked=stayed & if_customer.notna() & (if_customer != was),
        **_last_change(aligned.then, scheme, was, stayed, as_of),
    )
    customers.insert(0, "customer_id", aligned.customers.astype("str"))
    matrix = crossed(both)
    segments = _in_order({*matrix["from"].dropna(), *matrix["to"].dropna()}, order)
    return Migration(scheme, customers, _sorted(matrix, segments), segments)


def _labels(table: pd.DataFrame | None, scheme: str, is_there: Flags) -> pd.Series[str]:
    """Return the labels of those who are there; null for the others, and for all where none are known."""
    if table is None or scheme not in table.columns:
        return pd.Series(None, index=range(len(is_there)), dtype="object")
    labels = table[scheme].astype("object")
    return labels.where(labels.notna(), NOT_ENOUGH_DATA).where(is_there, None)


def _last_change(
    then: pd.DataFrame, scheme: str, was: pd.Series[str], stayed: pd.Series[bool], as_of: pd.Timestamp
) -> dict[str, pd.Series[str]]:
    """Return the segment before the last change, and its date: carried over where a customer stayed."""
    nothing = pd.Series(None, index=was.index, dtype="object")
    previous = then.get(f"{scheme}{PREVIOUS}", nothing).astype("object")
    changed_on = pd.to_datetime(then.get(f"{scheme}{CHANGED_ON}", nothing)).astype("datetime64[us]")
    before = previous.where(stayed, was)
    return {"previous": before.where(before.notna(), None), "changed_on": changed_on.where(stayed, as_of)}


def _in_order(found: Set[str], order: Sequence[str]) -> tuple[str, ...]:
    """Return the segments in order, others after them by name."""
    others = sorted(found - {*order, NOT_ENOUGH_DATA})
    return tuple(name for name in dict.fromkeys([*order, *others, NOT_ENOUGH_DATA]) if name in found)


def _sorted(matrix: pd.DataFrame, segments: Sequence[str]) -> pd.DataFrame:
    """Return the matrix with its segments in order, and who was or is not there last."""
    place = {segment: number for number, segment in enumerate(segments)}
    ranks = matrix[["from", "to"]].apply(lambda ends: ends.map(place).fillna(len(place)))
    return pd.DataFrame(matrix.loc[ranks.sort_values(["from", "to"]).index]).reset_index(drop=True)
