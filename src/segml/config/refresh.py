"""What a refresh compares with, and where it keeps what the next one compares with."""

from __future__ import annotations

from segml.settings import Section


class RefreshConfig(Section):
    """Where refreshes are kept, and which schemes the page shows pictures of; the tables hold all."""

    state: str | None = None  # folder; null: ``state`` in the output folder
    plan: str | None = None  # revenue planned with key accounts: customer_id, revenue_plan; a .csv or .parquet file
    shown: tuple[str, ...] = ("lifecycle", "tier", "rfm_segment", "cluster_name", "risk_band")  # with pictures
