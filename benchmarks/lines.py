"""Order lines of a wholesaler in Parquet, of any number, with the skew of real B2B logs; and the figures of that skew.

    python benchmarks/lines.py --lines 1000000 --output lines.parquet
    python benchmarks/lines.py --figures lines.parquet
    python benchmarks/lines.py --figures online_retail_ii.parquet

Three years, sorted by time as logs are, the same bytes for the same seed. Customers buy at a lognormal rate between a
first and a last day of their own; the size of an order depends on the customer; a customer draws products from a list
of its own that slowly moves on, and lists are drawn from a Zipf-Mandelbrot law. Some 2 % of the lines are returns, as
orders of their own; some orders are cancelled whole, some single lines. Orders are held in memory (2 % of the lines),
lines in blocks only. There is no season: it changes what features say, not what they cost.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

END = np.datetime64("2026-01-01T00:00:00", "s")
"""The log ends here: the as-of date of the benchmarks."""
DAYS = 1096
START = END - np.timedelta64(DAYS, "D")

LINES_PER_CUSTOMER = 137
LINES_PER_ORDER = 21.2
PURCHASES_WITH_RETURN = 0.18
LINES_PER_RETURN = 2.4
CATEGORIES, REGIONS, CHANNELS = 60, 25, ("field", "phone", "shop", "web")
ROWS_PER_GROUP = 122_880
ROWS_PER_BLOCK = 4 * ROWS_PER_GROUP

SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("order_id", pa.string()),
        ("ordered_at", pa.timestamp("us")),
        ("amount", pa.float64()),
        ("product_id", pa.string()),
        ("category", pa.string()),
        ("quantity", pa.float64()),
        ("margin", pa.float64()),
        ("discount", pa.float64()),
        ("channel", pa.string()),
        ("region", pa.string()),
        ("cancelled_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class Customers:
    """One element a customer; ``list_length`` is how many products its list holds at a time."""

    first_day: np.ndarray
    last_day: np.ndarray
    orders: np.ndarray
    order_size: np.ndarray
    list_length: np.ndarray


@dataclass(frozen=True)
class Orders:
    """One element an order, sorted by time; a return has its lines negative."""

    customer: np.ndarray
    placed: np.ndarray
    size: np.ndarray
    is_return: np.ndarray
    cancelled: np.ndarray


@dataclass(frozen=True)
class Products:
    """``popularity`` is the cumulative share of all lists."""

    popularity: np.ndarray
    price: np.ndarray
    margin_rate: np.ndarray
    category: np.ndarray


def write(path: Path, lines: int, seed: int = 0) -> int:
    """Write about so many order lines, and return how many."""
    rng = np.random.default_rng([seed, 0])
    customers, products = _customers(rng, lines), _products(rng, round(5_000 * (lines / 1e6) ** 0.3))
    orders = _orders(rng, customers)
    count = 0
    with pq.ParquetWriter(path, SCHEMA) as writer:
        for number, block in enumerate(_blocks(orders.size), start=1):
            table = _lines(np.random.default_rng([seed, number]), customers, products, orders, block)
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            count += len(table)
    return count


def _customers(rng: np.random.Generator, lines: int) -> Customers:
    count = max(20, round(lines / LINES_PER_CUSTOMER))
    first = rng.uniform(-300, DAYS - 1, count).clip(0)
    last = np.minimum(first + rng.exponential(900, count) + 1, DAYS)
    expected = rng.lognormal(0, 1.08, count) * (last - first)
    purchases = lines / (LINES_PER_ORDER * (1 + PURCHASES_WITH_RETURN * LINES_PER_RETURN / LINES_PER_ORDER))
    orders = 1 + rng.poisson(expected * (purchases - count) / expected.sum())
    size = rng.lognormal(0, 0.6, count)
    size *= (LINES_PER_ORDER - 0.5) * orders.sum() / (orders * size).sum()
    list_length = np.ceil(2.6 * (orders * size) ** 0.87 + 6).astype("int64")
    return Customers(first, last, orders, size, list_length)


def _products(rng: np.random.Generator, count: int) -> Products:
    weight = (np.arange(count) + 0.025 * count) ** -1.12
    return Products(
        popularity=np.cumsum(weight) / weight.sum(),
        price=np.round(rng.lognormal(1.0, 0.85, count), 2).clip(0.05),
        margin_rate=rng.uniform(0.1, 0.5, count),
        category=(CATEGORIES * rng.random(count) ** 1.7).astype("int64"),
    )


def _orders(rng: np.random.Generator, customers: Customers) -> Orders:
    who = np.repeat(np.arange(len(customers.orders)), customers.orders)
    day = np.floor(rng.uniform(customers.first_day[who], customers.last_day[who])).astype("int64")
    day = _on_working_days(rng, day)
    placed = START + (day * 86_400 + rng.integers(8 * 60, 18 * 60, len(who)) * 60).astype("timedelta64[s]")
    size = np.ceil(customers.order_size[who] * rng.lognormal(-0.5 * 0.85**2, 0.85, len(who))).astype("int64")
    cancelled = np.full(len(who), np.datetime64("NaT", "s"))
    lost = rng.random(len(who)) < 0.015
    cancelled[lost] = placed[lost] + rng.integers(600, 20 * 86_400, lost.sum()).astype("timedelta64[s]")

    back = np.flatnonzero((rng.random(len(who)) < PURCHASES_WITH_RETURN) & ~lost)
    returned = placed[back] + (rng.integers(1, 45, len(back)) * 86_400).astype("timedelta64[s]")
    back, returned = back[returned < END], returned[returned < END]
    orders = Orders(
        customer=np.concatenate([who, who[back]]),
        placed=np.concatenate([placed, returned]),
        size=np.concatenate([size, rng.geometric(1 / LINES_PER_RETURN, len(back))]),
        is_return=np.repeat([False, True], [len(who), len(back)]),
        cancelled=np.concatenate([cancelled, np.full(len(back), np.datetime64("NaT", "s"))]),
    )
    by_time = np.lexsort((orders.customer, orders.placed))
    return Orders(*(values[by_time] for values in vars(orders).values()))


def _on_working_days(rng: np.random.Generator, day: np.ndarray) -> np.ndarray:
    """Move what falls on a weekend to a working day of the week before, where the log has it."""
    weekday = (day + START.astype("datetime64[D]").astype("int64") + 3) % 7  # the epoch was a Thursday; Monday is 0
    return np.where(weekday < 5, day, day - weekday + rng.integers(0, 5, len(day))).clip(0)


def _blocks(sizes: np.ndarray) -> Iterator[slice]:
    """Yield runs of whole orders of some ``ROWS_PER_BLOCK`` lines."""
    block = np.cumsum(sizes) // ROWS_PER_BLOCK
    edges = np.concatenate([[0], np.flatnonzero(np.diff(block)) + 1, [len(sizes)]])
    for start, end in pairwise(edges):
        yield slice(int(start), int(end))


def _lines(
    rng: np.random.Generator, customers: Customers, products: Products, orders: Orders, block: slice
) -> pa.Table:
    size = orders.size[block]
    order = np.repeat(np.arange(len(size)), size)
    who, placed, is_return = (values[block][order] for values in (orders.customer, orders.placed, orders.is_return))
    count = len(order)
    product = _drawn(rng, customers.list_length[who], who, placed, products.popularity)
    quantity = np.floor(rng.lognormal(1.2, 0.9, count)) + 1
    listed = np.round(quantity * products.price[product], 2)
    off = np.where(rng.random(count) < 0.2, np.round(listed * rng.choice([0.05, 0.1, 0.15], count), 2), 0.0)
    amount = np.round(listed - off, 2)
    sign = np.where(is_return, -1.0, 1.0)
    cancelled = orders.cancelled[block][order]
    alone = (rng.random(count) < 0.003) & np.isnat(cancelled) & ~is_return
    cancelled[alone] = placed[alone] + rng.integers(600, 20 * 86_400, alone.sum()).astype("timedelta64[s]")
    unnamed = rng.random(count) < 0.005
    columns = [
        _names("C", "{:07d}", who),
        _order_names(orders.is_return[block], block.start).take(pa.array(order)),
        pa.array(placed.astype("datetime64[us]")),
        pa.array(sign * amount),
        _names("P", "{:05d}", product, unnamed),
        _names("family ", "{:02d}", products.category[product], unnamed),
        pa.array(sign * quantity),
        pa.array(sign * np.round(amount * products.margin_rate[product], 2), mask=rng.random(count) < 0.03),
        pa.array(off, mask=rng.random(count) < 0.05),
        pa.array(CHANNELS).take(pa.array(order % len(CHANNELS))),
        _names("region ", "{:02d}", (REGIONS * _uniform(who, who) ** 3).astype("int64")),
        pa.array(cancelled.astype("datetime64[us]")),
    ]
    return pa.table(columns, schema=SCHEMA)


def _drawn(
    rng: np.random.Generator, length: np.ndarray, who: np.ndarray, placed: np.ndarray, popularity: np.ndarray
) -> np.ndarray:
    """Return a product from each customer's list, a fifth of which is replaced in a year."""
    years = (placed - START).astype("float64") / (365 * 86_400)
    place = (length * rng.random(len(who)) ** 1.4 + 0.2 * years * length).astype("int64")
    return np.searchsorted(popularity, _uniform(who, place)).clip(max=len(popularity) - 1)


