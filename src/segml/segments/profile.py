"""Segments as people read them: who is in them, what they bring, what is at risk, how they differ from the base."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml.language import _, numerals
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes.scheme import Rules, check_columns, check_snapshot
from segml.segments.found import ClusterModel
from segml.segments.playbook import Playbook, built_in
from segml.segments.words import differences, told_features, told_name

CLUSTER_SCHEME = "cluster_name"
_NEEDED = ("revenue_365d", "order_count_365d")
_OPTIONAL = ("order_value_mean", "margin_365d", "top_category", "region")
_SIZE = "company_size"
_RISK = ("p_churn", "p_stagnation", "revenue_at_risk")
_TEXTS = ("top_category", "region", _SIZE, "rfm_segment")
_DESCRIBED = (*_NEEDED, *_OPTIONAL, *_RISK, "is_at_risk", _SIZE, "rfm_segment")
_DIFFERENCES_TOLD = 3
_MOST = 0.5


def profiles(
    decisions: pd.DataFrame,
    features: pd.DataFrame,
    rules: Mapping[str, Rules],
    model: ClusterModel | None = None,
    playbook: Playbook | None = None,
    *,
    p_churn_from: float = 0.35,
    p_stagnation_from: float = 0.5,
) -> pd.DataFrame:
    """Return one row a segment of each scheme, declared segments without customers included.

    Within a scheme, customers, revenue and margin add up to the base's, and shares to 1. Money and orders are those of
    the last 365 days. Columns:

    - ``scheme, segment``: identifiers; ``name``: what the playbook calls the segment
    - ``customers, customer_share``
    - ``revenue, revenue_share, revenue_mean, revenue_median``: net revenue
    - ``order_value_mean``: of the customers' own mean order values; ``orders_per_year``: mean orders of a customer
    - ``margin, margin_share``, ``margin_rate``: margin over revenue where margin is known; NaN without margins
    - ``typical_category, typical_size, typical_region``: the most frequent, "" where unknown
    - ``share_at_risk``: of the scored customers, those with ``p_churn`` or ``p_stagnation`` at or above the thresholds;
      NaN where none is scored; ``revenue_at_risk``: its sum; both NaN without risk columns
    - ``differences``: up to three largest standardised mean differences from the base, in words
    - ``rule``: what makes a customer belong, in words; ``strategy``: what the playbook suggests; where it is silent,
      the strategy of the RFM segment that at least half of the customers belong to

    Words are in the language spoken.

    Parameters
    ----------
    decisions : ``customer_id``, a column of labels for each scheme to show, and optionally ``p_churn``,
        ``p_stagnation``, ``revenue_at_risk``
    features : the same customers at the same as-of date
    rules : scheme -> the labels that it declares, in order, with their rules in words
    model : the found segments behind ``cluster_name``
    playbook : names and strategies; default the built-in one
    p_churn_from, p_stagnation_from : probabilities from which a customer is at risk; the first is where the band
        "high" begins

    Raises
    ------
    DataError : columns missing, customers not the same in both tables, or labels that their scheme does not declare
    """
    base = _base(decisions, features)
    scaled = told_features(features.sort_values("customer_id", ignore_index=True))
    base["is_at_risk"] = ((base["p_churn"] >= p_churn_from) | (base["p_stagnation"] >= p_stagnation_from)).where(
        base["p_churn"].notna()
    )
    described = base[[name for name in _DESCRIBED if name in base.columns]]
    described = described.astype({name: "category" for name in _TEXTS if name in described.columns})
    book = playbook if playbook is not None else built_in()
    rows = []
    for scheme, declared in _declared(rules, model):
        if scheme in base.columns:
            _check_labels(scheme, base[scheme], declared)
            places = {str(name): np.asarray(where) for name, where in base.groupby(scheme, sort=False).indices.items()}
            for segment, rule in _shown(declared, base[scheme]):
                where = places.get(segment, np.empty(0, dtype=np.intp))
                rows.append(_row(scheme, segment, described, scaled, where, book, rule))
    if not rows:
        raise DataError(f"decisions hold no column of labels; found {list(decisions.columns)}")
    return pd.DataFrame(rows)


def _base(decisions: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """Return labels, risk and the described features side by side, one row a customer, sorted."""
    check_columns(decisions, ["customer_id"], "profiles (decisions)")
    check_snapshot(features, ["customer_id", *_NEEDED], "profiles (features)")
    apart = set(decisions["customer_id"]) ^ set(features["customer_id"])
    if apart or decisions["customer_id"].duplicated().any():
        raise DataError(
            "decisions and features must hold the same customers, one row each; "
            f"{len(decisions)} and {len(features)} rows, {len(apart)} customers in one only"
        )
    own = features.reindex(columns=["customer_id", *_NEEDED, *_OPTIONAL])
    labels = decisions.drop(columns=[name for name in own.columns[1:] if name in decisions.columns])
    table = labels.merge(own, on="customer_id").sort_values("customer_id", ignore_index=True)
    return table.assign(**{name: np.nan for name in _RISK if name not in table.columns})


def _declared(rules: Mapping[str, Rules], model: ClusterModel | None) -> Iterator[tuple[str, Rules]]:
    """Yield each scheme's name, and its segments with their rules in words, in the order in which people read them."""
    yield from rules.items()
    yield CLUSTER_SCHEME, {} if model is None else model.rules()


