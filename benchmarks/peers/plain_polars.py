"""Every feature of segml's catalog in Polars, as somebody who knows Polars would write it: lazy, one plan a date.

Text becomes categories once, when the file is read; a plan may use what another part of it computes already.
"""

from __future__ import annotations

import math
from datetime import datetime

import measured
import polars as pl

DAY = 86_400
BLOCKS = 12
EDGES = sorted({30 * block for block in range(1, BLOCKS + 1)} | {275, 365, 730})
"""Ages in days at which some window begins or ends."""
WINDOWS = (30, 90, 180, 365)
TEXT = ["customer_id", "order_id", "product_id", "category", "region"]
BY = "customer_id"

age, amount = pl.col("age"), pl.col("amount")


def features(run: measured.Run) -> pl.DataFrame:
    lines = read(run).lazy()
    dates = [datetime.fromisoformat(date) for date in run.dates]
    return pl.concat([at(lines, date).collect() for date in dates])


def read(run: measured.Run) -> pl.DataFrame:
    columns = [*TEXT, "ordered_at", "amount", "margin", "discount", "cancelled_at"]
    lines = pl.scan_parquet(run.lines).select(columns)
    return lines.with_columns(pl.col(TEXT).cast(pl.Categorical), day=pl.col("ordered_at").dt.date()).collect()


def at(lines: pl.LazyFrame, as_of: datetime) -> pl.LazyFrame:
    moment = pl.lit(as_of, dtype=pl.Datetime("us"))
    known = (pl.col("ordered_at") < moment) & (pl.col("cancelled_at").is_null() | (pl.col("cancelled_at") >= moment))
    seen = lines.filter(known).with_columns(age=(moment - pl.col("ordered_at")).dt.total_seconds())
    bought = seen.filter(amount > 0)
    ages = bought.group_by(BY).agg(recency=age.min(), first=age.max())
    table = ages
    for part in (
        rhythm(bought),
        money(seen, ages),
        orders(bought),
        products(bought),
        categories(bought),
        regions(seen),
    ):
        table = table.join(part, on=BY, how="left")
    return finished(table).with_columns(pl.col(BY, "region", "top_category").cast(pl.String), as_of=moment)


def rhythm(bought: pl.LazyFrame) -> pl.LazyFrame:
    days = bought.select(BY, "day").unique().sort(BY, "day")
    gap = pl.col("day").diff().over(BY).dt.total_days()
    return (
        days.with_columns(gap=gap)
        .group_by(BY)
        .agg(
            purchase_day_count=pl.len(),
            gap_sum=pl.col("gap").sum(),
            gap_count=pl.col("gap").count(),
            gap_std=pl.col("gap").std(),
        )
    )


def money(seen: pl.LazyFrame, ages: pl.LazyFrame) -> pl.LazyFrame:
    """Return sums of money by window: first by customer and age between two edges, then of these."""
    edge = pl.lit(pl.Series([days * DAY for days in EDGES])).search_sorted(age).cast(pl.Int8)
    ages = ages.with_columns(exposure=pl.col("first").clip(90 * DAY, 365 * DAY))
    lines = seen.join(ages.select(BY, "exposure"), on=BY).with_columns(edge=edge)
    buys, returns, told, off = amount > 0, amount < 0, pl.col("margin").is_not_null(), pl.col("discount").is_not_null()
    sums = lines.group_by(BY, "edge").agg(
        net=amount.sum(),
        at_run_rate=amount.filter(age <= pl.col("exposure")).sum(),
        gross=amount.filter(buys).sum(),
        returned=-amount.filter(returns).sum(),
        purchase_lines=buys.sum(),
        return_lines=returns.sum(),
        margin=pl.col("margin").sum(),
        margin_told=told.sum(),
        margin_net=amount.filter(told).sum(),
        discount=pl.col("discount").filter(buys).sum(),
        discount_gross=amount.filter(buys & off).sum(),
    )
    year = [
        "at_run_rate", "gross", "returned", "purchase_lines", "return_lines", "margin", "margin_told", "margin_net",
        "discount", "discount_gross",
    ]  # fmt: skip
    return sums.group_by(BY).agg(
        pl.col("net").sum().round(6).alias("revenue_total"),
        *(_upto("net", days).alias(f"revenue_{days}d") for days in WINDOWS),
        *(_upto(name, 365).alias(f"{name}_365d") for name in year),
        *(_block("net", block).alias(f"net_{block}") for block in range(BLOCKS)),
        revenue_90d_last_year=_between("net", 275, 365),
        revenue_365d_previous=_between("net", 365, 730),
        active_blocks=_block_of_edge().filter((pl.col("purchase_lines") > 0) & (_block_of_edge() < BLOCKS)).n_unique(),
    )


