"""Sections that tell where the tables come from, how they are spelt, and how they are cleaned."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from segml import schema
from segml.settings import Section


def _refuse_repeats(mapping: Mapping[str, str]) -> None:
    for source in sorted(set(mapping.values())):
        users = [name for name, column in mapping.items() if column == source]
        if len(users) > 1:
            raise ValueError(f"the source column {source!r} is mapped twice, to {' and '.join(users)}; keep one")


class TransactionColumns(Section):
    """Which source column holds which canonical column; null means it carries the canonical name, or is absent."""

    customer_id: str | None = None
    order_id: str | None = None
    ordered_at: str | None = None
    amount: str | None = None
    product_id: str | None = None
    category: str | None = None
    quantity: str | None = None
    unit_price: str | None = None
    margin: str | None = None
    cost: str | None = None
    discount: str | None = None
    discount_rate: str | None = None
    currency: str | None = None
    exchange_rate: str | None = None
    channel: str | None = None
    region: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> TransactionColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class CustomerColumns(Section):
    """The same for the customers table."""

    customer_id: str | None = None
    name: str | None = None
    tax_id: str | None = None
    industry: str | None = None
    employees: str | None = None
    region: str | None = None
    country: str | None = None
    role: str | None = None
    registered_on: str | None = None
    potential: str | None = None
    cost_to_serve: str | None = None
    is_strategic: str | None = None
    funnel_stage: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> CustomerColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class UsageColumns(Section):
    """The same for the usage table."""

    customer_id: str | None = None
    used_at: str | None = None
    feature: str | None = None
    seats_used: str | None = None
    seats_total: str | None = None
    share_of_features: str | None = None
    logins: str | None = None
    nps: str | None = None
    tickets: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> UsageColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class ContractColumns(Section):
    """The same for the contracts table."""

    customer_id: str | None = None
    renews_on: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> ContractColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class TouchColumns(Section):
    """The same for the touches table."""

    customer_id: str | None = None
    touched_at: str | None = None
    campaign: str | None = None
    arm: str | None = None
    responded: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> TouchColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


PartitionPart = Literal["date", "year", "month", "day"]
PARTITION_PARTS: tuple[set[PartitionPart], ...] = ({"date"}, {"year"}, {"year", "month"}, {"year", "month", "day"})


class FormatConfig(Section):
    """How files spell things. Null means: found out from the file where that is certain, else an error.

    ``partitions`` names the folders, as in ``year=2024/month=01``, that tell the date of the order lines below them.
    """

    delimiter: str | None = None  # of text files
    encoding: str | None = None  # of text files, as windows-1251
    decimal: Literal[".", ","] | None = None  # of numbers kept as text
    date_format: str | None = None  # as %d.%m.%Y; ISO dates need none
    timezone: str | None = None  # of values that carry an offset; others are local time
    sheet: str | None = None  # of a workbook; null: the only one
    partitions: dict[str, PartitionPart] = Field(default_factory=dict)  # folder: part of the date

    @model_validator(mode="after")
    def _partitions_make_a_date(self) -> FormatConfig:
        parts = list(self.partitions.values())
        if parts and (len(set(parts)) < len(parts) or set(parts) not in PARTITION_PARTS):
            raise ValueError(
                f"partitions must make a date: one folder for date, or for year, month and day, or the first of these; "
                f"found {self.partitions}"
            )
        return self


# Lines that are no sale, in generic words; a whole product code must match, so that "DELIVERY VAN" stays a product.
NON_PRODUCT_PATTERNS = (
    r"(POSTAGE|SHIPPING|FREIGHT|DELIVERY|CARRIAGE|HANDLING)( (FEE|CHARGE|COST)S?)?",
    r"((BANK|SERVICE|PAYMENT|TRANSACTION) )?(FEE|CHARGE|COMMISSION)S?",
    r"MANUAL( (ADJUSTMENT|CORRECTION|ENTRY))?|ADJUST(MENTS?)?|CORRECTIONS?|ROUNDING",
    r"DISCOUNTS?|REBATES?|DEPOSITS?|PREPAYMENTS?|BAD DEBTS?|WRITE[ -]?OFFS?",
    r"GIFT (VOUCHER|CARD|CERTIFICATE)S?",
    r"ДОСТАВКА( ТОВАРА)?|(ПОЧТОВЫЕ|ТРАНСПОРТНЫЕ) (РАСХОДЫ|УСЛУГИ)|УСЛУГИ (ДОСТАВКИ|БАНКА)",
    r"КОМИССИЯ( БАНКА)?|(РУЧНАЯ )?КОРРЕКТИРОВКА|ОКРУГЛЕНИЕ|СКИДКА|АВАНС|ПРЕДОПЛАТА|ПОДАРОЧН(ЫЙ СЕРТИФИКАТ|АЯ КАРТА)",
)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class CleaningConfig(Section):
    """Which cleaning rules run, and their thresholds.

    ``largest_amount`` is money a line. Patterns are regular expressions that must match the whole product code or
    order number, whatever its case; a list given here replaces the built-in one.
    """

    exact_repeats: bool = True  # lines equal in every column that is read
    missing_customer: bool = True  # lines of nobody
    bad_date: bool = True  # no date, or one before earliest_date
    future_date: bool = True  # after the day of the run
    bad_exchange_rate: bool = True  # money that cannot be converted
    bad_amount: bool = True  # no amount, or above largest_amount
    bad_quantity: bool = True  # a quantity that is no number
    non_product: bool = True  # postage, fees, manual entries
    bad_price: bool = True  # zero or negative
    same_name: bool = True  # customer cards of one name are one customer's
    excluded_order: bool = True  # by excluded_order_patterns
    cancellations: bool = True  # with the purchase that they cancel
    earliest_date: date = date(1990, 1, 1)
    largest_amount: Annotated[float, Field(gt=0, le=1e15)] = 1e12
    non_product_patterns: tuple[Pattern, ...] = NON_PRODUCT_PATTERNS  # of product codes
    excluded_order_patterns: tuple[Pattern, ...] = ()  # of order numbers
    cancelled_order_pattern: Pattern | None = None  # of orders that cancel; null: any negative line does


class DataConfig(Section):
    """Where the tables come from and how to read them.

    Of the transactions those of ``[read_from, read_until)`` are read, all where both are null.
    ``survey_columns`` are further columns of the customers table, by the names they have there: answers, scores and
    other traits that schemes, custom rules and profiles may use.
    """

    transactions: str = "demo"  # demo, a path, an address or a public data set
    customers: str | None = None  # cards, optional
    usage: str | None = None  # of the product, optional
    contracts: str | None = None  # optional
    touches: str | None = None  # campaigns, optional
    read_from: date | None = None  # first day that is read
    read_until: date | None = None  # first day that is not
    columns: TransactionColumns = TransactionColumns()
    customer_columns: CustomerColumns = CustomerColumns()
    usage_columns: UsageColumns = UsageColumns()
    contract_columns: ContractColumns = ContractColumns()
    touch_columns: TouchColumns = TouchColumns()
    survey_columns: dict[str, Literal["text", "number"]] = Field(default_factory=dict)  # of the customers table
    format: FormatConfig = FormatConfig()
    cleaning: CleaningConfig = CleaningConfig()

    @model_validator(mode="after")
    def _survey_columns_are_further_ones(self) -> DataConfig:
        known = sorted({*schema.CUSTOMERS.names, "as_of"} & set(self.survey_columns))
        if known:
            raise ValueError(
                f"survey_columns names {known}, which the customers table has of its own (data.customer_columns maps "
                "them); rename the columns in the source"
            )
        if self.survey_columns and self.customers is None:
            raise ValueError("survey_columns are read from the customers table: set data.customers, or take them out")
        return self

    @model_validator(mode="after")
    def _dates_leave_a_window(self) -> DataConfig:
        if self.read_from is not None and self.read_until is not None and self.read_from >= self.read_until:
            raise ValueError(
                f"read_from must be before read_until: the dates read are from the one up to, not with, the other; "
                f"found {self.read_from} and {self.read_until}"
            )
        return self
