"""Who moved since the last refresh, in every scheme, in customers and in money, and what became of the base."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from segml import monitor
from segml.actions import NOT_SCORED
from segml.churn.risk import BANDS
from segml.monitor import BaseChanges, Migration, SameNames
from segml.pipeline.deciding import Decided, Scorer
from segml.pipeline.memory import Memory
from segml.pipeline.perspectives import Perspectives, perspectives
from segml.pipeline.prepared import Prepared

CLUSTERS, RISK = "cluster_name", "risk_band"
MONEY = "revenue_365d"


@dataclass(frozen=True)
class Moves:
    """What moved between two refreshes.

    Attributes
    ----------
    since : date of the earlier one
    schemes : the migration of each scheme, of found segments and of risk bands, by column
    base : new, returned, lost customers
    same_names : which found segment is which, where another model found them; None where it is the same
    """

    since: pd.Timestamp
    schemes: Mapping[str, Migration]
    base: BaseChanges
    same_names: SameNames | None

    @property
    def metrics(self) -> dict[str, float]:
        """Share of customers that stayed, and of the moves that rules made, by scheme."""
        found: dict[str, float] = {}
        for name, moved in self.schemes.items():
            if not math.isnan(moved.share_kept):
                found[f"migration/{name}_kept_share"] = moved.share_kept
            if moved.moved:
                by_rules = moved.by_cause.set_index("cause")["customers"]["rules"]
                found[f"migration/{name}_by_rules_share"] = float(by_rules / moved.moved)
        return found

    def noted(self, decisions: pd.DataFrame) -> pd.DataFrame:
        """Return the decisions with ``SCHEME_previous`` and ``SCHEME_changed_on`` of each scheme at the end."""
        return decisions.merge(monitor.carried(self.schemes), on="customer_id", how="left", validate="1:1")


def moves(memory: Memory, decided: Decided, prepared: Prepared, scorer: Scorer, *, is_same_model: bool) -> Moves:
    """Return who moved since an earlier refresh, and why; see ``monitor.migration``.

    Parameters
    ----------
    memory : of the earlier refresh
    decided : of ``prepared.as_of`` by ``scorer``
    is_same_model : whether the scorer decided then, too
    """
    seen = perspectives(memory, decided, prepared, scorer)
    names = None if is_same_model else _same_names(seen)
    told = _renamed(seen, names) if names is not None else seen
    then = _with_money(told.then, told.base_then)
    now = _with_money(told.now, decided.features)
    found = monitor.migrations(
        then, now, _orders(decided), as_of=prepared.as_of, by_old_rules=told.now_by_old, by_new_rules=told.then_by_new
    )
    return Moves(memory.as_of, found, monitor.base_changes(then, now), names)


def _same_names(seen: Perspectives) -> SameNames | None:
    tables = (seen.then, seen.then_by_new)
    if any(CLUSTERS not in table.columns for table in tables):
        return None
    previous, by_new_model = (table.set_index("customer_id")[CLUSTERS] for table in tables)
    return monitor.same_names(previous, by_new_model)


def _renamed(seen: Perspectives, names: SameNames) -> Perspectives:
    """Return the found segments of the new model under the names of those that they continue."""
    now, then_by_new = (
        table.assign(**{CLUSTERS: names.told(table[CLUSTERS])}) for table in (seen.now, seen.then_by_new)
    )
    return replace(seen, now=now, then_by_new=then_by_new)


def _with_money(decisions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    beside = decisions.drop(columns=MONEY, errors="ignore")
    money = features[["customer_id", MONEY]].drop_duplicates("customer_id")
    return beside.merge(money, on="customer_id", how="left", validate="1:1").fillna({MONEY: 0.0})


def _orders(decided: Decided) -> dict[str, tuple[str, ...]]:
    """Return the segments of each scheme in the order in which people read them."""
    schemes = {name: tuple(rules) for name, rules in decided.labels.rules.items()}
    return {**schemes, CLUSTERS: (), RISK: (*BANDS, NOT_SCORED)}
