"""One card a customer: cards that share a tax number, or a name where tax numbers do not say otherwise, are merged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from segml.data.engine import to_table
from segml.data.ledger import LedgerRow
from segml.data.names import normalise
from segml.data.parse import MARK
from segml.data.prepare import EMPTY, FLOATED, NO_BREAK_SPACE
from segml.language import N_, ngettext
from segml.schema import DataError, did_you_mean

Groups = np.ndarray[Any, np.dtype[np.int32]]
"""The group of each card, from 0."""

_NO_SIGN = re.compile(r"[\W_]")
_ONE_SIGN = re.compile(r"(.)\1*")


@dataclass(frozen=True)
class Deduplicated:
    """Customers, one row each, and what became of the other cards.

    ``aliases`` maps the ``customer_id`` of every merged card to the ``canonical_id`` of the card that stands for it;
    ``rows`` are entries for the cleaning ledger, whose ``items`` count cards.
    """

    customers: pd.DataFrame
    aliases: pd.DataFrame
    rows: tuple[LedgerRow, ...]
    notices: tuple[str, ...]


def deduplicate(customers: Any, *, same_name: bool = True) -> Deduplicated:
    """Return one row a customer, with the fields that a card lacks filled from the customer's other cards.

    Two cards are one customer's when they share a tax number, or a normalised name (``names.normalise``) of which no
    two different tax numbers are known; what holds for A and B, and for B and C, holds for A and C. Of the cards the
    one registered first stands (none registered: last; then the lowest ``customer_id``). Of several rows with one
    ``customer_id`` the latest registered, then the most complete stands.

    Parameters
    ----------
    customers : table with the columns of ``schema.CUSTOMERS`` and any further ones; it is not changed
    same_name : whether cards of one name are one customer's; False where branches share a name

    Raises
    ------
    DataError : ``customer_id`` is missing, or empty on every row
    """
    given = customers if isinstance(customers, pd.DataFrame) else to_table(customers).to_pyarrow().to_pandas()
    marks = [column for column in given.columns if column.endswith(MARK)]
    identified = _identified(given.drop(columns=marks))
    cards = _first_known(_latest_first(identified), "customer_id")
    tax, name = _tax_ids(cards), _names(cards)
    is_ambiguous = tax.groupby(name).transform("nunique") > 1
    by_tax = _components(len(cards), tax)
    groups = _components(len(cards), tax, name.mask(is_ambiguous)) if same_name else by_tax
    merged, aliases = _merge(cards, groups)
    rows = (
        _row(
            "customer_cards_without_id",
            N_("cards without a customer number, left out; items: cards"),
            len(given) - len(identified),
        ),
        _row(
            "customer_cards_repeated",
            N_("further rows of one customer number; items: cards"),
            len(identified) - len(cards),
        ),
        _row(
            "customer_cards_same_tax_id",
            N_("cards merged by their tax number; items: cards"),
            len(cards) - by_tax.max() - 1,
        ),
        _row("customer_cards_same_name", N_("cards merged by their name; items: cards"), by_tax.max() - groups.max()),
    )
    return Deduplicated(
        merged, aliases, rows, (*_unreadable(given, marks), *(_ambiguous(tax, is_ambiguous) if same_name else ()))
    )


def _identified(customers: pd.DataFrame) -> pd.DataFrame:
    if "customer_id" not in customers.columns:
        raise DataError(
            f"customers lack the column 'customer_id'; found {list(customers.columns)}"
            f"{did_you_mean('customer_id', customers.columns)}; map it under data.customer_columns"
        )
    cards = customers.assign(customer_id=_customer_keys(customers["customer_id"])).dropna(subset="customer_id")
    if cards.empty:
        raise DataError(
            f"none of the {len(customers):,} rows of customers has a customer_id; check "
            "data.customer_columns.customer_id"
        )
    return cards.reset_index(drop=True)


def _latest_first(cards: pd.DataFrame) -> pd.DataFrame:
    """Sort rows by falling date of registration, then completeness, then content, so that their order is no matter."""
    keys = cards.astype("str").assign(registered=_registered(cards), known=cards.notna().sum(axis=1))
    order = keys.sort_values(
        ["registered", "known", *cards.columns], ascending=[False, False, *(True for _ in cards.columns)]
    )
    return cards.loc[order.index]


def _first_known(cards: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return for each value of ``by``, in order, the first known value of every column."""
    return cards.groupby(by, sort=True).first().reset_index()[list(cards.columns)]