def _check_labels(scheme: str, labels: pd.Series[str], rules: Rules) -> None:
    unknown = sorted(set(labels) - set(rules) - {NOT_ENOUGH_DATA})
    if unknown:
        raise DataError(
            f"decisions hold {scheme} labels {unknown[:3]}, which the scheme does not declare ({list(rules)}); "
            "pass the rules and the model they came from"
        )


def _shown(rules: Rules, labels: pd.Series[str]) -> list[tuple[str, str]]:
    unknown = _("what the rule needs is not known of these customers")
    return [*rules.items(), *([(NOT_ENOUGH_DATA, unknown)] if (labels == NOT_ENOUGH_DATA).any() else [])]


def _row(
    scheme: str,
    segment: str,
    base: pd.DataFrame,
    scaled: pd.DataFrame,
    places: NDArray[np.intp],
    book: Playbook,
    rule: str,
) -> dict[str, object]:
    members = base.take(places)
    return {
        "scheme": scheme,
        "segment": segment,
        "name": _called(scheme, segment, book),
        "customers": len(members),
        "customer_share": len(members) / len(base),
        **_money(members, base),
        **_margin(members, base),
        "typical_category": _typical(members["top_category"]),
        "typical_size": _typical_size(members, book),
        "typical_region": _typical(members["region"]),
        "share_at_risk": members["is_at_risk"].astype(float).mean(),
        "revenue_at_risk": members["revenue_at_risk"].sum() if base["revenue_at_risk"].notna().any() else np.nan,
        "differences": _told(scaled.take(places)),
        "rule": rule,
        "strategy": book.strategy(scheme, segment) or _borrowed(scheme, segment, members, book),
    }


def _called(scheme: str, segment: str, book: Playbook) -> str:
    name = book.name(scheme, segment)
    return told_name(name) if scheme == CLUSTER_SCHEME else name


def _money(members: pd.DataFrame, base: pd.DataFrame) -> dict[str, float]:
    revenue = members["revenue_365d"]
    return {
        "revenue": revenue.sum(),
        "revenue_share": _ratio(revenue.sum(), base["revenue_365d"].sum()),
        "revenue_mean": revenue.mean(),
        "revenue_median": revenue.median(),
        "order_value_mean": members["order_value_mean"].mean(),
        "orders_per_year": members["order_count_365d"].mean(),
    }


def _margin(members: pd.DataFrame, base: pd.DataFrame) -> dict[str, float]:
    known = members[members["margin_365d"].notna()]
    total = base["margin_365d"].sum()
    margin = known["margin_365d"].sum() if base["margin_365d"].notna().any() else np.nan
    return {
        "margin": margin,
        "margin_share": _ratio(margin, total),
        "margin_rate": _ratio(margin, known["revenue_365d"].sum()),
    }


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")


def _typical(values: pd.Series[str]) -> str:
    most_frequent = values.mode()  # sorted: equals do not depend on the order of rows
    return str(most_frequent.iloc[0]) if len(most_frequent) else ""


def _told(scaled: pd.DataFrame) -> str:
    if scaled.empty:
        return ""
    told = differences(scaled.mean().to_numpy(), list(scaled.columns), _DIFFERENCES_TOLD)
    return ", ".join(f"{difference.words} ({numerals(f'{difference.size:+.1f}')})" for difference in told)


def _borrowed(scheme: str, segment: str, members: pd.DataFrame, book: Playbook) -> str:
    """Return the strategy of the RFM segment that most of the customers belong to, for segments without their own."""
    if segment == NOT_ENOUGH_DATA or scheme == "rfm_segment" or "rfm_segment" not in members.columns:
        return ""
    most = _typical(members["rfm_segment"])
    strategy = book.strategy("rfm_segment", most)
    if not strategy:
        return ""
    share = float((members["rfm_segment"] == most).mean())
    if share < _MOST:
        return ""
    text = _("as for “{name}”, where {share:.0%} of them belong: {strategy}")
    return text.format(name=book.name("rfm_segment", most), share=share, strategy=strategy)


def _typical_size(members: pd.DataFrame, book: Playbook) -> str:
    if _SIZE not in members.columns:
        return ""
    known = members.loc[members[_SIZE] != NOT_ENOUGH_DATA, _SIZE]
    return book.name(_SIZE, _typical(known)) if len(known) else ""
