"""Every feature once more, slowly: a loop over as-of dates and customers, in exact fractions, without a data base.

Written from the meanings in docs/features.md, and from nothing that ``segml.features`` computes: the oracle that the
engines are held to. Money is taken to six decimals, moments to whole seconds, as the features take them.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pandas as pd

ABSOLUTE = {"order_value_cv": 5e-9}
"""What may differ beside 1e-9 of the value: squares are summed to 18 decimals, so their root is good to nine."""

DAY = 86_400
MONTH = 30 * DAY
YEAR = 365 * DAY
NAN = math.nan
EPOCH = pd.Timestamp(0)
SECOND = pd.Timedelta(seconds=1)


@dataclass(frozen=True)
class Line:
    """An order line as the features see it; ``age`` is in seconds before the as-of date."""

    order: str
    at: int
    cancelled: int | None
    age: int
    is_purchase: bool
    is_return: bool
    amount: Fraction
    margin: Fraction | None
    discount: Fraction | None
    product: str | None
    category: str | None
    region: str | None

    @property
    def day(self) -> int:
        """The calendar day, counted from 1970."""
        return self.at // DAY


Lines = Sequence[Line]


def reference(lines: pd.DataFrame, as_of: Iterable[pd.Timestamp], *, prior_gaps: float = 3.0) -> pd.DataFrame:
    """Return all features of the default configuration, sorted as ``features.build`` sorts them."""
    by_customer = read(lines)
    rows = [row for moment in sorted(set(as_of)) for row in _at(by_customer, moment, prior_gaps)]
    return pd.DataFrame(rows)


def differences(found: pd.DataFrame, expected: pd.DataFrame) -> str:
    """Return in words where two tables of the same columns differ: NaN only agrees with NaN; "" where all agree."""
    keys = found[["customer_id", "as_of"]]
    if keys.astype("str").values.tolist() != expected[["customer_id", "as_of"]].astype("str").values.tolist():
        return f"found rows\n{keys}\nexpected\n{expected[['customer_id', 'as_of']]}"
    told = []
    for name in found.columns[2:]:
        differ = _differ(found[name], expected[name])
        both = keys.assign(column=name, found=found[name].astype("object"), expected=expected[name].astype("object"))
        told.append(both[differ])
    different = pd.concat(told)
    return "" if different.empty else f"{len(different)} values differ\n{different.head(20).to_string()}"


def _differ(found: pd.Series[Any], expected: pd.Series[Any]) -> pd.Series[bool]:
    unlike = found.isna() != expected.isna()
    if not pd.api.types.is_numeric_dtype(found):
        return unlike | (found.notna() & (found != expected))
    gap = (found - expected.astype("float64")).abs()
    return unlike | (gap > 1e-9 * expected.astype("float64").abs() + ABSOLUTE.get(str(found.name), 1e-9))


def read(lines: pd.DataFrame) -> dict[str, list[Line]]:
    """Return the lines of each customer, not yet seen from any moment."""
    by_customer = defaultdict(list)
    for row in lines.to_dict("records"):
        by_customer[str(row["customer_id"])].append(_line(row))
    return by_customer


def _line(row: dict[Any, Any]) -> Line:
    given: dict[Any, Any] = {key: None if pd.isna(value) else value for key, value in row.items()}
    return Line(
        order=str(given["order_id"]),
        at=seconds(given["ordered_at"]),
        cancelled=None if given["cancelled_at"] is None else seconds(given["cancelled_at"]),
        age=0,
        is_purchase=given["amount"] > 0,
        is_return=given["amount"] < 0,
        amount=money(given["amount"]),
        margin=None if given["margin"] is None else money(given["margin"]),
        discount=None if given["discount"] is None else money(given["discount"]),
        product=given["product_id"],
        category=given["category"],
        region=given["region"],
    )


def seconds(moment: pd.Timestamp) -> int:
    """Return whole seconds since 1970, rounded down, before 1970 too."""
    return (moment - EPOCH) // SECOND


def money(value: float) -> Fraction:
    """Return money to six decimals, halves away from zero."""
    return Fraction(Decimal(repr(float(value))).quantize(Decimal("1e-6"), ROUND_HALF_UP))


def known(lines: Lines, as_of: pd.Timestamp) -> list[Line]:
    """Return the lines placed before a moment and not cancelled before it, with their ages."""
    now = seconds(as_of)
    return [
        Line(**{**vars(line), "age": now - line.at})
        for line in lines
        if line.at < now and (line.cancelled is None or line.cancelled >= now)
    ]


def ratio(numerator: Fraction | float, denominator: Fraction | float) -> float:
    """Return a ratio; NaN where it makes no sense: over zero, below zero, or unknown."""
    return float(numerator / denominator) if denominator > 0 else NAN


def _at(by_customer: dict[str, list[Line]], as_of: pd.Timestamp, prior_gaps: float) -> list[dict[str, Any]]:
    seen = {customer: known(lines, as_of) for customer, lines in by_customer.items()}
    customers = sorted(customer for customer, lines in seen.items() if purchases(lines))
    gaps = {customer: gaps_of(seen[customer]) for customer in customers}
    every = [gap for several in gaps.values() for gap in several]
    base = Fraction(sum(every), len(every)) if every else None
    return [
        {
            "customer_id": customer,
            "as_of": as_of,
            **rhythm(seen[customer], gaps[customer]),
            "gap_shrunk_days": NAN if base is None else _shrunk(gaps[customer], base, prior_gaps),
            **value(seen[customer]),
            **trend(seen[customer]),
            **assortment(seen[customer]),
            **orders_sizes(seen[customer]),
            **returned(seen[customer]),
            **description(seen[customer]),
        }
        for customer in customers
    ]


def _shrunk(gaps: Sequence[int], base: Fraction, prior: float) -> float:
    return float((sum(gaps) + Fraction(prior) * base) / (len(gaps) + Fraction(prior)))


def purchases(lines: Lines) -> list[Line]:
    """Return the purchase lines."""
    return [line for line in lines if line.is_purchase]


def between(lines: Lines, from_days: int, to_days: int = 0) -> list[Line]:
    """Return the lines of ``[as_of − from_days, as_of − to_days)``."""
    return [line for line in lines if to_days * DAY < line.age <= from_days * DAY]


def revenue(lines: Lines) -> Fraction:
    """Return net revenue."""
    return sum((line.amount for line in lines), Fraction())


def tenure(lines: Lines) -> int:
    """Return seconds since the first purchase."""
    return max(line.age for line in purchases(lines))


def orders_of(lines: Lines) -> list[list[Line]]:
    """Return the purchase lines of each order, the last order first; of two at one moment the later number."""
    orders = defaultdict(list)
    for line in purchases(lines):
        orders[line.order].append(line)
    by_number = sorted(orders.values(), key=lambda order: order[0].order, reverse=True)
    return sorted(by_number, key=age_of)


def age_of(order: Lines) -> int:
    """Return the age of an order: that of its latest purchase line."""
    return min(line.age for line in order)


def gaps_of(lines: Lines) -> list[int]:
    """Return the days between consecutive purchase days."""
    return [later - earlier for earlier, later in pairwise(sorted({line.day for line in purchases(lines)}))]


def deviation(values: Sequence[Fraction | int]) -> float:
    """Return the sample standard deviation; NaN for fewer than two."""
    if len(values) < 2:
        return NAN
    mean = Fraction(sum(values), len(values))
    return _root(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _root(value: Fraction | float) -> float:
    return math.sqrt(value)


def rhythm(lines: Lines, gaps: Sequence[int]) -> dict[str, float]:
    """Return how long, how often and how regularly a customer buys; without what needs the other customers."""
    orders, since_first = orders_of(lines), tenure(lines)
    recency = Fraction(min(line.age for line in purchases(lines)), DAY)
    active = {(line.age - 1) // MONTH for line in purchases(lines)} & set(range(12))
    mean = ratio(sum(gaps), len(gaps))
    return {
        "recency_days": float(recency),
        "tenure_days": since_first / DAY,
        "order_count": len(orders),
        **{f"order_count_{days}d": sum(age_of(order) <= days * DAY for order in orders) for days in (30, 90, 180, 365)},
        "purchase_day_count": len({line.day for line in purchases(lines)}),
        "active_month_share": len(active) / min(12, math.ceil(Fraction(since_first, MONTH))),
        "gap_mean_days": mean,
        "gap_cv": deviation(gaps) / mean,
        "recency_to_gap": float(recency) / mean,
        "order_intensity": math.fsum(math.log(2) / 90 * 2 ** (-age_of(order) / DAY / 90) for order in orders),
    }


def value(lines: Lines) -> dict[str, float]:
    """Return how much a customer spends."""
    year = between(lines, 365)
    values = [revenue(order) for order in orders_of(lines)]
    mean = Fraction(sum(values), len(values))
    told = [line for line in year if line.margin is not None]
    margin = sum((line.margin for line in told if line.margin is not None), Fraction())
    cut = [line for line in purchases(year) if line.discount is not None]
    discount = sum((line.discount for line in cut if line.discount is not None), Fraction())
    return {
        "revenue_total": float(revenue(lines)),
        **{f"revenue_{days}d": float(revenue(between(lines, days))) for days in (30, 90, 180, 365)},
        "order_value_mean": float(mean),
        "order_value_cv": ratio(deviation(values), float(mean)),
        "order_value_last_to_mean": ratio(values[0], mean),
        "margin_365d": float(margin) if told else NAN,
        "margin_share_365d": ratio(margin, revenue(told)),
        "discount_share_365d": ratio(discount, revenue(cut) + discount),
    }


def trend(lines: Lines) -> dict[str, float]:
    """Return whether a customer grows or falls."""
    exposure = min(max(tenure(lines), 90 * DAY), YEAR)
    rate = revenue([line for line in lines if line.age <= exposure]) / Fraction(exposure, DAY)
    last_year = revenue(between(lines, 365, 275))
    return {
        "run_rate_daily": float(rate),
        **{f"revenue_{days}d_to_run_rate": ratio(revenue(between(lines, days)), days * rate) for days in (30, 90, 180)},
        "revenue_90d_last_year": float(last_year),
        "revenue_90d_last_year_to_run_rate": ratio(last_year, 90 * rate) if tenure(lines) >= YEAR else NAN,
        "revenue_365d_previous": float(revenue(between(lines, 730, 365))),
        "revenue_slope": slope(lines, min(12, tenure(lines) // MONTH)),
    }


def slope(lines: Lines, months: int) -> float:
    """Return the least-squares slope of revenue by whole month over its mean."""
    if months < 3:
        return NAN
    by_month = [revenue(between(lines, 30 * (back + 1), 30 * back)) for back in reversed(range(months))]
    mean, centre = sum(by_month) / Fraction(months), Fraction(months - 1, 2)
    rise = sum((place - centre) * (amount - mean) for place, amount in enumerate(by_month))
    return ratio(rise / sum((place - centre) ** 2 for place in range(months)), mean)


def assortment(lines: Lines) -> dict[str, float]:
    """Return breadth, renewal and concentration of what a customer buys."""
    bought = purchases(lines)
    products = by_name(bought, lambda line: line.product)
    recent = by_name(between(bought, 90), lambda line: line.product)
    year = by_name(between(bought, 365), lambda line: line.product)
    spent = [revenue(of_one) for of_one in year.values()]
    new = [
        of_one for name, of_one in products.items() if name in recent and max(line.age for line in of_one) <= 90 * DAY
    ]
    repeated = [of_one for of_one in products.values() if len({line.day for line in of_one}) > 1]
    return {
        **breadth(bought, "product", lambda line: line.product),
        **breadth(bought, "category", lambda line: line.category),
        "repeat_product_share": ratio(len(repeated), len(products)),
        "new_product_share_90d": ratio(len(new), len(recent)),
        "top_product_share": ratio(max(spent, default=Fraction()), sum(spent, Fraction())),
    }


def breadth(bought: Lines, thing: str, name_of: Callable[[Line], str | None]) -> dict[str, float]:
    """Return how many things were bought in the last year, and against the year before."""
    year = between(bought, 365)
    count, before = len(by_name(year, name_of)), len(by_name(between(bought, 730, 365), name_of))
    now = NAN if year and not count else float(count)
    return {
        f"{thing}_count_365d": now,
        f"{thing}_count_365d_to_previous": ratio(now, before) if tenure(bought) >= 545 * DAY else NAN,
    }


def by_name(lines: Lines, name_of: Callable[[Line], str | None]) -> dict[str, list[Line]]:
    """Return the lines by the name of what was bought; those without one are left out."""
    found = defaultdict(list)
    for line in lines:
        name = name_of(line)
        if name is not None:
            found[name].append(line)
    return found


def orders_sizes(lines: Lines) -> dict[str, float]:
    """Return the size of orders; an order of unknown products has no number of products."""
    orders = orders_of(lines)
    sizes = [len(order) for order in orders]
    products = [len(by_name(order, lambda line: line.product)) or None for order in orders]
    return {
        "lines_last3_to_mean": mean_of(sizes[:3]) / mean_of(sizes),
        "products_last3_to_mean": mean_of(products[:3]) / mean_of(products),
        "lines_per_order": mean_of(sizes),
    }


def mean_of(counts: Sequence[int | None]) -> float:
    """Return the mean of the counts that are known; NaN where none is."""
    told = [count for count in counts if count is not None]
    return ratio(sum(told), len(told))


def returned(lines: Lines) -> dict[str, float]:
    """Return what a customer sends back."""
    year = between(lines, 365)
    back = [line for line in year if line.is_return]
    return {
        "return_share_365d": ratio(-revenue(back), revenue(purchases(year))),
        "return_line_count_365d": len(back),
    }


def description(lines: Lines) -> dict[str, Any]:
    """Return what describes a customer in words; the first by name among equals."""
    spent = {name: revenue(bought) for name, bought in by_name(purchases(lines), lambda line: line.category).items()}
    told = sorted((line.age, line.region) for line in lines if line.region is not None)
    return {
        "top_category": min(spent, key=lambda name: (-spent[name], name), default=NAN),
        "region": told[0][1] if told else NAN,
    }
