"""The floors in DuckDB's SQL: a plain scan of the columns that features need; recency, frequency and money."""

from __future__ import annotations

import duckdb
import measured
import pandas as pd

COLUMNS = (
    "customer_id", "order_id", "ordered_at", "amount", "product_id", "category", "margin", "discount", "region",
    "cancelled_at",
)  # fmt: skip


def scan(run: measured.Run) -> None:
    _ask(run, f"select {', '.join(f'max({name})' for name in COLUMNS)} from read_parquet($lines)", lines=str(run.lines))


def rfm(run: measured.Run) -> pd.DataFrame:
    return _ask(
        run,
        """select customer_id, (epoch($as_of::timestamp) - epoch(max(ordered_at))) / 86400 as recency_days,
                  count(distinct order_id) as frequency, sum(amount) as monetary
           from read_parquet($lines)
           where amount > 0 and ordered_at < $as_of::timestamp
             and (cancelled_at is null or cancelled_at >= $as_of::timestamp)
           group by customer_id""",
        lines=str(run.lines),
        as_of=run.dates[0],
    )


def _ask(run: measured.Run, query: str, **values: str) -> pd.DataFrame:
    with duckdb.connect(config={"threads": run.threads}) as base:
        return base.execute(query, values).df()


if __name__ == "__main__":
    measured.main({"scan": scan, "rfm": rfm}, ("duckdb", "pandas"))
