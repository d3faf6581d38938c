"""All rule-based schemes of a configuration, and their labels side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml.config import SegmentsConfig
from segml.features import source_of
from segml.language import _
from segml.schema import NOT_ENOUGH_DATA, DataError, did_you_mean
from segml.schemes import Nested, Scheme
from segml.schemes.named import Named
from segml.schemes.scheme import Rules

CORE = ("lifecycle", "rfm_segment", "abc", "xyz", "tier")
"""Schemes that every table of decisions has; the others are on where the data carry their columns."""


@dataclass(frozen=True)
class RuleLabels:
    """Labels of all rule-based schemes, and what the reader should know about them.

    Attributes
    ----------
    table : one row a customer, sorted by ``customer_id``: the label of each scheme and its details; labels are text,
        none null
    schemes : the schemes that are on, in the order of their columns
    rules : the labels each of them can give on this base, in order, with the rule in words
    off : the schemes that are off, and why
    """

    table: pd.DataFrame
    schemes: tuple[Scheme, ...]
    rules: Mapping[str, Rules]
    off: Mapping[str, str]

    def categorical(self) -> pd.DataFrame:
        """Return the table with the labels of each scheme as an ordered categorical."""
        orders = {name: dict.fromkeys([*rules, NOT_ENOUGH_DATA]) for name, rules in self.rules.items()}
        return self.table.astype(
            {name: pd.CategoricalDtype(list(order), ordered=True) for name, order in orders.items()}
        )


def schemes(config: SegmentsConfig) -> tuple[Scheme, ...]:
    """Return the rule-based schemes with their thresholds, in the order in which they are applied.

    A scheme may read the labels of those before it; custom and nested ones come last.
    """
    return (*config.built_in(), *config.own_schemes())


def assign_rules(features: pd.DataFrame, config: SegmentsConfig, *, is_strict: bool = True) -> RuleLabels:
    """Return one row a customer and one label a scheme that is on.

    Parameters
    ----------
    features : one row a customer at one as-of date, with all that is known: features, described columns, scores
    config : thresholds, and ``schemes``: which schemes are asked for beyond the core ones (null: all that can)
    is_strict : False turns a scheme that was asked for, and whose columns are not there, off instead of raising

    Raises
    ------
    DataError : a core scheme, or one that was asked for, lacks columns; customers repeated; more than one as-of date
    """
    known = features.sort_values("customer_id", ignore_index=True)
    table = known[["customer_id"]].astype("str")
    rules: dict[str, Rules] = {}
    off: dict[str, str] = {}
    tried = wanted(config)
    for scheme in tried:
        lacking = _lacking(known, scheme)
        if scheme.name in CORE:
            _refuse_unserved(scheme, lacking, is_strict=is_strict)
        elif lacking:
            off[scheme.name] = _why_off(lacking, off)
            if is_strict:
                _let_tell_unknown_names(scheme, known, lacking, off)
            continue
        columns = _columns(scheme, known)
        shown = {name: column for name, column in columns.items() if not name.startswith("_")}
        table = table.assign(**shown).astype({scheme.name: "str"})
        known = known.assign(**columns)
        rules[scheme.name] = _declared(scheme, known)
    if is_strict:
        _refuse_missing(off, asked_for(config))
    return RuleLabels(table, tuple(scheme for scheme in tried if scheme.name in rules), rules, off)


def _refuse_unserved(core: Scheme, lacking: list[str], *, is_strict: bool) -> None:
    """Raise where the configuration makes a core scheme read what the data do not tell, such as ABC a margin."""
    unserved = [name for name in lacking if source_of(name)]
    if unserved and is_strict:
        raise DataError(
            f"the configuration makes {core.name!r} read {unserved[0]}, which the data do not tell; give "
            f"{source_of(unserved[0])}, or take that setting back"
        )


def _columns(scheme: Scheme, known: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """Return a scheme's labels and details by column."""
    if scheme.name in known.columns:
        raise DataError(
            f"a column of the features has the name of the scheme {scheme.name!r}; rename the column, or the scheme"
        )
    return {scheme.name: scheme.assign(known), **scheme.details(known)}


def _let_tell_unknown_names(scheme: Scheme, known: pd.DataFrame, lacking: list[str], off: Mapping[str, str]) -> None:
    """Raise where a scheme of the configuration reads a name that nothing could give; it tells the place."""
    if isinstance(scheme, Named) and not any(name in off or source_of(name) for name in lacking):
        scheme.known(known)


def _declared(scheme: Scheme, features: pd.DataFrame) -> Rules:
    """Return the labels that a scheme can give on this base; what its rules say where they know nobody."""
    known = scheme.known(features)
    return scheme.declared(known) if len(known) else scheme.rules()


