"""Who bought what in a window before the as-of date: sparse matrices of customers, orders and items.

Everything that grows with the lines is done by the engine. What comes over is one row a customer and item, in numbers,
of items that enough customers buy: a pair of items has at least as many customers less than either of them (Apriori).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.expr.types import Table
from numpy.typing import NDArray
from scipy.sparse import csr_array

from segml.config import CrossSellConfig
from segml.data.engine import to_table
from segml.features.arithmetic import exact, number, sum_of
from segml.features.dates import AsOfDates
from segml.features.snapshots import collect, typed
from segml.windows import Moment

Names = NDArray[np.object_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class LeftOut:
    """What was not looked at: items, and the share of the window's money that was spent on them."""

    rare: int  # items that too few customers bought
    rare_share: float
    beyond: int  # items beyond ``max_items``
    beyond_share: float


@dataclass(frozen=True)
class Baskets:
    """Who bought what.

    Attributes
    ----------
    customers, items : names, sorted; rows and columns of the matrices
    spend : customers × items, the money of the window where it is above zero: returns are taken off
    former : customers × items, 1 where an item was bought some time, but not, net of returns, in the window
    bought : baskets × items, 1 where an item is in a basket; baskets without an item that is looked at have no row
    owner : the customer of each row of ``bought``
    basket_count : baskets with any item, those without a row among them; 0 where no line of the window tells one
    """

    customers: Names
    items: Names
    spend: csr_array
    former: csr_array
    bought: csr_array
    owner: Ints
    basket_count: int
    left_out: LeftOut


def gather(lines: Any, as_of: Moment, config: CrossSellConfig) -> Baskets:
    """Return who bought what in the window before the as-of date, as far as it was known then.

    An item is bought by a customer whose purchases of it exceed the returns of the window; it is in an order where the
    same is true of the order, too. Lines that do not tell the item are left out.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    as_of : the moment to look back from; later lines and cancellations change nothing

    Raises
    ------
    DataError : columns missing
    """
    dates, by = AsOfDates.of(as_of), config.by
    known = dates.living(typed(to_table(lines)))
    known = known.filter(known[by].notnull())
    is_recent = dates.in_ages(known, known.ordered_at, config.window_days)
    ever = _ever(known, is_recent, by)
    found = _items(ever, by)
    kept = _kept(found, config)
    items = np.sort(kept[by].to_numpy(dtype=object))
    pairs = _coded(ever, by, items)
    customers, rows = _numbered(pairs["customer_id"])
    spend, former = _matrices(rows, pairs, (len(customers), len(items)))
    if config.basket == "customer":
        owner = np.flatnonzero(np.diff(spend.indptr))
        bought = _ones(spend)[owner]
        count = _rows(ever.filter(ever.net > 0).select("customer_id").distinct())
    else:
        orders = _orders(known.filter(is_recent), by)
        bought, owner = _order_matrix(_coded(orders, by, items), customers, spend)
        bought_net = orders.semi_join(ever.filter(ever.net > 0), ["customer_id", by])
        count = _rows(bought_net.select("customer_id", "order_id").distinct())
    return Baskets(customers, items, spend, former, bought, owner, count, _left_out(found, kept, config))


def _ever(known: Table, is_recent: Any, by: str) -> Table:
    """Return one row a customer and item that it ever bought, with the ``net`` money of the window."""
    pairs = known.group_by("customer_id", by).aggregate(
        net=sum_of(exact(known.amount), is_recent), is_bought=(known.amount > 0).any()
    )
    return pairs.filter(pairs.is_bought).drop("is_bought")


def _orders(recent: Table, by: str) -> Table:
    orders = recent.group_by("customer_id", "order_id", by).aggregate(net=exact(recent.amount).sum())
    return orders.filter(orders.net > 0)


def _items(ever: Table, by: str) -> pd.DataFrame:
    bought = ever.filter(ever.net > 0)
    items = bought.group_by(by).aggregate(customers=bought.count(), money=number(bought.net.sum()))
    return collect(items).sort_values(["customers", by], ascending=[False, True], ignore_index=True)


def _kept(items: pd.DataFrame, config: CrossSellConfig) -> pd.DataFrame:
    return items[items["customers"] >= config.min_customers].head(config.max_items)


def _left_out(items: pd.DataFrame, kept: pd.DataFrame, config: CrossSellConfig) -> LeftOut:
    is_rare = items["customers"] < config.min_customers
    is_beyond = ~is_rare & ~items.index.isin(kept.index)
    total = items["money"].sum()
    shares = [float(items.loc[which, "money"].sum() / total) if total else 0.0 for which in (is_rare, is_beyond)]
    return LeftOut(int(is_rare.sum()), shares[0], int(is_beyond.sum()), shares[1])


def _coded(pairs: Table, by: str, items: Names) -> pa.Table:
    """Return the rows of items that are looked at, with their place as ``item``; names of items stay in the engine."""
    codes = pa.table({by: pa.array(items, "string"), "item": pa.array(np.arange(len(items)), "int64")})
    coded = pairs.join(ibis.memtable(codes), by)
    return coded.drop(by).mutate(net=number(coded.net)).to_pyarrow()


def _rows(table: Table) -> int:
    return int(table.count().to_pyarrow().as_py())


def _numbered(texts: pa.ChunkedArray) -> tuple[Names, Ints]:
    """Return the sorted texts, each once, and the place among them of every row."""
    encoded = pa.chunked_array(texts.chunks, texts.type).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    names = encoded.dictionary.to_numpy(zero_copy_only=False).astype(object)
    order = np.argsort(names)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return names[order], place[encoded.indices.to_numpy(zero_copy_only=False)]


def _matrices(rows: Ints, pairs: pa.Table, shape: tuple[int, int]) -> tuple[csr_array, csr_array]:
    columns, net = pairs["item"].to_numpy(), pairs["net"].to_numpy()
    is_bought = net > 0
    spend = csr_array((net[is_bought], (rows[is_bought], columns[is_bought])), shape=shape)
    former = csr_array((np.ones((~is_bought).sum(), np.int32), (rows[~is_bought], columns[~is_bought])), shape=shape)
    for matrix in (spend, former):
        matrix.sort_indices()
    return spend, former


def _ones(matrix: csr_array) -> csr_array:
    return csr_array((np.ones(matrix.nnz, np.int32), matrix.indices, matrix.indptr), shape=matrix.shape)


def _order_matrix(lines: pa.Table, customers: Names, spend: csr_array) -> tuple[csr_array, Ints]:
    """Return orders × items, of what their customer bought net of returns, and the customer of each order."""
    names, own = _numbered(lines["customer_id"])
    customer = np.searchsorted(customers, names)[own]
    item, (_, order) = lines["item"].to_numpy(), _numbered(lines["order_id"])
    spent = spend.tocoo()
    items = spend.shape[1]
    is_kept = np.isin(customer * items + item, spent.row * items + spent.col)
    customer, item, order = customer[is_kept], item[is_kept], order[is_kept]
    # Two customers may share an order number.
    key = customer * (order.max(initial=0) + 1) + order
    _, first, row = np.unique(key, return_index=True, return_inverse=True)
    bought = csr_array((np.ones(len(item), np.int32), (row, item)), shape=(len(first), spend.shape[1]))
    bought.sort_indices()
    return bought, customer[first]
