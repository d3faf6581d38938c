"""The floors in DuckDB's SQL: a plain scan of the columns that features need; the groupings that nobody can do without;
recency, frequency and money.
"""

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


GROUPINGS = (
    "select max(a), max(b) from (select customer_id, order_id, sum(amount) a, count(*) b from purchases group by all)",
    "select max(a) from (select customer_id, order_id, count(*) a from"
    " (select distinct customer_id, order_id, product_id from purchases) group by all)",
    "select epoch_us(max(a)), epoch_us(max(b)), max(c) from (select customer_id, product_id, min(ordered_at) a,"
    " max(ordered_at) b, sum(amount) c from purchases group by all)",
    "select epoch_us(max(a)), max(b) from (select customer_id, category, max(ordered_at) a, sum(amount) b"
    " from purchases group by all)",
)
"""Orders, different products of orders, products and categories of customers: what features at one date are made of."""


def groupings(run: measured.Run) -> pd.DataFrame:
    """Return the largest of each figure over all groups, moments in microseconds since 1970."""
    with duckdb.connect(config={"threads": run.threads}) as base:
        path = str(run.lines).replace("'", "''")
        base.execute(f"create view purchases as select * from read_parquet('{path}') where amount > 0")
        figures = [figure for query in GROUPINGS for figure in base.execute(query).fetchall()[0]]
    return pd.DataFrame({"figure": figures}, dtype="float64")


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
    measured.main({"scan": scan, "groupings": groupings, "rfm": rfm}, ("duckdb", "pandas"))
