"""An independent computation of every feature in plain pandas, written from the meanings, agrees on real data."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import features
from segml.data.engine import connect

DATES = [pd.Timestamp("2011-03-13"), pd.Timestamp("2011-11-20 12:00")]


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> pd.DataFrame:
    """Online Retail II with the least of cleaning, and made-up categories, margins, discounts and cancellations."""
    raw = pd.read_parquet(shared_data / "online_retail_ii.parquet").drop(columns="sheet").drop_duplicates()
    raw = raw[raw["Customer ID"].notna() & (raw["Price"] > 0)].reset_index(drop=True)
    rng = np.random.default_rng(5)
    amount = raw["Quantity"] * raw["Price"]
    cancelled = raw["InvoiceDate"] + pd.to_timedelta(rng.integers(1, 200 * 86_400, len(raw)), unit="s")
    chosen = rng.random((4, len(raw)))
    return pd.DataFrame(
        {
            "customer_id": raw["Customer ID"].astype("int64").astype("str"),
            "order_id": raw["Invoice"].astype("str"),
            "ordered_at": raw["InvoiceDate"],
            "amount": amount,
            "product_id": raw["StockCode"].astype("str").where(chosen[0] > 0.01),
            "category": raw["StockCode"].astype("str").str[:2],
            "quantity": raw["Quantity"].astype("float64"),
            "margin": (amount * 0.3).where(chosen[1] > 0.5),
            "discount": (amount.abs() * 0.1).where(chosen[2] > 0.5),
            "channel": pd.Series(None, index=raw.index, dtype="str"),
            "region": raw["Country"].astype("str"),
            "cancelled_at": cancelled.where((amount > 0) & (chosen[3] < 0.02)),
        }
    )


def in_days(spans: pd.Series) -> pd.Series:
    days: pd.Series = spans.dt.total_seconds() / 86_400
    return days


def reference(lines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """Return the features at one as-of date; index customer_id."""
    seen = lines[(lines["ordered_at"] < as_of) & ~(lines["cancelled_at"] < as_of)]
    seen = seen.assign(age=in_days(as_of - seen["ordered_at"]))
    bought = seen[seen["amount"] > 0]
    first = in_days(as_of - bought.groupby("customer_id")["ordered_at"].min())
    seen = seen[seen["customer_id"].isin(first.index)].assign(tenure=lambda rows: rows["customer_id"].map(first))
    parts = [rhythm(bought, first), value(seen, bought), trend(seen, first), assortment(bought), rest(seen, bought)]
    parts.append(breadth_to_year_before(bought, first))
    table = pd.concat(parts, axis=1).reindex(first.index.sort_values())
    for days in (30, 90, 180):
        at_run_rate = table["run_rate_daily"].where(table["run_rate_daily"] > 1e-9) * days
        table[f"revenue_{days}d_to_run_rate"] = table[f"revenue_{days}d"] / at_run_rate
    year_ago = table["revenue_90d_last_year"] / table["run_rate_daily"].where(table["run_rate_daily"] > 1e-9) / 90
    return table.assign(revenue_90d_last_year_to_run_rate=year_ago.where(table["tenure_days"] >= 365))


def rhythm(bought: pd.DataFrame, tenure: pd.Series) -> pd.DataFrame:
    orders = bought.groupby(["customer_id", "order_id"])["age"].min().reset_index()
    counts = {f"order_count_{w}d": orders[orders["age"] <= w].groupby("customer_id").size() for w in (30, 90, 180, 365)}
    dates = bought.assign(day=bought["ordered_at"].dt.floor("D"))[["customer_id", "day"]].drop_duplicates()
    dates = dates.sort_values(["customer_id", "day"])
    gaps = in_days(dates.groupby("customer_id")["day"].diff()).dropna().groupby(dates["customer_id"])
    month = np.ceil(bought["age"] / 30) - 1
    active = month[month < 12].groupby(bought["customer_id"]).nunique()
    recency = bought.groupby("customer_id")["age"].min()
    own = gaps.mean().reindex(tenure.index)
    base = gaps.sum().sum() / gaps.count().sum()
    total, count = (part.reindex(tenure.index, fill_value=0) for part in (gaps.sum(), gaps.count()))
    weights = np.exp2(-orders["age"] / 90) * np.log(2) / 90
    return pd.DataFrame(
        {
            "recency_days": recency,
            "tenure_days": tenure,
            "order_count": orders.groupby("customer_id").size(),
            "purchase_day_count": dates.groupby("customer_id").size(),
            "active_month_share": active.reindex(tenure.index, fill_value=0) / np.minimum(12, np.ceil(tenure / 30)),
            "gap_mean_days": own,
            "gap_cv": gaps.std() / own,
            "gap_shrunk_days": (total + 3 * base) / (count + 3),
            "recency_to_gap": recency / own,
            "order_intensity": weights.groupby(orders["customer_id"]).sum(),
            **{name: series.reindex(tenure.index, fill_value=0) for name, series in counts.items()},
        }
    )


def value(seen: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    customers = seen["customer_id"].drop_duplicates()
    last_year = seen[seen["age"] <= 365]
    told = last_year[last_year["margin"].notna()].groupby("customer_id")
    off = (
        bought[(bought["age"] <= 365) & bought["discount"].notna()].groupby("customer_id")[["discount", "amount"]].sum()
    )
    orders = bought.groupby(["customer_id", "order_id"]).agg(value=("amount", "sum"), age=("age", "min")).reset_index()
    orders = orders.sort_values(["customer_id", "age", "order_id"], ascending=[True, True, False])
    by_order = orders.groupby("customer_id")["value"]
    revenue = {
        f"revenue_{w}d": seen[seen["age"] <= w].groupby("customer_id")["amount"].sum() for w in (30, 90, 180, 365)
    }
    margin_net = told["amount"].sum()
    return pd.DataFrame(
        {
            "revenue_total": seen.groupby("customer_id")["amount"].sum(),
            "order_value_mean": by_order.mean(),
            "order_value_cv": by_order.std() / by_order.mean(),
            "order_value_last_to_mean": by_order.first() / by_order.mean(),
            "margin_365d": told["margin"].sum(),
            "margin_share_365d": told["margin"].sum() / margin_net.where(margin_net > 1e-9),
            "discount_share_365d": off["discount"] / (off["discount"] + off["amount"]),
            **{name: series.reindex(customers, fill_value=0) for name, series in revenue.items()},
        }
    )


def trend(seen: pd.DataFrame, tenure: pd.Series) -> pd.DataFrame:
    def revenue(rows: pd.DataFrame) -> pd.Series:
        return rows.groupby("customer_id")["amount"].sum().reindex(tenure.index, fill_value=0.0)

    exposure = tenure.clip(lower=90).clip(upper=365)
    within = seen["age"] <= seen["tenure"].clip(lower=90).clip(upper=365)
    months = np.minimum(12, np.floor(tenure / 30))
    month = np.ceil(seen["age"] / 30) - 1
    table = seen.pivot_table(index="customer_id", columns=month, values="amount", aggfunc="sum", fill_value=0.0)
    slopes = {}
    for customer, count in months[months >= 3].items():
        recent = table.loc[customer].reindex(np.arange(count - 1, -1, -1), fill_value=0.0).to_numpy()  # oldest first
        if recent.sum() > 1e-9:
            slopes[customer] = np.polyfit(np.arange(count), recent, 1)[0] / recent.mean()
    return pd.DataFrame(
        {
            "run_rate_daily": revenue(seen[within]) / exposure,
            "revenue_90d_last_year": revenue(seen[(seen["age"] <= 365) & (seen["age"] > 275)]),
            "revenue_365d_previous": revenue(seen[(seen["age"] <= 730) & (seen["age"] > 365)]),
            "revenue_slope": pd.Series(slopes, dtype=float),
        }
    )


def assortment(bought: pd.DataFrame) -> pd.DataFrame:
    named = bought[bought["product_id"].notna()].assign(day=bought["ordered_at"].dt.floor("D"))
    products = named.groupby(["customer_id", "product_id"]).agg(
        days=("day", "nunique"), youngest=("age", "min"), oldest=("age", "max")
    )
    by_customer = products.groupby("customer_id")
    recent = products[products["youngest"] <= 90]
    year = named[named["age"] <= 365]
    money = year.groupby(["customer_id", "product_id"])["amount"].sum().groupby("customer_id")
    any_line = bought[bought["age"] <= 365].groupby("customer_id").size().reindex(bought["customer_id"].unique())
    distinct = year.groupby("customer_id")["product_id"].nunique().reindex(any_line.index)
    categories = bought[bought["age"] <= 365].groupby("customer_id")["category"].nunique().reindex(any_line.index)
    orders = bought.groupby(["customer_id", "order_id"]).agg(
        lines=("amount", "size"), products=("product_id", "nunique"), age=("age", "min")
    )
    orders = orders.reset_index().sort_values(["customer_id", "age", "order_id"], ascending=[True, True, False])
    orders["products"] = orders["products"].where(orders["products"] > 0).astype("float64")
    sizes = orders.groupby("customer_id")[["lines", "products"]].mean()
    last = orders[orders.groupby("customer_id").cumcount() < 3].groupby("customer_id")[["lines", "products"]].mean()
    return pd.DataFrame(
        {
            "product_count_365d": distinct.where(distinct.notna() | any_line.notna(), 0),
            "category_count_365d": categories.fillna(0),
            "repeat_product_share": (products["days"] > 1).groupby("customer_id").mean(),
            "new_product_share_90d": (recent["oldest"] <= 90).groupby("customer_id").mean(),
            "top_product_share": money.max() / money.sum(),
            "lines_per_order": sizes["lines"],
            "lines_last3_to_mean": last["lines"] / sizes["lines"],
            "products_last3_to_mean": last["products"] / sizes["products"],
        }
    ).reindex(by_customer.size().index.union(any_line.index))


def breadth_to_year_before(bought: pd.DataFrame, tenure: pd.Series) -> pd.DataFrame:
    last, before = bought[bought["age"] <= 365], bought[(bought["age"] > 365) & (bought["age"] <= 730)]
    old = tenure.index[tenure >= 545]
    nobody = (last.groupby("customer_id")["product_id"].count() == 0).reindex(old, fill_value=False)
    ratios = {}
    for thing in ("product", "category"):
        name = thing if thing == "category" else "product_id"
        now, then = (rows.groupby("customer_id")[name].nunique().reindex(old, fill_value=0) for rows in (last, before))
        known = (then > 0) & ~(nobody if thing == "product" else False)
        ratios[f"{thing}_count_365d_to_previous"] = (now / then)[known]
    return pd.DataFrame(ratios)


def rest(seen: pd.DataFrame, bought: pd.DataFrame) -> pd.DataFrame:
    returns = seen[(seen["amount"] < 0) & (seen["age"] <= 365)].groupby("customer_id")["amount"]
    gross = bought[bought["age"] <= 365].groupby("customer_id")["amount"].sum()
    spend = bought.groupby(["customer_id", "category"])["amount"].sum().round(6).reset_index()
    spend = spend.sort_values(["customer_id", "amount", "category"], ascending=[True, False, True])
    latest = seen.sort_values(["customer_id", "age", "region"])
    return pd.DataFrame(
        {
            "return_share_365d": (-returns.sum()).reindex(gross.index, fill_value=0.0) / gross,
            "return_line_count_365d": returns.size().reindex(seen["customer_id"].unique(), fill_value=0),
            "top_category": spend.groupby("customer_id")["category"].first(),
            "region": latest.groupby("customer_id")["region"].first(),
        }
    )


@pytest.fixture(scope="module")
def built(lines: pd.DataFrame) -> pd.DataFrame:
    return features.build(lines, DATES)


@pytest.mark.slow
@pytest.mark.parametrize("as_of", DATES)
def test_plain_pandas_agrees_for_all_customers_of_online_retail_ii(
    lines: pd.DataFrame, built: pd.DataFrame, as_of: pd.Timestamp
) -> None:
    expected = reference(lines, as_of)
    found = built[built["as_of"] == as_of].set_index("customer_id").drop(columns="as_of")
    assert len(found) > 4500
    assert_frame_equal(found, expected[found.columns], rtol=1e-9, atol=1e-9, check_dtype=False, check_index_type=False)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 4])
def test_threads_and_order_of_rows_change_nothing_on_online_retail_ii(
    lines: pd.DataFrame, built: pd.DataFrame, threads: int, tmp_path: Path
) -> None:
    path = tmp_path / "lines.parquet"
    lines.sample(frac=1, random_state=threads).to_parquet(path)
    assert_frame_equal(features.build(connect(threads).read_parquet(path), DATES), built, check_exact=True)
