"""The sufficiency gate: is there enough to segment at all, and are the segments any use?

Nothing is refused here. Each caution states the figure, the limit, and what to do about it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd
from scipy.stats import kruskal

from segml.config import GateConfig, SegmentsConfig
from segml.language import _, ngettext
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import Scheme
from segml.segments.playbook import Playbook, built_in
from segml.segments.rules import RuleLabels

Code = Literal[
    "few_customers",
    "stale_data",
    "short_history",
    "many_segments",
    "small_segment",
    "dominant_segment",
    "many_criteria",
    "no_difference",
]


@dataclass(frozen=True)
class Caution:
    """One warning: what about, the figure behind it, and in words what to do.

    Attributes
    ----------
    scheme, segment : what it is about; "" where it is about the whole base, or the whole scheme
    figure : customers, days, segments, share or criteria, as the code says
    """

    code: Code
    scheme: str
    segment: str
    figure: float
    message: str


def base_cautions(
    customers: int, *, silent_days: float, history_days: float, config: SegmentsConfig
) -> tuple[Caution, ...]:
    """Return what there is to say against segmenting this base at all.

    Parameters
    ----------
    customers : size of the base
    silent_days : from the last line of the log to the moment at which the segments are used
    history_days : from the first purchase to the as-of date
    """
    cautions = []
    if customers < config.min_customers:
        told = ngettext("{n} customer", "{n} customers", customers).format(n=customers)
        advice = _("fewer than {least}: segments of so few tell little; look at each customer, and go by lifecycle")
        cautions.append(_caution("few_customers", customers, f"{told}, {advice.format(least=config.min_customers)}"))
    if silent_days > config.gate.stale_days:
        text = _(
            "the last line is {days:,.0f} days old, more than {most}: customers look more silent than they are; load "
            "newer data"
        )
        cautions.append(_caution("stale_data", silent_days, text.format(days=silent_days, most=config.gate.stale_days)))
    if history_days < config.gate.min_history_days:
        text = _(
            "the log covers {days:,.0f} days, less than {least}: growth and seasons cannot be told; load a longer log"
        )
        message = text.format(days=history_days, least=config.gate.min_history_days)
        cautions.append(_caution("short_history", history_days, message))
    return tuple(cautions)


def scheme_cautions(
    labels: RuleLabels, base: pd.DataFrame, config: SegmentsConfig, playbook: Playbook | None = None
) -> tuple[Caution, ...]:
    """Return what there is to say against each scheme.

    Parameters
    ----------
    labels : the schemes with their labels
    base : ``customer_id``, ``revenue_365d`` and ``order_count_365d`` of the same customers
    playbook : names of segments; default the built-in one
    """
    book = playbook if playbook is not None else built_in()
    told = labels.table.merge(base[["customer_id", "revenue_365d", "order_count_365d"]], on="customer_id")
    # Of so few customers the base's own caution tells enough.
    enough = [
        scheme for scheme in labels.schemes if (told[scheme.name] != NOT_ENOUGH_DATA).sum() >= config.min_customers
    ]
    return tuple(caution for scheme in enough for caution in _of_scheme(scheme, told, config.gate, book))


def as_tags(cautions: Iterable[Caution]) -> dict[str, str]:
    """Return cautions as tags that programs read: ``caution.<code>`` -> JSON of scheme, segment and figure."""
    by_code: dict[str, list[dict[str, object]]] = {}
    for caution in cautions:
        facts = {name: value for name, value in asdict(caution).items() if name in {"scheme", "segment", "figure"}}
        by_code.setdefault(f"caution.{caution.code}", []).append(facts)
    return {code: json.dumps(facts, ensure_ascii=False) for code, facts in by_code.items()}


def _of_scheme(scheme: Scheme, told: pd.DataFrame, config: GateConfig, book: Playbook) -> list[Caution]:
    known = told[told[scheme.name] != NOT_ENOUGH_DATA]
    sizes = known.groupby(scheme.name)["revenue_365d"].agg(["size", "sum"]).sort_index()
    return [
        *_many(scheme, sizes, config),
        *_small(scheme, sizes, config, book),
        *_dominant(scheme, sizes, config, book),
        *_criteria(scheme, config),
        *_alike(scheme, known, config),
    ]


def _many(scheme: Scheme, sizes: pd.DataFrame, config: GateConfig) -> list[Caution]:
    if scheme.is_grid or len(sizes) <= config.max_segments:
        return []
    text = _("{count} segments, more than {most}: nobody can serve so many differently; use fewer or broader criteria")
    message = text.format(count=len(sizes), most=config.max_segments)
    return [_caution("many_segments", len(sizes), message, scheme.name)]


def _small(scheme: Scheme, sizes: pd.DataFrame, config: GateConfig, book: Playbook) -> list[Caution]:
    """Warn of segments too small to serve, unless much revenue hangs on them; cells of a grid are read together."""
    if scheme.is_grid:
        return []
    customers, revenue = sizes["size"] / sizes["size"].sum(), _shares(sizes["sum"].clip(lower=0))
    text = _(
        "“{segment}” has {share:.1%} of customers and {money:.1%} of revenue, under {least:.0%} and {money_least:.0%}: "
        "too small to serve on its own; merge it"
    )
    limits = {"least": config.min_segment_share, "money_least": config.min_segment_revenue_share}
    return [
        _caution(
            "small_segment",
            float(customers[name]),
            text.format(
                segment=book.name(scheme.name, str(name)), share=customers[name], money=revenue[name], **limits
            ),
            scheme.name,
            str(name),
        )
        for name in sizes.index
        if customers[name] < config.min_segment_share and revenue[name] < config.min_segment_revenue_share
    ]


def _shares(money: pd.Series[float]) -> pd.Series[float]:
    """Return shares of the total; nobody has one where there is no money."""
    return money / money.sum() if money.sum() > 0 else money * 0.0


def _dominant(scheme: Scheme, sizes: pd.DataFrame, config: GateConfig, book: Playbook) -> list[Caution]:
    shares = sizes["size"] / sizes["size"].sum()
    largest = str(shares.idxmax())
    if shares[largest] < config.dominant_share:
        return []
    text = _(
        "“{segment}” holds {share:.0%} of customers, {most:.0%} or more: the scheme hardly divides them; move its "
        "thresholds"
    )
    message = text.format(segment=book.name(scheme.name, largest), share=shares[largest], most=config.dominant_share)
    return [_caution("dominant_segment", float(shares[largest]), message, scheme.name, largest)]


def _criteria(scheme: Scheme, config: GateConfig) -> list[Caution]:
    if scheme.criteria <= config.max_criteria:
        return []
    text = _(
        "{count} criteria at a time, more than {most}: few can act on such segments; take the strongest two to four"
    )
    message = text.format(count=scheme.criteria, most=config.max_criteria)
    return [_caution("many_criteria", scheme.criteria, message, scheme.name)]


def _alike(scheme: Scheme, known: pd.DataFrame, config: GateConfig) -> list[Caution]:
    """Warn where segments differ neither in revenue nor in number of orders (Kruskal & Wallis 1952)."""
    p = min(_p_value(known, scheme.name, column) for column in ("revenue_365d", "order_count_365d"))
    if p < config.difference_p_value:
        return []
    text = _(
        "no sign that segments differ in revenue or orders (Kruskal–Wallis p = {p:.3f}, {most} or more): treat them "
        "alike"
    )
    return [_caution("no_difference", p, text.format(p=p, most=config.difference_p_value), scheme.name)]


def _p_value(known: pd.DataFrame, scheme: str, column: str) -> float:
    groups: Sequence[pd.Series[float]] = [values for _name, values in known.groupby(scheme)[column] if len(values)]
    if len(groups) < 2:
        return 0.0  # the scheme does not divide: another caution tells that
    if known[column].nunique() < 2:
        return 1.0  # the statistic is undefined where all values are equal
    return float(kruskal(*groups).pvalue)


def _caution(code: Code, figure: float, message: str, scheme: str = "", segment: str = "") -> Caution:
    return Caution(code, scheme, segment, float(figure), message)


def messages_by_scheme(cautions: Iterable[Caution]) -> Mapping[str, list[str]]:
    """Return the messages about each scheme."""
    messages: dict[str, list[str]] = {}
    for caution in cautions:
        messages.setdefault(caution.scheme, []).append(caution.message)
    return messages
