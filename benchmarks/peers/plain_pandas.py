"""Every feature of segml's catalog in pandas, as somebody who knows pandas would write it: no loop over customers.

Text becomes integer codes once; each date then takes the lines known to it. Windows of money are columns of one table
of sums by age, so that they cost one pass.
"""

from __future__ import annotations

import measured
import numpy as np
import pandas as pd

DAY = 86_400
BLOCKS = 12
EDGES = np.array(sorted({30 * block for block in range(1, BLOCKS + 1)} | {275, 365, 730}))
"""Ages in days at which some window begins or ends."""
BLOCK_OF_BIN = np.ceil(EDGES / 30).astype(int) - 1
TEXT = ["customer_id", "order_id", "product_id", "category", "region"]


def features(run: measured.Run) -> pd.DataFrame:
    lines, names = read(run)
    return pd.concat([at(lines, names, pd.Timestamp(date)) for date in run.dates], ignore_index=True)


def read(run: measured.Run) -> tuple[pd.DataFrame, dict[str, pd.Index]]:
    """Return the lines with codes for text (−1 where unknown), and what the codes stand for, sorted by name."""
    columns = [*TEXT, "ordered_at", "amount", "margin", "discount", "cancelled_at"]
    lines = pd.read_parquet(run.lines, columns=columns)
    names = {}
    for column in TEXT:
        values = lines[column].astype("category")
        names[column], lines[column] = values.cat.categories, values.cat.codes
    lines["day"] = lines["ordered_at"].to_numpy().astype("datetime64[D]").astype("int32")
    return lines, names


def at(lines: pd.DataFrame, names: dict[str, pd.Index], as_of: pd.Timestamp) -> pd.DataFrame:
    seen = lines[(lines["ordered_at"] < as_of) & ~(lines["cancelled_at"] < as_of)].drop(columns="cancelled_at")
    seen["age"] = (as_of - seen.pop("ordered_at")).dt.total_seconds()
    seen["bin"] = np.searchsorted(EDGES * DAY, seen["age"].to_numpy()).astype("int8")
    bought = seen[seen["amount"] > 0]
    ages = bought.groupby("customer_id")["age"].agg(["min", "max"])
    table = pd.DataFrame({"recency_days": ages["min"] / DAY, "tenure_days": ages["max"] / DAY})
    for part in (
        rhythm(bought, table["tenure_days"]),
        revenue(seen, ages["max"]),
        orders(bought),
        margins(seen, bought),
        products(bought),
        categories(bought, names["category"]),
        regions(seen, names["region"]),
    ):
        table = table.join(part)
    table = finished(table)
    table.insert(0, "as_of", as_of)
    table.insert(0, "customer_id", names["customer_id"][table.index])
    return table


def rhythm(bought: pd.DataFrame, tenure: pd.Series) -> pd.DataFrame:
    days = bought[["customer_id", "day"]].drop_duplicates().sort_values(["customer_id", "day"])
    days["gap"] = days.groupby("customer_id")["day"].diff()
    table = days.groupby("customer_id")["gap"].agg(["sum", "count", "mean", "std", "size"])
    base = table["sum"].sum() / table["count"].sum()
    lines = bought.groupby(["customer_id", "bin"]).size().unstack(fill_value=0)
    lines = lines.reindex(columns=range(len(EDGES)), fill_value=0)
    in_blocks = lines.loc[:, EDGES <= 30 * BLOCKS].gt(0).T.groupby(BLOCK_OF_BIN[EDGES <= 30 * BLOCKS]).any().T
    return pd.DataFrame(
        {
            "purchase_day_count": table["size"],
            "active_month_share": in_blocks.sum(axis=1) / np.ceil(tenure / 30).clip(upper=BLOCKS),
            "gap_mean_days": table["mean"],
            "gap_cv": table["std"] / table["mean"],
            "gap_shrunk_days": (table["sum"] + 3 * base) / (table["count"] + 3),
            "purchase_lines_365d": lines.loc[:, EDGES <= 365].sum(axis=1),
        }
    )


