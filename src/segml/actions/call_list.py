"""The call list: whom to call first, and how much of the money at risk that covers."""

from __future__ import annotations

import math

import pandas as pd

from segml.config import ActionsConfig

CALL_LIST_COLUMNS = (
    "rank",
    "customer_id",
    "tier",
    "lifecycle",
    "revenue_at_risk",
    "cumulative_share",
    "run_rate",
    "p_stagnation",
    "p_churn",
    "risk_band",
    "next_order_expected",
    "reasons",
)


def call_list(decisions: pd.DataFrame, config: ActionsConfig) -> pd.DataFrame:
    """Return the customers to call, worst first.

    Ranked by money, not by probability: the top tenth by probability alone holds mostly small accounts, and a large
    account is worth a call before it is likelier to stagnate than not. Where contacts have a cost, only customers whom
    a contact is expected to earn more from than it costs are listed.

    Parameters
    ----------
    decisions : one row a customer, as ``assemble`` returns them under the same configuration
    config : ``min_p_stagnation`` is the least probability that is worth a call, ``call_list_share`` the
        capacity as a share of the scored customers, rounded up

    Returns
    -------
    DataFrame with ``CALL_LIST_COLUMNS``, by falling ``revenue_at_risk``, ties by ``customer_id``;
    ``cumulative_share`` is the part of all scored customers' revenue at risk down to this row. Without
    scores it has no rows.
    """
    scored = decisions[decisions["p_stagnation"].notna()]
    scored = scored.sort_values(["revenue_at_risk", "customer_id"], ascending=[False, True], ignore_index=True)
    worth_it = (scored["p_stagnation"] >= config.min_p_stagnation) & (scored["revenue_at_risk"] > 0)
    if config.contact_cost is not None:
        worth_it &= scored["expected_profit"] > 0
    listed = scored[worth_it].head(capacity(len(scored), config.call_list_share)).reset_index(drop=True)
    total = math.fsum(scored["revenue_at_risk"])
    listed["rank"] = range(1, len(listed) + 1)
    listed["cumulative_share"] = listed["revenue_at_risk"].cumsum() / total if total else 0.0
    return listed[list(CALL_LIST_COLUMNS)]


def capacity(scored_customers: int, share: float) -> int:
    """Return how many customers a share of the scored ones is, rounded up.

    >>> capacity(101, 0.10), capacity(100, 0.07), capacity(0, 0.10)
    (11, 7, 0)
    """
    return math.ceil(round(scored_customers * share, 6))
