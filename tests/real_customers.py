"""Customers of a real wholesaler (Online Retail II) at one date: few features, made in a few lines."""

from pathlib import Path

import numpy as np
import pandas as pd


def customers_at(folder: Path, as_of: str) -> pd.DataFrame:
    """Return ``customer_id`` and five features, from product lines strictly before the date, each line once."""
    raw = pd.read_parquet(folder / "online_retail_ii.parquet").drop(columns="sheet").drop_duplicates()
    raw = raw[raw["Customer ID"].notna() & raw["StockCode"].str.match(r"\d{5}")]
    days = (pd.Timestamp(as_of) - raw["InvoiceDate"]).dt.total_seconds() / 86_400
    lines = pd.DataFrame(
        {
            "customer_id": raw["Customer ID"].astype("int64").astype(str),
            "order": raw["Invoice"],
            "days": days,
            "month": np.floor(days / 30),
            "amount": raw["Quantity"] * raw["Price"],
        }
    )[days > 0]
    bought = lines[lines["amount"] > 0]
    customers = pd.DataFrame({"recency_days": np.floor(bought.groupby("customer_id")["days"].min())})
    year = lines[lines["days"] <= 365]
    customers["revenue_365d"] = year.groupby("customer_id")["amount"].sum().round(2)
    for window in (365, 180):
        orders = bought[bought["days"] <= window].groupby("customer_id")["order"].nunique()
        customers[f"order_count_{window}d"] = orders
    months = bought[bought["month"] < 12].groupby("customer_id")["month"].nunique()
    customers["active_month_share"] = months / 12
    return customers.fillna(0.0).reset_index()