def _registered(cards: pd.DataFrame) -> pd.Series:
    return cards["registered_on"] if "registered_on" in cards.columns else pd.Series(pd.NaT, index=cards.index)


def _customer_keys(values: pd.Series) -> pd.Series:
    """Return customer numbers as ``prepare.customer_key`` does."""
    numbers = _text(values)
    return numbers.mask(numbers.str.contains(FLOATED, regex=True, na=False), numbers.str[:-2])


def _text(values: pd.Series) -> pd.Series:
    stripped = values.astype("str").str.replace(NO_BREAK_SPACE, " ").str.strip()
    return stripped.mask(values.isna() | stripped.str.contains(EMPTY, regex=True, na=True))


def _column(cards: pd.DataFrame, name: str) -> pd.Series:
    return _text(cards[name]) if name in cards.columns else pd.Series(None, index=cards.index, dtype="str")


def _tax_ids(cards: pd.DataFrame) -> pd.Series:
    return _column(cards, "tax_id").map(_tax_id, na_action="ignore")


def _tax_id(text: str) -> str | None:
    """Return the letters and digits of a tax number; None for placeholders such as 0000000000."""
    signs = _NO_SIGN.sub("", text).upper()
    return None if not signs or _ONE_SIGN.fullmatch(signs) else signs


def _names(cards: pd.DataFrame) -> pd.Series:
    return _column(cards, "name").map(normalise, na_action="ignore")


def _components(count: int, *keys: pd.Series) -> Groups:
    """Number the groups of cards (from 0) that hang together by equal keys; an unknown key equals nothing."""
    position = pd.Series(np.arange(count))
    links = [pd.DataFrame({"card": position, "first": position.groupby(key).transform("first")}) for key in keys]
    known = pd.concat(links).dropna().astype("int64")
    graph = coo_array((np.ones(len(known)), (known["card"], known["first"])), shape=(count, count))
    groups: Groups = connected_components(graph, directed=False)[1]
    return groups


def _merge(cards: pd.DataFrame, groups: Groups) -> tuple[pd.DataFrame, pd.DataFrame]:
    oldest_first = cards.assign(_group=groups, _registered=_registered(cards)).sort_values(
        ["_registered", "customer_id"]
    )
    canonical = oldest_first.groupby("_group")["customer_id"].transform("first")
    aliases = pd.DataFrame({"customer_id": oldest_first["customer_id"], "canonical_id": canonical})
    merged = _first_known(oldest_first[[*cards.columns, "_group"]], "_group").drop(columns="_group")
    others = aliases[aliases["customer_id"] != aliases["canonical_id"]]
    return _by_id(merged), _by_id(others)


def _by_id(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("customer_id", ignore_index=True)


def _row(rule: str, meaning: str, cards: int) -> LedgerRow:
    return LedgerRow(rule, "corrected", meaning, items=int(cards))


def _unreadable(given: pd.DataFrame, marks: list[str]) -> list[str]:
    counts = {mark.removesuffix(MARK): int(given[mark].sum()) for mark in marks}
    return [
        ngettext(
            "{n:,} cell of the customers' {column} cannot be read and counts as unknown",
            "{n:,} cells of the customers' {column} cannot be read and count as unknown",
            count,
        ).format(n=count, column=column)
        for column, count in counts.items()
        if count
    ]


def _ambiguous(tax: pd.Series, is_ambiguous: pd.Series) -> list[str]:
    count = int((tax.isna() & is_ambiguous).sum())
    if not count:
        return []
    told = ngettext(
        "{n:,} card without a tax number bears a name that several tax numbers share; it was not merged: "
        "fill in its tax_id",
        "{n:,} cards without a tax number bear a name that several tax numbers share; they were not merged: "
        "fill in their tax_id",
        count,
    )
    return [told.format(n=count)]
