"""The charts of a run as files: each a picture, and the table behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segml import plots
from segml.churn import Backtest, areas_by_date
from segml.config import Config
from segml.language import N_, _, speaking
from segml.pipeline import Training
from segml.segments import FoundSegments
from segml.segments.words import told_name

DOTS_PER_INCH = 130
NO_METADATA = {"Software": None}
"""Matplotlib would write its version: another one that draws the same should give the same bytes."""

MONEY = ("revenue_at_risk", "run_rate", "p_stagnation", "perfect")
ALGORITHMS = {"kmeans": "KMeans", "hdbscan": "HDBSCAN"}
TITLES = {
    "calibration_churn": N_("Churn: what was predicted, and what happened"),
    "calibration_stagnation": N_("Stagnation: what was predicted, and what happened"),
    "gains_churn": N_("Churn: found with the first customers of each ranking"),
    "gains_stagnation": N_("Stagnation: found with the first customers of each ranking"),
    "roc_auc_by_date_churn": N_("Churn: how well customers are ranked at each test date"),
    "roc_auc_by_date_stagnation": N_("Stagnation: how well customers are ranked at each test date"),
}
TARGETS = ("churn", "stagnation")


@dataclass(frozen=True)
class Chart:
    """A chart: its name as a file, its title, the table behind it, what draws it on axes, and its size in inches."""

    name: str
    title: str
    table: pd.DataFrame
    draw: Callable[[Axes], object]
    width: float = 6.4
    height: float = 4.0

    def save(self, path: Path) -> None:
        """Write the picture as PNG; the same chart gives the same bytes."""
        figure = Figure(figsize=(self.width, self.height + 0.4), layout="constrained", dpi=DOTS_PER_INCH)
        with plots.house_style():
            self.draw(figure.add_subplot())
            figure.suptitle(self.title, x=0.01, ha="left", fontsize=11, parse_math=False)
            figure.savefig(path, format="png", metadata=NO_METADATA)


def of_training(training: Training) -> list[Chart]:
    """Return the charts of a training run, in the language of its report; what there is no data for is left out."""
    with speaking(training.config.report.language):
        charts = [
            *_evaluation(training.backtest, training.config),
            *_stages(training.profiles),
            *_found(training.found),
            *_months(training.segmentation.revenue_by_month),
        ]
        return list(charts)


def of_backtest(found: Backtest, config: Config) -> list[Chart]:
    """Return the charts of an evaluation out of time; see ``of_training``."""
    with speaking(config.report.language):
        return list(_evaluation(found, config))


def _evaluation(found: Backtest, config: Config) -> Iterator[Chart]:
    if found.table.empty:
        return
    areas = areas_by_date(found.table, resamples=config.churn.bootstrap, seed=config.seed)
    for kind, table, draw in (
        ("roc_auc_by_date", areas, plots.plot_areas_by_date),
        ("calibration", found.reliability, plots.plot_reliability),
        ("gains", found.gains, plots.plot_gains),
    ):
        for target in TARGETS:
            part = _of_target(table, target)
            if len(part):
                name = f"{kind}_{target}"
                yield Chart(name, _(TITLES[name]), part, partial(draw, part), width=7.2)
    yield from _money(found.gains)
    if len(found.importance):
        groups = found.importance["group"].nunique()
        title = _("What each group of features adds")
        draw = partial(plots.plot_importance, found.importance)
        yield Chart("importance", title, found.importance, draw, width=7.2, height=0.36 * groups + 0.9)


def _money(gains: pd.DataFrame) -> Iterable[Chart]:
    part = _of_target(gains, "loss")
    part = part[part["strategy"].isin(MONEY)].reset_index(drop=True)
    if part.empty:
        return []
    title = _("Lost revenue that is reached with the first customers of each ranking")
    return [Chart("lost_revenue_reached", title, part, partial(plots.plot_money, part), width=7.2)]


def _of_target(table: pd.DataFrame, target: str) -> pd.DataFrame:
    return table[table["target"] == target].reset_index(drop=True)


def _stages(profiles: pd.DataFrame) -> Iterable[Chart]:
    shown = profiles[(profiles["scheme"] == "lifecycle") & (profiles["customers"] > 0)].reset_index(drop=True)
    table = shown[["segment", "customers", "customer_share", "revenue", "revenue_share", "revenue_at_risk"]]
    title = _("Lifecycle: share of customers and of revenue")
    return [Chart("lifecycle", title, table, partial(plots.plot_segments, table), height=0.5 * len(table) + 0.8)]


def _months(months: pd.DataFrame) -> Iterable[Chart]:
    if months.empty:
        return []
    return [
        Chart(
            "revenue_by_month", _("Revenue by month"), months, partial(plots.plot_revenue_by_month, months), height=2.6
        )
    ]


def _found(found: FoundSegments) -> Iterator[Chart]:
    model = found.model
    if model is None:
        return
    means = pd.DataFrame(model.means_, index=model.segment_names_, columns=list(model.features)).dropna(how="all")
    yield _profiles(means)
    for algorithm, name in ALGORITHMS.items():
        rows = found.table[found.table["algorithm"] == algorithm].reset_index(drop=True)
        if len(rows) > 1:
            yield _candidates(rows, algorithm, name)
    if found.lasting is not None and len(found.lasting.migration):
        yield _migration(found.lasting.migration)


def _profiles(means: pd.DataFrame) -> Chart:
    shown = means.rename(columns=lambda name: _(name.replace("_", " ")), index=told_name)
    return Chart(
        "cluster_profiles",
        _("Found segments: standard deviations from the base"),
        means.rename_axis("segment").reset_index(),
        partial(plots.plot_profiles, shown),
        width=2.6 + 1.1 * len(means),
        height=0.34 * means.shape[1] + 0.9,
    )


def _candidates(rows: pd.DataFrame, algorithm: str, name: str) -> Chart:
    chosen = rows.loc[rows["is_chosen"], "size"]
    size_name = None if algorithm == "kmeans" else _("customers of the smallest segment")
    draw = partial(
        plots.plot_candidates, rows, chosen=float(chosen.iloc[0]) if len(chosen) else None, size_name=size_name
    )
    title = _("{algorithm} by size").format(algorithm=name)
    return Chart(f"cluster_candidates_{algorithm}", title, rows, draw, width=7.2, height=5.0)


def _migration(moved: pd.DataFrame) -> Chart:
    told = moved.assign(**{end: moved[end].map(told_name, na_action="ignore") for end in ("from", "to")})
    names = moved["to"].dropna().nunique() + 1
    return Chart(
        "cluster_migration",
        _("Customers that moved between found segments over the last horizon"),
        moved,
        partial(plots.plot_migration, told),
        width=2.8 + (1.05 if names <= 7 else 0.62) * names,
        height=0.34 * names + 1.1,
    )
