"""Which metrics a study may compare, and which it compares when it names none."""

from __future__ import annotations

from collections.abc import Sequence

from segml.schema import did_you_mean

DEFAULTS = {
    "backtest": ("churn/roc_auc", "stagnation/roc_auc", "churn/brier", "stagnation/loss_captured_at_10"),
    "train": ("segments/n_clusters", "segments/next_period_eta2", "segments/min_jaccard", "churn/roc_auc"),
}
ETA2 = "segments/next_period_eta2"
"""What found segments tell of the next period: known customer by customer."""

_PROFIT = ("listed", "listed_share", "run_rate", "p_stagnation", "perfect", "everyone", "margin_rate")
_CONFORMAL = ("coverage_cases", "coverage_others", "called_will", "called_safe")
_OF_SEGMENTS = ("rfm_eta2", "revenue_fifths_eta2", "surrogate_fidelity", "surrogate_worst_recall", "kept_share")
_OF_DATA = ("lines_in", "lines_kept", "amount_in", "amount_kept", "customers")


def known(command: str) -> tuple[str, ...]:
    """Return the names of all metrics of a command."""
    from segml.churn import metric_names
    from segml.segments import FIGURES

    conformal = (f"conformal/{target}_{name}" for target in ("churn", "stagnation") for name in _CONFORMAL)
    profit = (f"profit/{name}" for name in _PROFIT)
    data = (f"data/{name}" for name in _OF_DATA)
    scores = (*metric_names(), "next_order/coverage_80", *profit, *conformal, *data)
    if command == "backtest":
        return scores
    found = (name for name in FIGURES.values() if not name.endswith(("_low", "_high")))
    return (*found, *(f"segments/{name}" for name in (*_OF_SEGMENTS, "refit_agreement")), *scores)


def unknown(names: Sequence[str], command: str) -> list[str]:
    """Return a sentence for each name that is no metric of the command."""
    there = known(command) if names else ()
    problems = []
    for name in names:
        if name not in there:
            hint = did_you_mean(name, there) or f"; there are {', '.join(there[:5])}, …"
            problems.append(f"metrics: {name!r} is no metric of {command}{hint}")
    return problems
