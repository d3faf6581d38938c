"""The groupings that nobody can do without, by sorting whole numbers, as one would with arrays, instead of hashing.

Text is read as codes, as the file has most of it; keys of two codes are one number.
"""

from __future__ import annotations

from typing import Any

import measured
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Whole = NDArray[np.int64]

CODED = ("customer_id", "order_id", "product_id", "category")


def groupings(run: measured.Run) -> pd.DataFrame:
    """Return the figures of ``duckdb_sql.groupings``."""
    amount, placed, codes = _purchases(run)
    customer, product, category = codes["customer_id"], codes["product_id"], codes["category"]
    orders = _dense(_pair(customer, codes.pop("order_id")))
    figures = (
        *_orders(orders, amount),
        _products_of_orders(orders, product),
        *_products(_pair(customer, product), amount, placed),
        *_categories(_pair(customer, category), amount, placed),
    )
    return pd.DataFrame({"figure": figures}, dtype="float64")


def _purchases(run: measured.Run) -> tuple[NDArray[np.float64], Whole, dict[str, Whole]]:
    """Return the amounts, the moments in microseconds since 1970, and the codes of the text columns."""
    pa.set_cpu_count(run.threads)
    read = pq.read_table(
        run.lines,
        columns=[*CODED, "ordered_at", "amount"],
        filters=[("amount", ">", 0)],
        read_dictionary=list(CODED),
        use_threads=run.threads > 1,
    )
    placed = read["ordered_at"].to_numpy().astype("datetime64[us]").astype("int64")
    return read["amount"].to_numpy(), placed, {name: _codes(read[name]) for name in CODED}


def _orders(orders: Whole, amount: NDArray[np.float64]) -> tuple[Any, ...]:
    return np.bincount(orders, amount).max(), np.bincount(orders).max()


def _products_of_orders(orders: Whole, product: Whole) -> Any:
    pairs = np.sort(_pair(orders, product))
    return np.bincount(pairs[_begins(pairs)] // _width(product)).max()


def _products(pairs: Whole, amount: NDArray[np.float64], placed: Whole) -> tuple[Any, ...]:
    order = np.argsort(pairs)
    starts, moments = np.flatnonzero(_begins(pairs[order])), placed[order]
    return (
        np.minimum.reduceat(moments, starts).max(),
        np.maximum.reduceat(moments, starts).max(),
        np.add.reduceat(amount[order], starts).max(),
    )


def _categories(pairs: Whole, amount: NDArray[np.float64], placed: Whole) -> tuple[Any, ...]:
    """Few categories: every pair has a place of its own, without sorting."""
    latest = np.full(1 + pairs.max(), placed.min())
    np.maximum.at(latest, pairs, placed)
    return latest.max(), np.bincount(pairs, amount).max()


def _codes(column: pa.ChunkedArray) -> Whole:
    """Return the values of text as whole numbers from 1; 0 is the absence of one."""
    whole = column.unify_dictionaries().combine_chunks()
    return whole.indices.fill_null(-1).to_numpy().astype("int64") + 1


def _pair(one: Whole, other: Whole) -> Whole:
    return one * _width(other) + other


def _width(codes: Whole) -> Any:
    return 1 + codes.max()


def _dense(keys: Whole) -> Whole:
    """Return keys as whole numbers from 0 without gaps."""
    order = np.argsort(keys)
    dense = np.empty_like(keys)
    dense[order] = np.cumsum(_begins(keys[order])) - 1
    return dense


def _begins(ordered: Whole) -> NDArray[np.bool_]:
    """Tell where another key begins."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])


if __name__ == "__main__":
    measured.main({"groupings": groupings}, ("numpy", "pyarrow"))