def revenue(seen: pd.DataFrame, first_age: pd.Series) -> pd.DataFrame:
    sums = seen.groupby(["customer_id", "bin"])["amount"].sum().unstack(fill_value=0.0)
    sums = sums.reindex(index=first_age.index, columns=range(len(EDGES) + 1), fill_value=0.0)
    upto = sums.cumsum(axis=1).round(6)
    last = {days: upto[int(np.flatnonzero(days == EDGES)[0])] for days in EDGES}
    exposure = first_age.clip(lower=90 * DAY).clip(upper=365 * DAY)
    within = seen["age"] <= seen["customer_id"].map(exposure)
    run_rate = seen[within].groupby("customer_id")["amount"].sum().reindex(first_age.index, fill_value=0.0).round(6)
    return pd.DataFrame(
        {
            "revenue_total": upto[len(EDGES)],
            **{f"revenue_{days}d": last[days] for days in (30, 90, 180, 365)},
            "run_rate_daily": run_rate / (exposure / DAY),
            "revenue_90d_last_year": (last[365] - last[275]).round(6),
            "revenue_365d_previous": (last[730] - last[365]).round(6),
            "revenue_slope": slope(sums, first_age / DAY),
        }
    )


def slope(sums: pd.DataFrame, tenure: pd.Series) -> pd.Series:
    """Return the least-squares slope of the whole months since the first purchase, over their mean."""
    bins = EDGES <= 30 * BLOCKS
    months = sums.loc[:, np.append(bins, False)].T.groupby(BLOCK_OF_BIN[bins]).sum().T.to_numpy()
    count = np.floor(tenure.to_numpy() / 30).clip(max=BLOCKS)
    number = np.arange(BLOCKS)
    months = np.where(number < count[:, None], months, 0.0).round(6)
    total = months.sum(axis=1).round(6)
    covariance = (count - 1) / 2 * total - months @ number
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = covariance / (count * (count**2 - 1) / 12) / (total / count)
    return pd.Series(np.where((count >= 3) & (total > 0), relative, np.nan), tenure.index)


def orders(bought: pd.DataFrame) -> pd.DataFrame:
    key = ["customer_id", "order_id"]
    table = bought.groupby(key, sort=False).agg(value=("amount", "sum"), lines=("amount", "size"), age=("age", "min"))
    named = bought.loc[bought["product_id"] >= 0, [*key, "product_id"]].drop_duplicates()
    table["products"] = named.groupby(key, sort=False).size()
    table = table.reset_index().sort_values(["customer_id", "age", "order_id"], ascending=[True, True, False])
    decay = np.log(2) / 90
    table["weight"] = np.exp(-decay * table["age"] / DAY) * decay
    by_customer = table.groupby("customer_id")
    mean = by_customer["value"].mean()
    sizes = by_customer[["lines", "products"]].mean()
    last = table[by_customer.cumcount() < 3].groupby("customer_id")[["lines", "products"]].mean()
    windows = {days: table["age"] <= days * DAY for days in (30, 90, 180, 365)}
    counts = pd.DataFrame(windows).groupby(table["customer_id"]).sum().add_prefix("order_count_").add_suffix("d")
    return counts.assign(
        order_count=by_customer.size(),
        order_intensity=by_customer["weight"].sum(),
        order_value_mean=mean,
        order_value_cv=by_customer["value"].std() / mean,
        order_value_last_to_mean=by_customer["value"].first() / mean,
        lines_per_order=sizes["lines"],
        lines_last3_to_mean=last["lines"] / sizes["lines"],
        products_last3_to_mean=last["products"] / sizes["products"],
    )


