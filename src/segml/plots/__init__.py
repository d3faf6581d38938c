"""Pictures: each takes a tidy table and axes, draws, computes nothing, and returns the axes.

Without axes a plot makes its own figure. With ``data = segml.prepare(…)`` and ``training = data.train()``::

    plot_ledger(data.ledger.to_frame())
    plot_revenue_by_month(training.segmentation.revenue_by_month)
    plot_cohorts(training.segmentation.cohorts)
    plot_segments(training.profiles.query("scheme == 'lifecycle'"))
    plot_size_against_revenue(training.profiles.query("scheme == 'rfm_segment'"))
    plot_candidates(training.found.table.query("algorithm == 'kmeans'"))
    plot_migration(training.found.lasting.migration)
    plot_flows(training.found.lasting.migration)
    plot_reliability(training.backtest.reliability.query("target == 'churn'"))
    plot_gains(training.backtest.gains.query("target == 'churn'"))
    plot_money(training.backtest.gains.query("target == 'loss'"))
    plot_importance(training.backtest.importance)
"""

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
from segml.plots.dates import plot_areas_by_date, plot_sizes
from segml.plots.flows import plot_flows
from segml.plots.forest import plot_forest
from segml.plots.grids import plot_abc_xyz, plot_profiles, plot_rfm_map
from segml.plots.importance import plot_importance
from segml.plots.style import house_style

__all__ = [
    "CohortValue",
    "house_style",
    "plot_abc_xyz",
    "plot_areas_by_date",
    "plot_candidates",
    "plot_cohorts",
    "plot_flows",
    "plot_forest",
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
    "plot_sizes",
]