def fixed(config: SegmentsConfig, features: pd.DataFrame) -> SegmentsConfig:
    """Return the configuration with the cut points that its schemes learn of this base written into it.

    The base keeps its labels, and customers of another date get theirs by the same cut points: what then differs, the
    customers changed. A scheme that is off on this base stays as it is. Features that rest on the whole base themselves
    (``gap_shrunk_days``, ``affinity_lift``) are data, not cut points.

    Parameters
    ----------
    features : as for ``assign_rules``, with the scores that rules read
    config : thresholds

    Raises
    ------
    DataError : a core scheme lacks columns; customers repeated; more than one as-of date

    Examples
    --------
    >>> base = pd.DataFrame({"customer_id": ["a", "b", "c"], "revenue_365d": [80.0, 15.0, 5.0], "revenue_cv": 0.2})
    >>> base = base.assign(as_of=pd.Timestamp("2025-07-01"), recency_days=[3, 9, 80], tenure_days=900)
    >>> base = base.assign(order_count_365d=[9, 2, 1], revenue_90d=9.0, run_rate_daily=0.1, revenue_365d_previous=50.0)
    >>> fixed(SegmentsConfig(), base).abc.a_from
    80.0
    """
    known, kept = features, []
    for scheme in wanted(config):
        if scheme.name in CORE or not _lacking(known, scheme):
            kept.append(scheme.fixed(known))
            known = known.assign(**_columns(kept[-1], known))
    return _with_schemes(config, kept)


def _with_schemes(config: SegmentsConfig, given: Iterable[Scheme]) -> SegmentsConfig:
    """Return the configuration with these schemes in the place of those of the same name."""
    by_name = {scheme.name: scheme for scheme in given}
    declared = dict(config)
    built_in = {
        field: by_name.get(scheme.name, scheme) for field, scheme in declared.items() if isinstance(scheme, Scheme)
    }
    nested = {name: scheme.given for name, scheme in by_name.items() if isinstance(scheme, Nested)}
    return type(config).model_validate({**declared, **built_in, "nested": {**config.nested, **nested}})


def label(features: pd.DataFrame, scheme: str, config: SegmentsConfig | None = None) -> pd.Series[Any]:
    """Return the labels of one scheme as an ordered categorical on the index of ``features``.

    Labels of schemes that it rests on are found on the way. A scheme that rests on none is also an object of its own:
    ``Abc(a_share=0.7).assign(features)``.

    Parameters
    ----------
    features : one row a customer, with the columns that these schemes require
    scheme : name of the column of its labels, such as "abc_xyz"
    config : thresholds; default the built-in ones

    Raises
    ------
    DataError : no such scheme, or columns missing

    Examples
    --------
    >>> customers = pd.DataFrame({"revenue_365d": [80.0, 15.0, 5.0], "revenue_cv": [0.2, 0.7, 2.0]})
    >>> label(customers, "abc_xyz").tolist()
    ['AX', 'BY', 'CZ']
    """
    everything = schemes(config if config is not None else SegmentsConfig())
    names = [each.name for each in everything]
    if scheme not in names:
        raise DataError(f"there is no scheme {scheme!r}{did_you_mean(scheme, names)}; known: {', '.join(names)}")
    known = features
    for each in _with_prerequisites({scheme}, everything):
        known = known.assign(**_columns(each, known))
    return known[scheme]


def asked_for(config: SegmentsConfig) -> frozenset[str]:
    """Return the schemes that the configuration names, custom and nested ones included."""
    return frozenset((*(config.schemes or ()), *config.custom, *config.nested))


def wanted(config: SegmentsConfig) -> tuple[Scheme, ...]:
    """Return the schemes to try, in order: all, or the core ones, those asked for, and those that these rest on."""
    everything = schemes(config)
    if config.schemes is None:
        return everything
    return _with_prerequisites({*CORE, *asked_for(config)}, everything)


def _with_prerequisites(names: Iterable[str], everything: tuple[Scheme, ...]) -> tuple[Scheme, ...]:
    """Return these schemes and all that they rest on, in order."""
    needed = set(names)
    for scheme in reversed(everything):  # a scheme rests only on those before it
        needed |= set(scheme.requires) if scheme.name in needed else set()
    return tuple(scheme for scheme in everything if scheme.name in needed)


def _refuse_missing(off: Mapping[str, str], asked: frozenset[str]) -> None:
    missing = [name for name in off if name in asked]
    if missing:
        told = "; ".join(f"{name!r}: {off[name]}" for name in missing)
        raise DataError(f"the configuration asks for schemes that the data cannot serve: {told}")


def _lacking(known: pd.DataFrame, scheme: Scheme) -> list[str]:
    """Return the columns that are not there, or hold nothing at all where the scheme makes nothing of that."""
    absent = [name for name in scheme.requires if name not in known.columns]
    if scheme.judges_unknown or not len(known):
        return absent
    return [name for name in scheme.requires if name in absent or known[name].isna().all()]


def _why_off(lacking: list[str], off: Mapping[str, str]) -> str:
    chained = [name for name in lacking if name in off]
    if chained:
        return _("it rests on {scheme}, which is off: {reason}").format(scheme=chained[0], reason=off[chained[0]])
    hints = dict.fromkeys(_(hint) for name in lacking if (hint := source_of(name)))
    needed = ", ".join(lacking)
    if not hints:
        return _("the data do not tell {columns}").format(columns=needed)
    return _("the data do not tell {columns}; give {sources}").format(columns=needed, sources="; ".join(hints))
