"""One row a customer: segment labels, risk, money, and what to do."""

from __future__ import annotations

import pandas as pd

from segml.actions.call_list import call_list
from segml.actions.money import at_risk, expected_profit, margin_rates
from segml.actions.rules import choose, rules
from segml.churn import NextOrder
from segml.config import ActionsConfig
from segml.language import N_
from segml.schemes import Lifecycle
from segml.windows import day_after

NOT_SCORED = N_("not scored")

DECISIONS = {
    "customer_id": "str",
    "as_of": "datetime64[us]",
    "lifecycle": "str",
    "rfm_cell": "str",
    "rfm_segment": "str",
    "abc": "str",
    "xyz": "str",
    "tier": "str",
    "cluster": "int64",
    "cluster_name": "str",
    "p_churn": "float64",
    "p_stagnation": "float64",
    "risk_band": "str",
    "run_rate": "float64",
    "revenue_at_risk": "float64",
    "reasons": "str",
    "next_order_expected": "datetime64[us]",
    "action": "str",
}
"""Columns of the decisions in order, with their types."""

INTERVAL = ("next_order_from", "next_order_to")
"""Days between which the next order falls with a probability of 80 %; null for inactive customers."""

PROFIT = "expected_profit"
"""What a contact is expected to earn; there with ``contact_cost`` only, and null where not scored."""

CALLS = ("churn_call", "stagnation_call")
"""Will, uncertain or safe; there where the risk tells them, and null where not scored."""

NULLABLE = frozenset({"p_churn", "p_stagnation"})
_LABELS = ("lifecycle", "rfm_cell", "rfm_segment", "abc", "xyz", "tier", "cluster", "cluster_name")
_FEATURES = (
    "as_of",
    "recency_days",
    "gap_shrunk_days",
    "gap_mean_days",
    "gap_cv",
    "purchase_day_count",
    "run_rate_daily",
    "revenue_90d_to_run_rate",
)
_RISK = ("p_churn", "p_stagnation", "risk_band", "reasons")


def assemble(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    risk: pd.DataFrame,
    *,
    horizon_days: int,
    config: ActionsConfig,
    lifecycle: Lifecycle,
) -> pd.DataFrame:
    """Return the decisions: one row a customer, sorted by ``customer_id``, columns as in ``DECISIONS``.

    ``run_rate`` is the customer's usual money over one horizon; ``revenue_at_risk`` is the probability of stagnation
    times that (0 where not scored, or where the run rate is negative), in margin where ``config.value`` says so.
    ``next_order_expected`` is the day of the last purchase plus the usual gap: a past day means overdue; where no gap
    is known at all, it is one horizon ahead. Behind ``DECISIONS`` stand ``INTERVAL``, then ``CALLS`` where the risk has
    them, and ``PROFIT`` where contacts have a cost.

    Parameters
    ----------
    features : ``customer_id``, ``as_of``, ``recency_days``, ``gap_shrunk_days``, ``gap_mean_days``, ``gap_cv``,
        ``purchase_day_count``, ``run_rate_daily`` and ``revenue_90d_to_run_rate``, one row a customer, one as-of date;
        ``margin_365d`` and ``margin_share_365d`` where margins are known
    labels : ``customer_id`` and the label of each scheme, for the same customers; columns beyond those of
        ``DECISIONS`` (further schemes and their details) follow at the end
    risk : ``customer_id``, ``p_churn``, ``p_stagnation`` (NaN = a rule labels the customer already), ``risk_band``,
        ``reasons`` (both may be null where not scored), ``CALLS`` or not; customers that are missing here are not
        scored
    horizon_days : length of the horizon
    config : thresholds of the actions
    lifecycle : tells when a customer became inactive

    Raises
    ------
    ValueError : columns missing, customers repeated or not the same in both tables, or a value missing
        elsewhere than in ``p_churn`` and ``p_stagnation``
    """
    needed = (*_FEATURES, *lifecycle.uses)
    _check_keys(features, labels, risk, needed)
    known = features[["customer_id", *needed]].assign(margin=margin_rates(features, config))
    table = known.merge(labels, on="customer_id", validate="1:1")
    calls = [name for name in CALLS if name in risk.columns]
    table = table.merge(risk[["customer_id", *_RISK, *calls]], on="customer_id", how="left", validate="1:1")
    table = table.sort_values("customer_id", ignore_index=True).astype(dict.fromkeys(NULLABLE, "float64"))
    table = _fill_unscored(table)
    table["run_rate"] = table["run_rate_daily"] * horizon_days
    table["revenue_at_risk"] = at_risk(table, table["margin"], config)
    table["next_order_expected"] = _next_order(table, horizon_days)
    table[list(INTERVAL)] = _interval(table)
    if config.contact_cost is not None:
        table[PROFIT] = expected_profit(table, table["margin"], config)
    table["action"] = choose(_facts(table, config, lifecycle), rules(config, lifecycle))
    beyond = [*INTERVAL, *calls, *([PROFIT] if config.contact_cost is not None else [])]
    further = [name for name in labels.columns if name not in DECISIONS]
    decisions = table[[*DECISIONS, *beyond, *further]].astype(DECISIONS)
    _check_complete(decisions)
    return decisions


