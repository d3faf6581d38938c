"""The canonical tables, their columns and units, and every error that segml raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "number", "time", "flag"]

NOT_ENOUGH_DATA = "not enough data"
"""The label a scheme gives a customer about whom it cannot tell."""


class SegmlError(Exception):
    """Base of every error that segml raises on purpose."""


class InputError(SegmlError, ValueError):
    """The user's input or configuration is at fault; the message says what, where and how to mend it."""


class ConfigError(InputError):
    """The configuration is not valid."""


class DataError(InputError):
    """A table cannot be read, or lacks what is needed."""


class OutputError(InputError):
    """The output folder or file cannot be written."""


class ModelError(InputError):
    """A stored model cannot be read, or is not what it was when it was saved."""


class TrackingError(InputError):
    """The tracking server or store does not answer."""


class StateError(InputError):
    """What earlier refreshes left cannot be read, is not whole, or is in use."""


class RegistryError(InputError):
    """The model registry holds no such model, or nothing to return to."""


@dataclass(frozen=True)
class Column:
    """One column of a canonical table."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class TableSchema:
    """A canonical table: what segml calls its columns, whatever the source calls them."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)

    def __getitem__(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


TRANSACTIONS = TableSchema(
    "transactions",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("order_id", "text", "order or invoice number; without it, a customer's day is an order"),
        Column("ordered_at", "time", "when the order was placed", required=True),
        Column(
            "amount",
            "number",
            "money of the line, net of discount; negative is a return; else quantity × unit_price",
        ),
        Column("product_id", "text", "article"),
        Column("category", "text", "product family"),
        Column("quantity", "number", "units of the line; negative is a return"),
        Column("unit_price", "number", "money per unit, net of discount; the list price where discount_rate is given"),
        Column("margin", "number", "money left of the amount after the cost of goods; else amount − cost"),
        Column("cost", "number", "cost of goods of the line, money"),
        Column("discount", "number", "money taken off the list price of the line; else from discount_rate"),
        Column("discount_rate", "number", "share of the list price taken off, 0 to below 1"),
        Column("currency", "text", "currency of the line's money; several are refused without exchange_rate"),
        Column("exchange_rate", "number", "money of one unit of the line's currency in the company's currency"),
        Column("channel", "text", "how the order came in"),
        Column("region", "text", "where the customer is; the latest known value wins"),
    ),
)

CUSTOMERS = TableSchema(
    "customers",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("name", "text", "the company's name"),
        Column("tax_id", "text", "tax number; cards that share it are one customer"),
        Column("industry", "text", "line of business"),
        Column("employees", "number", "head count"),
        Column("region", "text", "part of the country"),
        Column("country", "text", "country"),
        Column("role", "text", "end user, dealer or engineering company"),
        Column("registered_on", "time", "when the card was opened"),
        Column("potential", "number", "money a year the customer could spend with us"),
        Column("cost_to_serve", "number", "money a year that serving the customer costs"),
        Column("is_strategic", "flag", "kept whatever it brings"),
        Column("funnel_stage", "text", "stage in the sales funnel"),
    ),
)

USAGE = TableSchema(
    "usage",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("used_at", "time", "when the function was used; without it, one row a customer, as of now"),
        Column("feature", "text", "which function of the product was used"),
        Column("seats_used", "number", "seats in use"),
        Column("seats_total", "number", "seats paid for"),
        Column("share_of_features", "number", "share of the product's functions in use, 0 to 1; else from feature"),
        Column("logins", "number", "number of logins; else from the days with a row"),
        Column("nps", "number", "answer to how likely a recommendation is, 0 to 10"),
        Column("tickets", "number", "number of support requests"),
    ),
)

USAGE_FIGURES = ("share_of_features", "logins", "nps", "tickets", "seats_used")
"""Usage without a time needs at least one of these: one row a customer."""

CONTRACTS = TableSchema(
    "contracts",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("renews_on", "time", "when the contract comes up for renewal", required=True),
    ),
)

TOUCHES = TableSchema(
    "touches",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("touched_at", "time", "when the customer was contacted", required=True),
        Column("campaign", "text", "name of the campaign"),
        Column("arm", "text", "treatment or control"),
        Column("responded", "flag", "whether the customer answered"),
    ),
)

TABLES = {table.name: table for table in (TRANSACTIONS, CUSTOMERS, USAGE, CONTRACTS, TOUCHES)}

# What cleaning hands on: one row an order line that counts, columns always there (null where unknown).
ORDER_LINES = TableSchema(
    "order lines",
    (
        Column("customer_id", "text", "the buying company", required=True),
        Column("order_id", "text", "order; made up of customer and day where the source has none", required=True),
        Column("ordered_at", "time", "when the order was placed, local time without a zone", required=True),
        Column("amount", "number", "money of the line, net of discount; negative is a return", required=True),
        Column("product_id", "text", "article, upper case, without blanks around it", required=True),
        Column("category", "text", "product family", required=True),
        Column("quantity", "number", "units", required=True),
        Column("margin", "number", "money", required=True),
        Column("discount", "number", "money", required=True),
        Column("channel", "text", "how the order came in", required=True),
        Column("region", "text", "where the customer is", required=True),
        Column(
            "cancelled_at",
            "time",
            "when the line was cancelled in full, null if it stands; the line counts as a purchase at every "
            "as-of date up to and including this moment, and never after",
            required=True,
        ),
    ),
)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known name, or an empty string.

    >>> did_you_mean("horizon_day", ["horizon_days", "seed"])
    "; did you mean 'horizon_days'?"
    >>> did_you_mean("zzz", ["horizon_days", "seed"])
    ''
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    nearest = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"; did you mean {by_lower[nearest[0]]!r}?" if nearest else ""


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, for a message of our own; "" where it says nothing.

    >>> first_line(ValueError("no such column\\n  in line 3"))
    'no such column'
    """
    return str(error).strip().partition("\n")[0]


def check_columns(found: Iterable[object], needed: Iterable[str], who_lacks: str) -> None:
    """Raise ``DataError`` that names the needed columns which are not among those found.

    Parameters
    ----------
    who_lacks : how the message begins, such as "features lack"
    """
    known = [str(column) for column in found]
    missing = [column for column in needed if column not in known]
    if missing:
        raise DataError(f"{who_lacks} columns {missing}; found {known}{did_you_mean(missing[0], known)}")