def _uniform(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return a number of [0, 1) that two integers determine (the SplitMix64 finaliser)."""
    bits = first.astype("uint64") * np.uint64(0x9E3779B97F4A7C15) + second.astype("uint64")
    bits = (bits + np.uint64(1)) * np.uint64(0xD1342543DE82EF95)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return (bits ^ (bits >> np.uint64(31))) / 2.0**64


def _names(prefix: str, form: str, codes: np.ndarray, unknown: np.ndarray | None = None) -> pa.Array:
    """Return the codes as text; each name is written once."""
    distinct, place = np.unique(codes, return_inverse=True)
    names = pa.array([prefix + form.format(code) for code in distinct])
    return names.take(pa.array(place, mask=unknown))


def _order_names(is_return: np.ndarray, start: int) -> pa.Array:
    return pa.array([f"{'R' if back else 'O'}{start + number:09d}" for number, back in enumerate(is_return)])


FIGURES = {
    "lines per customer, mean": "avg(lines) from customer",
    "lines per customer, median": "median(lines) from customer",
    "lines per customer, 99 % quantile": "quantile_cont(lines, 0.99) from customer",
    "share of lines of the top 10 % of customers": "sum(lines) filter (place <= 0.1) / sum(lines) from customer",
    "share of lines of the top 1 % of customers": "sum(lines) filter (place <= 0.01) / sum(lines) from customer",
    "orders per customer, mean": "avg(orders) from customer",
    "customers with one order": "avg((orders = 1)::int) from customer",
    "lines per order, mean": "avg(lines) from placed",
    "lines per order, median": "median(lines) from placed",
    "lines per order, 99 % quantile": "quantile_cont(lines, 0.99) from placed",
    "share of lines of the top 10 % of products": "sum(lines) filter (place <= 0.1) / sum(lines) from product",
    "share of lines of the top 1 % of products": "sum(lines) filter (place <= 0.01) / sum(lines) from product",
    "different products of a customer over its lines": "count(*) / sum(lines) from pair",
    "lines that are returns": "avg((amount < 0)::int) from lines",
    "money of a line, median": "median(amount) from bought",
    "money of a line, mean": "avg(amount) from bought",
}
"""What the skew is judged by: SQL over the purchases, and where it says so over all lines."""

_TABLES = """
create view bought as select * from lines where amount > 0;
create table customer as select *, percent_rank() over (order by lines desc) as place from (
    select customer_id, count(*) as lines, count(distinct order_id) as orders from bought group by customer_id);
create table placed as select order_id, count(*) as lines from bought group by order_id;
create table product as select *, percent_rank() over (order by lines desc) as place from (
    select product_id, count(*) as lines from bought group by product_id);
create table pair as select count(*) as lines from bought group by customer_id, product_id;
"""

_ONLINE_RETAIL_II = """select "Customer ID" as customer_id, Invoice as order_id, StockCode as product_id,
Quantity * Price as amount from read_parquet(?) where "Customer ID" is not null and Price > 0"""


def figures(path: Path) -> dict[str, float]:
    """Return the figures of skew of order lines, or of the published file of Online Retail II."""
    names = pq.read_schema(path).names
    query = _ONLINE_RETAIL_II if "StockCode" in names else "select * from read_parquet(?)"
    with duckdb.connect(config={"threads": 1}) as base:
        base.execute(f"create table lines as {query}", [str(path)])
        base.execute(_TABLES)
        return {name: float(base.execute(f"select {query}").fetchone()[0]) for name, query in FIGURES.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="order lines, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="Parquet file to write")
    parser.add_argument("--figures", type=Path, help="Parquet file to describe instead")
    arguments = parser.parse_args()
    if arguments.figures is not None:
        for name, value in figures(arguments.figures).items():
            print(f"{name:<50} {value:>10.3f}")
    elif arguments.output is not None:
        print(f"{write(arguments.output, arguments.lines, arguments.seed):,} order lines in {arguments.output}")
    else:
        parser.error("--output or --figures is needed")


if __name__ == "__main__":
    main()