def _between(name: str, younger: int, older: int) -> pl.Expr:
    first = EDGES.index(younger) + 1 if younger else 0
    return pl.col(name).filter(pl.col("edge").is_between(first, EDGES.index(older))).sum().round(6)


def _upto(name: str, days: int) -> pl.Expr:
    return _between(name, 0, days)


def _block(name: str, block: int) -> pl.Expr:
    return _between(name, 30 * block, 30 * (block + 1))


def _block_of_edge() -> pl.Expr:
    blocks = [math.ceil(days / 30) - 1 for days in EDGES]
    return pl.col("edge").replace_strict(list(range(len(EDGES))), blocks, default=BLOCKS, return_dtype=pl.Int32)


def orders(bought: pl.LazyFrame) -> pl.LazyFrame:
    key = [BY, "order_id"]
    products = bought.select(*key, "product_id").drop_nulls().unique().group_by(key).agg(products=pl.len())
    table = bought.group_by(key).agg(value=amount.sum(), lines=pl.len(), age=age.min())
    latest_first = table.join(products, on=key, how="left").sort(BY, "age", "order_id", descending=[False, False, True])
    decay = math.log(2) / 90
    value, lines, named = pl.col("value"), pl.col("lines"), pl.col("products")
    return latest_first.group_by(BY, maintain_order=True).agg(
        *((age <= days * DAY).sum().alias(f"order_count_{days}d") for days in WINDOWS),
        order_count=pl.len(),
        order_intensity=((age / DAY * -decay).exp() * decay).sum(),
        order_value_mean=value.mean(),
        order_value_cv=value.std() / value.mean(),
        order_value_last_to_mean=value.first() / value.mean(),
        lines_per_order=lines.mean(),
        lines_last3_to_mean=lines.head(3).mean() / lines.mean(),
        products_last3_to_mean=named.head(3).mean() / named.mean(),
    )


