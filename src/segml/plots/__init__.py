"""Pictures: each takes a tidy table and axes, draws, computes nothing, and returns the axes."""

from segml.plots.bars import plot_ledger, plot_revenue_by_month, plot_segments
from segml.plots.clusters import (
    plot_candidates,
    plot_migration,
    plot_projection,
    plot_silhouettes,
    plot_size_against_revenue,
)
from segml.plots.cohorts import CohortValue, plot_cohorts
from segml.plots.curves import plot_gains, plot_lorenz, plot_money, plot_profit, plot_reliability
from segml.plots.grids import plot_abc_xyz, plot_profiles, plot_rfm_map
from segml.plots.importance import plot_importance
from segml.plots.style import house_style

__all__ = [
    "CohortValue",
    "house_style",
    "plot_abc_xyz",
    "plot_candidates",
    "plot_cohorts",
    "plot_gains",
    "plot_importance",
    "plot_ledger",
    "plot_lorenz",
    "plot_migration",
    "plot_money",
    "plot_profiles",
    "plot_profit",
    "plot_projection",
    "plot_reliability",
    "plot_revenue_by_month",
    "plot_rfm_map",
    "plot_segments",
    "plot_silhouettes",
    "plot_size_against_revenue",
]
