"""A real wholesaler's log of a million lines, cleaned on Spark as on DuckDB."""

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from ibis.expr.types import Table

from sail import sail
from segml.config import load
from segml.data import Cleaned, clean, connect, read_transactions

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[2] / "configs" / "online_retail_ii.yaml"
COLUMNS = {
    "customer_id": "Customer ID",
    "order_id": "Invoice",
    "ordered_at": "InvoiceDate",
    "product_id": "StockCode",
    "quantity": "Quantity",
    "unit_price": "Price",
    "region": "Country",
}


def cleaned(backend: Any, folder: Path) -> Cleaned:
    data = load(CONFIG).data
    mapped = data.model_copy(update={"columns": data.columns.model_copy(update=COLUMNS)})
    lines = read_transactions(str(folder / "online_retail_ii.parquet"), mapped, backend)
    return clean(lines, data.cleaning, today=date(2012, 1, 1))


def counted(table: Table) -> pd.DataFrame:
    """Return how often each row occurs, in the order of the rows."""
    frame: pd.DataFrame = table.group_by(table.columns).aggregate(rows=table.count()).to_pyarrow().to_pandas()
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_ledger_lines_and_taken_lines_equal_duckdbs(shared_data: Path) -> None:
    on_duckdb, on_spark = cleaned(connect(), shared_data), cleaned(sail(), shared_data)
    pd.testing.assert_frame_equal(on_spark.ledger.to_frame(), on_duckdb.ledger.to_frame(), check_exact=True)
    pd.testing.assert_frame_equal(counted(on_spark.lines), counted(on_duckdb.lines), check_exact=True)
    taken, expected = (counted(result.taken.drop("line_number")) for result in (on_spark, on_duckdb))
    pd.testing.assert_frame_equal(taken, expected, check_exact=True)