def things(bought: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Return one row a thing bought, with the ages of its first and last purchase."""
    named = bought.filter(pl.col(column).is_not_null())
    return named.group_by(BY, column).agg(
        first=age.max(),
        last=age.min(),
        first_day=pl.col("day").min(),
        last_day=pl.col("day").max(),
        year_before=((age > 365 * DAY) & (age <= 730 * DAY)).any(),
        recent=pl.when(age <= 365 * DAY).then(amount).otherwise(0.0).sum(),
        gross=amount.sum(),
    )


def products(bought: pl.LazyFrame) -> pl.LazyFrame:
    last, first, recent = pl.col("last"), pl.col("first"), pl.col("recent")
    return (
        things(bought, "product_id")
        .group_by(BY)
        .agg(
            products_365d=(last <= 365 * DAY).sum(),
            products_year_before=pl.col("year_before").sum(),
            repeat_product_share=(pl.col("first_day") < pl.col("last_day")).mean(),
            new_product_share_90d=ratio((first <= 90 * DAY).sum(), (last <= 90 * DAY).sum()),
            top_product_share=ratio(recent.max(), recent.sum()),
        )
    )


def categories(bought: pl.LazyFrame) -> pl.LazyFrame:
    table = things(bought, "category").with_columns(gross=pl.col("gross").round(6))
    category, gross = pl.col("category").cast(pl.String), pl.col("gross")
    return table.group_by(BY).agg(
        categories_365d=(pl.col("last") <= 365 * DAY).sum(),
        categories_year_before=pl.col("year_before").sum(),
        top_category=category.filter(gross == gross.max()).min(),
    )


def regions(seen: pl.LazyFrame) -> pl.LazyFrame:
    told = seen.filter(pl.col("region").is_not_null())
    latest = told.filter(age == age.min().over(BY)).select(BY, pl.col("region").cast(pl.String))
    return latest.group_by(BY).agg(pl.col("region").min())


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    return pl.when(denominator > 0).then(numerator / denominator)


def finished(table: pl.LazyFrame) -> pl.LazyFrame:
    """Return the features: ratios of what the parts computed."""
    return with_ratios(with_shares(with_facts(table))).drop(*SPARE)


def with_facts(table: pl.LazyFrame) -> pl.LazyFrame:
    """Add what further columns rest on."""
    gap_sum, gap_count = pl.col("gap_sum"), pl.col("gap_count")
    return table.with_columns(
        pl.col("products_365d", "categories_365d").fill_null(0),
        recency_days=pl.col("recency") / DAY,
        tenure_days=pl.col("first") / DAY,
        gap_mean_days=ratio(gap_sum, gap_count),
        base_gap=gap_sum.sum() / gap_count.sum(),
        blocks=(pl.col("first") // (30 * DAY)).clip(upper_bound=BLOCKS),
        run_rate_daily=pl.col("at_run_rate_365d") / (pl.col("first") / DAY).clip(90, 365),
    )


def with_shares(table: pl.LazyFrame) -> pl.LazyFrame:
    margin, discount = pl.col("margin_365d"), pl.col("discount_365d")
    return table.with_columns(
        recency_to_gap=pl.col("recency_days") / pl.col("gap_mean_days"),
        gap_cv=pl.col("gap_std") / pl.col("gap_mean_days"),
        gap_shrunk_days=(pl.col("gap_sum") + 3 * pl.col("base_gap")) / (pl.col("gap_count") + 3),
        active_month_share=pl.col("active_blocks") / (pl.col("tenure_days") / 30).ceil().clip(upper_bound=BLOCKS),
        return_share_365d=ratio(pl.col("returned_365d"), pl.col("gross_365d")),
        return_line_count_365d=pl.col("return_lines_365d"),
        margin_share_365d=ratio(margin, pl.col("margin_net_365d")),
        margin_365d=pl.when(pl.col("margin_told_365d") > 0).then(margin),
        discount_share_365d=ratio(discount, discount + pl.col("discount_gross_365d")),
        revenue_slope=slope(),
        product_count_365d=counted("products_365d"),
        category_count_365d=counted("categories_365d"),
    )


def with_ratios(table: pl.LazyFrame) -> pl.LazyFrame:
    tenure, run_rate = pl.col("tenure_days"), pl.col("run_rate_daily")
    year_ago = ratio(pl.col("revenue_90d_last_year"), 90 * run_rate)
    return table.with_columns(
        *(
            ratio(pl.col(f"revenue_{days}d"), days * run_rate).alias(f"revenue_{days}d_to_run_rate")
            for days in (30, 90, 180)
        ),
        revenue_90d_last_year_to_run_rate=pl.when(tenure >= 365).then(year_ago),
        product_count_365d_to_previous=to_previous("product_count_365d", "products_year_before"),
        category_count_365d_to_previous=to_previous("category_count_365d", "categories_year_before"),
    )


SPARE = [
    "recency", "first", "gap_sum", "gap_count", "gap_std", "base_gap", "blocks", "active_blocks", "products_365d",
    "products_year_before", "categories_365d", "categories_year_before", "at_run_rate_365d", "gross_365d",
    "returned_365d", "purchase_lines_365d", "return_lines_365d", "margin_told_365d", "margin_net_365d",
    "discount_365d", "discount_gross_365d", *(f"net_{block}" for block in range(BLOCKS)),
]  # fmt: skip


def counted(name: str) -> pl.Expr:
    return pl.when((pl.col(name) > 0) | (pl.col("purchase_lines_365d") == 0)).then(pl.col(name))


def to_previous(count: str, before: str) -> pl.Expr:
    return pl.when(pl.col("tenure_days") >= 545).then(ratio(pl.col(count), pl.col(before)))


def slope() -> pl.Expr:
    """Return the least-squares slope of the whole months since the first purchase, over their mean."""
    count = pl.col("blocks")
    months = [pl.when(block < count).then(pl.col(f"net_{block}")).otherwise(0.0) for block in range(BLOCKS)]
    total = pl.sum_horizontal(months).round(6)
    moment = pl.sum_horizontal([block * month for block, month in enumerate(months)])
    covariance = (count - 1) / 2 * total - moment
    return pl.when(count >= 3).then(ratio(covariance / (count * (count**2 - 1) / 12), total / count))


if __name__ == "__main__":
    measured.main({"features": features}, ("polars",))
