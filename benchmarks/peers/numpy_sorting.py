"""The groupings that nobody can do without, by sorting whole numbers, as one would with arrays, instead of hashing.

Text is read as codes, as the file has most of it; keys of two codes are one number.
"""

from __future__ import annotations

import measured
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

Codes = NDArray[np.int64]

CODED = ("customer_id", "order_id", "product_id", "category")


def groupings(run: measured.Run) -> pd.DataFrame:
    """Return the figures of ``duckdb_sql.groupings``."""
    pa.set_cpu_count(run.threads)
    read = pq.read_table(
        run.lines,
        columns=[*CODED, "ordered_at", "amount"],
        filters=[("amount", ">", 0)],
        read_dictionary=list(CODED),
        use_threads=run.threads > 1,
    )
    amount, placed = read["amount"].to_numpy(), read["ordered_at"].to_numpy().astype("int64")
    codes = {name: _codes(read[name]) for name in CODED}
    del read
    customer, orders = codes["customer_id"], _dense(_pair(codes["customer_id"], codes["order_id"]))
    figures = [float(np.bincount(orders, amount).max()), float(np.bincount(orders).max())]

    products = np.sort(_pair(orders, codes["product_id"]))
    width = 1 + codes["product_id"].max()
    figures.append(float(np.bincount(products[_begins(products)] // width).max()))
    del products

    pairs = _pair(customer, codes["product_id"])
    order = np.argsort(pairs)
    starts = np.flatnonzero(_begins(pairs[order]))
    sorted_placed = placed[order]
    figures += [
        float(np.minimum.reduceat(sorted_placed, starts).max()),
        float(np.maximum.reduceat(sorted_placed, starts).max()),
        float(np.add.reduceat(amount[order], starts).max()),
    ]
    del pairs, order, starts, sorted_placed

    cells = _pair(customer, codes["category"])
    latest = np.full(1 + cells.max(), placed.min())
    np.maximum.at(latest, cells, placed)
    return pd.DataFrame({"figure": [*figures, float(latest.max()), float(np.bincount(cells, amount).max())]})


def _codes(column: pa.ChunkedArray) -> Codes:
    """Return the values of text as whole numbers from 1; 0 is the absence of one."""
    whole = column.unify_dictionaries().combine_chunks()
    return whole.indices.fill_null(-1).to_numpy().astype("int64") + 1


def _pair(one: Codes, other: Codes) -> Codes:
    return one * (1 + other.max()) + other


def _dense(keys: Codes) -> Codes:
    """Return keys as whole numbers from 0 without gaps."""
    order = np.argsort(keys)
    dense = np.empty_like(keys)
    dense[order] = np.cumsum(_begins(keys[order])) - 1
    return dense


def _begins(ordered: Codes) -> NDArray[np.bool_]:
    """Tell where another key begins."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])


if __name__ == "__main__":
    measured.main({"groupings": groupings}, ("numpy", "pyarrow"))