def _check_keys(features: pd.DataFrame, labels: pd.DataFrame, risk: pd.DataFrame, needed: tuple[str, ...]) -> None:
    _check_table("features", features, needed)
    _check_table("labels", labels, _LABELS)
    _check_table("risk", risk, _RISK)
    known = set(features["customer_id"])
    apart = (known ^ set(labels["customer_id"])) | (set(risk["customer_id"]) - known)
    if apart:
        raise ValueError(f"features, labels and risk differ in {len(apart)} customers, such as {min(apart)!r}")
    if features["as_of"].nunique() > 1:
        raise ValueError(f"decisions are made at one as-of date; found {features['as_of'].nunique()} in features")


def _check_table(name: str, table: pd.DataFrame, columns: tuple[str, ...]) -> None:
    missing = [column for column in ("customer_id", *columns) if column not in table.columns]
    if missing:
        raise ValueError(f"{name} lack columns {missing}; found {list(table.columns)}")
    repeated = table.loc[table["customer_id"].duplicated(), "customer_id"]
    if not repeated.empty:
        raise ValueError(f"{name} must hold one row a customer; {repeated.min()!r} comes more than once")


def _fill_unscored(table: pd.DataFrame) -> pd.DataFrame:
    """Give customers without a probability a band, and a reason where they have none."""
    is_unscored = table["p_stagnation"].isna()
    reasons = table["reasons"].astype("str")
    return table.assign(
        risk_band=table["risk_band"].astype("str").mask(is_unscored, NOT_SCORED),
        reasons=reasons.mask(is_unscored & reasons.isna(), f"{NOT_SCORED}: " + table["lifecycle"].astype("str")),
    )


def _next_order(table: pd.DataFrame, horizon_days: int) -> pd.Series[pd.Timestamp]:
    return day_after(table["as_of"], (table["gap_shrunk_days"] - table["recency_days"]).fillna(float(horizon_days)))


def _interval(table: pd.DataFrame) -> pd.DataFrame:
    days = NextOrder.fit(table).interval(table).mask(table["lifecycle"] == "inactive")
    ends = [day_after(table["as_of"], days[name]) for name in ("from_days", "to_days")]
    return pd.concat(ends, axis=1)


def _facts(table: pd.DataFrame, config: ActionsConfig, lifecycle: Lifecycle) -> pd.DataFrame:
    listed = set(call_list(table, config)["customer_id"])
    return pd.DataFrame(
        {
            "lifecycle": table["lifecycle"],
            "tier": table["tier"],
            "is_on_call_list": table["customer_id"].isin(listed),
            "p_stagnation": table["p_stagnation"],
            "months_past_threshold": _months_past_threshold(table, len(config.win_back_steps), lifecycle),
            "revenue_90d_to_run_rate": table["revenue_90d_to_run_rate"],
            "days_to_next_order": table["gap_shrunk_days"] - table["recency_days"],
        }
    )


def _months_past_threshold(table: pd.DataFrame, at_most: int, lifecycle: Lifecycle) -> pd.Series[int]:
    """Count whole calendar months since a customer became inactive, up to ``at_most``."""
    months = pd.Series(0, index=table.index)
    for later in range(1, at_most + 1):
        is_past = table["recency_days"] >= lifecycle.inactive_after_days(table, later_months=later)
        months += is_past.astype("int64")
    return months


def _check_complete(decisions: pd.DataFrame) -> None:
    nulls = decisions[[name for name in DECISIONS if name not in NULLABLE]].isna().sum()
    if nulls.any():
        found = ", ".join(f"{name} ({count})" for name, count in nulls[nulls > 0].items())
        raise ValueError(f"decisions lack values in {found}; only p_churn and p_stagnation may be null")
