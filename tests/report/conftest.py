"""A small made-up run whose names do their worst."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from segml.config import from_mapping
from segml.report import ReportContent

AS_OF = pd.Timestamp("2026-01-01")
EVIL = "<script>alert(1)</script>"
CLUSTER = 'the "large" & <b>loyal</b>'


@pytest.fixture(scope="module")
def decisions() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "customer_id": [EVIL, "b", "c", "d", "e"],
            "as_of": AS_OF,
            "lifecycle": ["active", "active", "stagnating", "new", "inactive"],
            "rfm_cell": ["555", "445", "251", "541", "not enough data"],
            "rfm_segment": ["champions", "champions", "at risk", "new", "lost"],
            "abc": ["A", "A", "B", "C", "C"],
            "xyz": ["X", "Y", "Z", "not enough data", "Z"],
            "tier": ["key", "standard", "small", "small", "small"],
            "cluster": [1, 1, 2, 2, 2],
            "cluster_name": [CLUSTER, CLUSTER, "rare", "rare", "rare"],
            "p_churn": [0.10, 0.20, 0.70, np.nan, np.nan],
            "p_stagnation": [0.50, 0.40, 0.90, np.nan, np.nan],
            "risk_band": ["low", "medium", "very high", "not scored", "not scored"],
            "run_rate": [10_000.0, 1_000.0, 100.0, 50.0, 0.0],
            "reasons": [
                "silence: <i>twice</i> the usual gap",
                "trend",
                "rhythm",
                "not scored: new",
                "not scored: gone",
            ],
            "next_order_expected": pd.to_datetime(
                ["2025-12-20", "2026-01-01", "2026-01-04", "2026-01-09", "2025-03-01"]
            ),
            "action": ["call: revenue at risk", "write: at risk", "write: at risk", "onboard", "no action"],
        }
    )
    return table.assign(revenue_at_risk=(table["p_stagnation"] * table["run_rate"]).fillna(0.0))


def profile(scheme: str, segment: str, customers: int, revenue: float) -> dict[str, Any]:
    return {
        "scheme": scheme,
        "segment": segment,
        "name": f"{segment} customers" if segment == "active" else segment,
        "customers": customers,
        "customer_share": customers / 5,
        "revenue": revenue,
        "revenue_share": revenue / 50_000,
        "revenue_mean": revenue / customers,
        "order_value_mean": 321.0,
        "orders_per_year": 12.34,
        "margin_rate": 0.25 if segment == "active" else np.nan,
        "typical_category": "tape <wide>",
        "typical_size": "",
        "typical_region": None,
        "share_at_risk": 0.5,
        "revenue_at_risk": 5_400.0,
        "differences": "",
        "rule": f"rule of {segment}",
        "strategy": "call <every> week" if segment == "active" else "",
    }


@pytest.fixture(scope="module")
def backtest() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "customer_id": [f"c{n}" for n in range(8)],
            "as_of": pd.Timestamp("2025-09-01"),
            "churned": [False, False, False, True, False, True, True, True],
            "stagnated": [False, False, True, True, False, True, True, True],
            "p_churn": [0.05, 0.10, 0.15, 0.20, 0.35, 0.40, 0.70, 0.90],
            "p_stagnation": [0.1, 0.1, 0.3, 0.4, 0.4, 0.5, 0.8, 0.9],
        }
    )


@pytest.fixture(scope="module")
def metrics() -> dict[str, float]:
    found: dict[str, float] = {}
    for name, value in {
        "churn/roc_auc": 0.79,
        "stagnation/roc_auc": 0.71,
        "baseline/recency_churn_roc_auc": 0.59,
        "baseline/recency_stagnation_roc_auc": 0.56,
        "baseline/pareto_nbd_churn_roc_auc": 0.77,
        "baseline/pareto_nbd_stagnation_roc_auc": 0.66,
        "churn/brier": 0.168,
    }.items():
        found |= {name: value, f"{name}_low": value - 0.01, f"{name}_high": value + 0.01}
    return found


@pytest.fixture(scope="module")
def gains() -> pd.DataFrame:
    shares = np.linspace(0, 1, 11)
    strategies = {
        "churn": ["model", "recency", "pareto_nbd"],
        "stagnation": ["model", "recency"],
        "loss": ["revenue_at_risk", "run_rate", "p_churn", "perfect"],
    }
    parts = [
        pd.DataFrame(
            {
                "target": target,
                "strategy": name,
                "share_of_customers": shares,
                "share_captured": shares ** (0.4 + n / 9),
            }
        )
        for target, names in strategies.items()
        for n, name in enumerate(names)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def content(
    decisions: pd.DataFrame, backtest: pd.DataFrame, metrics: dict[str, float], gains: pd.DataFrame
) -> ReportContent:
    config = from_mapping(
        {
            "data": {"transactions": "postgresql://anna:s3cret@db/sales"},
            "actions": {"call_list_share": 0.5},
            "report": {"currency": "€", "title": "Numbers & names"},
        }
    )
    return ReportContent(
        as_of=AS_OF,
        config=config,
        decisions=decisions,
        features=pd.DataFrame(
            {"customer_id": decisions["customer_id"], "revenue_365d": [40_000.0, 8_000.0, 1_500.0, 500.0, 0.0]}
        ),
        ledger=pd.DataFrame(
            [
                ("in", "in", 1_200, 7, 60_000.0, "as read"),
                ("exact_repeats", "taken", 150, 3, 12_000.5, "the same line <again>"),
                ("bad_date", "taken", 0, 0, 0.0, "no date"),
                ("returns", "taken", 50, 2, -2_000.5, "cancelled"),
                ("two_regions", "corrected", 9, 1, 0.0, "the latest wins"),
                ("kept", "kept", 1_000, 5, 50_000.0, "what counts"),
            ],
            columns=["rule", "kind", "lines", "customers", "amount", "meaning"],
        ),
        profiles=pd.DataFrame(
            [
                profile("lifecycle", "active", 2, 48_000.0),
                profile("lifecycle", "gone", 3, 2_000.0),
                profile("tier", "key", 1, 40_000.0),
                profile("rfm_segment", "champions", 2, 48_000.0),
                profile("abc", "A", 2, 48_000.0),
                profile("xyz", "X", 1, 40_000.0),
                profile("own_needs", "tape & glue", 5, 50_000.0),
                profile("cluster", CLUSTER, 2, 48_000.0),
                profile("cluster", "rare", 3, 2_000.0),
            ]
        ),
        notices=("Nothing was bought in the <last> month.",),
        cluster_means=pd.DataFrame({"orders": [1.0, -1.0], "revenue": [0.5, -0.5]}, index=[CLUSTER, "rare"]),
        metrics=metrics,
        backtest=backtest,
        reliability=pd.DataFrame(
            {
                "target": ["churn", "churn", "stagnation"],
                "bin": [0, 1, 0],
                "predicted": [0.1, 0.6, 0.4],
                "observed": [0.0, 0.7, 0.6],
                "customers": [4, 4, 8],
            }
        ),
        gains=gains,
        revenue_by_month=pd.DataFrame(
            {"month": pd.date_range("2025-10-01", periods=3, freq="MS"), "revenue": [1.0, 2.0, 3.0]}
        ),
        products=pd.DataFrame(
            {
                "product_id": ["P <1>", "P2", "P3"],
                "category": ["tape", None, "glue"],
                "customers": [3.0, 2.0, 1.0],
                "orders": [9.0, 4.0, 1.0],
                "revenue_365d": [900.0, 80.0, 20.0],
                "abc": ["A", "B", "C"],
                "xyz": ["X", "Y", "not enough data"],
            }
        ),
        cohorts=pd.DataFrame(
            {
                "cohort": ["2024-Q1", "2024-Q1", "2024-Q2"],
                "age": [0, 1, 0],
                "customers": [3, 3, 2],
                "retention": [1.0, 0.5, 1.0],
                "revenue_per_customer": [100.0, 40.0, 90.0],
            }
        ),
        silent=pd.DataFrame(
            {
                "customer_id": ["b", "c"],
                "category": ["glue & <tape>", "nails"],
                "days_since_purchase": [100.4, 61.0],
                "usual_gap_days": [20.0, 10.0],
                "purchase_days": [9, 5],
                "revenue_365d": [1_200.0, 34.0],
                "share_of_customer": [0.25, 0.5],
            }
        ),
        scheme_titles={"tier": ("Tiers", "How much revenue hangs on an account?")},
        schemes_off={"company_size": "the data do not tell <employees>"},
        cautions={"own_needs": ["one segment holds <all>"]},
        customer_names={"b": "Müller & <Söhne>"},
        versions={"segml": "0.1.0"},
        data_digest="0123abcd",
        run_id="run-7",
    )