def margins(seen: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    told = seen.loc[(seen["age"] <= 365 * DAY) & seen["margin"].notna(), ["customer_id", "margin", "amount"]]
    told = told.groupby("customer_id").sum().round(6)
    year = bought[bought["age"] <= 365 * DAY]
    off = year.loc[year["discount"].notna(), ["customer_id", "discount", "amount"]].groupby("customer_id").sum()
    listed = (off["discount"] + off["amount"]).round(6)
    back = seen.loc[(seen["age"] <= 365 * DAY) & (seen["amount"] < 0), ["customer_id", "amount"]]
    back = back.groupby("customer_id")["amount"].agg(["sum", "size"])
    return pd.DataFrame(
        {
            "margin_365d": told["margin"],
            "margin_share_365d": told["margin"] / told["amount"].where(told["amount"] > 0),
            "discount_share_365d": off["discount"] / listed.where(listed > 0),
            "gross_365d": year.groupby("customer_id")["amount"].sum(),
            "returned_365d": -back["sum"],
            "return_line_count_365d": back["size"],
        }
    )


def things(bought: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return one row a thing bought, with the ages of its first and last purchase."""
    named = bought.loc[bought[column] >= 0, ["customer_id", column, "age", "day", "amount"]]
    named["year_before"] = (named["age"] > 365 * DAY) & (named["age"] <= 730 * DAY)
    named["recent"] = named["amount"].where(named["age"] <= 365 * DAY, 0.0)
    return named.groupby(["customer_id", column], sort=False).agg(
        first=("age", "max"),
        last=("age", "min"),
        first_day=("day", "min"),
        last_day=("day", "max"),
        year_before=("year_before", "max"),
        recent=("recent", "sum"),
        gross=("amount", "sum"),
    )


def products(bought: pd.DataFrame) -> pd.DataFrame:
    table = things(bought, "product_id").reset_index("product_id")
    flags = pd.DataFrame(
        {
            "products_365d": table["last"] <= 365 * DAY,
            "products_year_before": table["year_before"],
            "products_90d": table["last"] <= 90 * DAY,
            "products_new_90d": table["first"] <= 90 * DAY,
            "repeated": table["first_day"] < table["last_day"],
        }
    )
    by_customer = flags.groupby("customer_id")
    counts = by_customer.sum()
    money = table.groupby("customer_id")["recent"].agg(["max", "sum"])
    return counts[["products_365d", "products_year_before"]].assign(
        repeat_product_share=counts["repeated"] / by_customer.size(),
        new_product_share_90d=counts["products_new_90d"] / counts["products_90d"].where(counts["products_90d"] > 0),
        top_product_share=money["max"] / money["sum"].where(money["sum"] > 0),
    )


def categories(bought: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    table = things(bought, "category").reset_index().round({"gross": 6})
    table["in_365d"] = table["last"] <= 365 * DAY
    by_customer = table.groupby("customer_id")
    top = table.sort_values(["customer_id", "gross", "category"], ascending=[True, False, True])
    top = top.drop_duplicates("customer_id").set_index("customer_id")["category"]
    return pd.DataFrame(
        {
            "categories_365d": by_customer["in_365d"].sum(),
            "categories_year_before": by_customer["year_before"].sum(),
            "top_category": pd.Series(names[top], top.index),
        }
    )


def regions(seen: pd.DataFrame, names: pd.Index) -> pd.DataFrame:
    told = seen.loc[seen["region"] >= 0, ["customer_id", "age", "region"]]
    latest = told[told["age"] == told.groupby("customer_id")["age"].transform("min")]
    region = latest.groupby("customer_id")["region"].min()
    return pd.DataFrame({"region": pd.Series(names[region], region.index)})


def finished(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with ratios of what other parts computed."""
    table = table.fillna(dict.fromkeys(("products_365d", "categories_365d", "return_line_count_365d"), 0.0))
    without_lines = ~(table["purchase_lines_365d"] > 0)
    table["recency_to_gap"] = table["recency_days"] / table["gap_mean_days"]
    table["return_share_365d"] = table.pop("returned_365d").fillna(0.0) / table.pop("gross_365d")
    run_rate = table["run_rate_daily"].where(table["run_rate_daily"] > 0)
    for days in (30, 90, 180):
        table[f"revenue_{days}d_to_run_rate"] = table[f"revenue_{days}d"] / (days * run_rate)
    year_ago = table["revenue_90d_last_year"] / (90 * run_rate)
    table["revenue_90d_last_year_to_run_rate"] = year_ago.where(table["tenure_days"] >= 365)
    for thing, words in (("product", "products"), ("category", "categories")):
        count, before = table.pop(f"{words}_365d"), table.pop(f"{words}_year_before")
        count = count.where((count > 0) | without_lines)
        table[f"{thing}_count_365d"] = count
        table[f"{thing}_count_365d_to_previous"] = (count / before.where(before > 0)).where(table["tenure_days"] >= 545)
    return table.drop(columns="purchase_lines_365d")


if __name__ == "__main__":
    measured.main({"features": features}, ("pandas", "pyarrow", "numpy"))
