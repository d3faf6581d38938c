"""Segments of a real wholesaler's customers (Online Retail II)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from segml import features, labels
from segml.config import ClustersConfig, LabelsConfig, SegmentsConfig
from segml.features import describe
from segml.schema import NOT_ENOUGH_DATA, ORDER_LINES
from segml.segments import Past, assign_rules, earlier, find_segments, label_segments, profiles

NOW, END = pd.Timestamp("2011-09-11"), pd.Timestamp("2011-12-10")
HORIZON = 90
PAST = [END - pd.Timedelta(days=HORIZON * back) for back in range(1, 5)]
CONFIG = SegmentsConfig(clusters=ClustersConfig(candidates=("kmeans",), bootstrap=5))

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def lines(shared_data: Path) -> pd.DataFrame:
    """Order lines after the coarsest of cleanings: product lines with a customer, each once."""
    raw = pd.read_parquet(shared_data / "online_retail_ii.parquet").drop(columns="sheet").drop_duplicates()
    raw = raw[raw["Customer ID"].notna() & raw["StockCode"].str.match(r"\d{5}")]
    table = pd.DataFrame(
        {
            "customer_id": raw["Customer ID"].astype("int64").astype("str"),
            "order_id": raw["Invoice"],
            "ordered_at": raw["InvoiceDate"].astype("datetime64[us]"),
            "amount": raw["Quantity"] * raw["Price"],
            "product_id": raw["StockCode"].str.upper(),
            "quantity": raw["Quantity"].astype("float64"),
            "region": raw["Country"],
        }
    )
    empty = {"number": "float64", "text": "str", "time": "datetime64[us]"}
    unknown = {
        column.name: pd.Series(index=table.index, dtype=empty[column.kind])
        for column in ORDER_LINES.columns
        if column.name not in table
    }
    return table.assign(**unknown)[list(ORDER_LINES.names)]


@pytest.fixture(scope="module")
def snapshots(lines: pd.DataFrame) -> pd.DataFrame:
    return features.build(lines, sorted({NOW, END, *PAST}))


def test_clusters_come_back_and_predict_no_worse_than_revenue_fifths(
    lines: pd.DataFrame, snapshots: pd.DataFrame
) -> None:
    bases = [snapshots[snapshots["as_of"] == moment] for moment in PAST]
    after = [labels.build(lines, base, HORIZON, LabelsConfig(), known_until=END) for base in bases]
    past = Past([earlier(base, bought) for base, bought in zip(bases, after, strict=True)], HORIZON)
    found = find_segments(snapshots[snapshots["as_of"] == END], CONFIG, seed=0, past=past)
    metrics = found.metrics
    assert metrics["segments/min_jaccard"] > 0.8
    assert metrics["segments/smallest_share"] > 0.05
    assert 0.25 < metrics["segments/next_period_eta2"] < 0.4
    assert metrics["segments/next_period_eta2"] > metrics["segments/revenue_fifths_eta2"] - 0.02
    assert metrics["segments/refit_agreement"] > 0.9


def test_all_schemes_label_every_customer_and_profiles_add_up(lines: pd.DataFrame, snapshots: pd.DataFrame) -> None:
    now = snapshots[snapshots["as_of"] == NOW].reset_index(drop=True)
    base = describe(lines, now, xyz=CONFIG.xyz)
    model = find_segments(now, CONFIG, seed=0).model
    rules = assign_rules(base, CONFIG)
    decided = rules.table.merge(label_segments(now, model), on="customer_id")
    assert decided[[*rules.rules, "cluster", "cluster_name"]].notna().all(axis=None)
    assert not (decided[["lifecycle", "rfm_segment", "abc", "tier", "geography", "cohort"]] == NOT_ENOUGH_DATA).any(
        axis=None
    )
    assert {"company_size", "price_behaviour", "value", "engagement", "need"} <= set(rules.off)
    table = profiles(decided, base, rules.rules, model)
    sums = table.groupby("scheme")[["customers", "customer_share", "revenue_share"]].sum()
    assert sums.to_numpy() == pytest.approx(np.tile([len(now), 1, 1], (len(sums), 1)))
    key = decided[decided["tier"] == "key"]
    assert 0.05 < len(key) / len(decided) < 0.20
