"""What people call the ways to rank customers."""

from __future__ import annotations

from segml.language import N_, _

PERFECT = "perfect"

STRATEGIES = {
    "model": N_("model"),
    "recency": N_("days since last purchase"),
    "recency_to_gap": N_("silence against usual gap"),
    "pareto_nbd": "Pareto/NBD",
    "revenue_at_risk": N_("revenue at risk (model)"),
    "run_rate": N_("size of account alone"),
    "p_stagnation": N_("stagnation probability alone"),
    "p_churn": N_("churn probability alone"),
    "p_churn_times_run_rate": N_("churn probability × run rate"),
    PERFECT: N_("perfect knowledge"),
}
"""What people call the ways to rank customers; see ``name_of``."""


def name_of(strategy: str) -> str:
    """Return what people call a way to rank customers, in the language spoken."""
    return _(STRATEGIES[strategy]) if strategy in STRATEGIES else strategy.replace("_", " ")
