"""Segments in rules that people can apply by hand: a small decision tree on features in their own units.

The tree imitates the clusterer; how well is measured on customers it has not seen. Its thresholds are rounded before
anything is measured, so what is printed is what was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.tree import DecisionTreeClassifier

from segml.clusters.conditions import Condition
from segml.language import _
from segml.schema import DataError

FOLDS = 5
ROUNDING_COST = 0.005
"""Share of customers whose segment may be lost to rounder thresholds."""

_MOST_DIGITS = 12
_MOST_VALUES = 10

Codes = NDArray[np.intp]
Box = dict[int, Condition]


@dataclass(frozen=True)
class Leaf:
    """One rule of a segment: conditions that hold together.

    Attributes
    ----------
    segment : the label that it stands for
    conditions : at most one a number, in the order of the features
    said : those that exclude anybody among the customers of the fit, beside the others
    customers : customers of the fit whom it holds for
    share : share of the segment whom it holds for
    purity : share of those whom it holds for that belong to the segment
    """

    segment: Any
    conditions: tuple[Condition, ...]
    said: tuple[Condition, ...] = ()
    customers: int = 0
    share: float = 0.0
    purity: float = 0.0

    def holds(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return whether the rule holds for each customer (rows)."""
        return _hold(self.conditions, features)

    def told(self) -> str:
        """Return the rule in words, in the language spoken."""
        return _(" and ").join(condition.told() for condition in self.said) or _("every customer")


@dataclass(frozen=True)
class Surrogate:
    """A tree's rules for segments, and how far they can stand for the clusterer.

    Attributes
    ----------
    segments : the labels, sorted
    leaves : rules of all segments, those of most customers first; every customer is in exactly one
    fidelity : share of customers to whom trees that have not seen them give their segment (cross-validated)
    fidelity_in_sample : the same for these very rules and the customers they were made from
    recalls : per segment, the share of its customers who get it (cross-validated)
    """

    segments: tuple[Any, ...]
    leaves: tuple[Leaf, ...]
    fidelity: float
    fidelity_in_sample: float
    recalls: Mapping[Any, float]

    @property
    def worst_segment(self) -> Any:
        """The segment that the rules find worst."""
        return min(self.segments, key=lambda segment: self.recalls[segment])

    @property
    def worst_recall(self) -> float:
        """The recall of the worst segment."""
        return self.recalls[self.worst_segment]

    def predict(self, features: pd.DataFrame) -> NDArray[Any]:
        """Return the segment that the rules give each customer (rows), from the columns of the fit."""
        return _given(self.leaves, features)

    def rules(self) -> dict[Any, str]:
        """Return each segment's rules in words, in the language spoken, those of most customers first."""
        return {segment: self._rule(segment) for segment in self.segments}

    def to_table(self) -> pd.DataFrame:
        """Return ``segment, rule, share, purity``, one row a rule; segments in order, larger rules first."""
        rows = [
            (leaf.segment, leaf.told(), leaf.share, leaf.purity)
            for segment in self.segments
            for leaf in self._leaves_of(segment)
        ]
        return pd.DataFrame(rows, columns=["segment", "rule", "share", "purity"])

    def summary(self, name: Callable[[Any], str] = str) -> str:
        """Return in one sentence how far the rules can stand for the segments; ``name`` calls them."""
        text = _(
            "The rules give {fidelity:.0%} of customers they were not made from their segment; "
            "of segment {segment} they find fewest, {recall:.0%}."
        )
        return text.format(fidelity=self.fidelity, segment=name(self.worst_segment), recall=self.worst_recall)

    def _leaves_of(self, segment: Any) -> list[Leaf]:
        return [leaf for leaf in self.leaves if leaf.segment == segment and leaf.customers]

    def _rule(self, segment: Any) -> str:
        told = _("{rule} ({share:.0%} of the segment; right for {purity:.0%})")
        rules = [
            told.format(rule=leaf.told(), share=leaf.share, purity=leaf.purity) for leaf in self._leaves_of(segment)
        ]
        return _("; or ").join(rules) or _("no simple rule finds this segment")


def explain_by_tree(
    features: pd.DataFrame, labels: ArrayLike, *, max_leaves: int | None = None, seed: int = 0
) -> Surrogate:
    """Return rules on raw features that imitate a clusterer's labels.

    A decision tree, not weighted by class: on Online Retail II it follows more customers than a balanced one, and finds
    the worst segment no worse. Splits that both lead to one segment are merged. Unknown numbers go where the tree sends
    them, and a rule says so where there were any; an unknown text is none of the values. Neither the order of rows nor
    that of equal splits matters.

    Parameters
    ----------
    features : (customers, features) in units that people know; numbers (NaN allowed) or text, of which the ten most
        frequent values are told apart
    labels : segment of each row
    max_leaves : of the tree; default twice the number of segments
    seed : of the folds and of the tree

    Raises
    ------
    DataError : no features or customers, names that repeat, infinite numbers, lengths that differ, unknown labels, or
        fewer leaves than segments
    """
    wanted = _checked(features, labels, max_leaves)
    segments, codes = np.unique(wanted, return_inverse=True)
    leaves = 2 * len(segments) if max_leaves is None else max_leaves
    columns = _columns(features)
    order = np.lexsort([codes, *_matrix(columns, features).T])
    ordered, codes = features.iloc[order].reset_index(drop=True), codes[order]
    told = _cross_validated(columns, ordered, codes, leaves, seed)
    rules = _grown(columns, ordered, codes, leaves, seed)
    return Surrogate(
        tuple(segments.tolist()),
        _described(rules, ordered, codes, segments.tolist()),
        float(np.mean(told == codes)),
        float(np.mean(_given(rules, ordered) == codes)),
        {segment: float(np.mean(told[codes == code] == code)) for code, segment in enumerate(segments.tolist())},
    )


def _checked(features: pd.DataFrame, labels: ArrayLike, max_leaves: int | None) -> NDArray[Any]:
    wanted = np.asarray(labels)
    if not all(isinstance(name, str) for name in features.columns) or not features.columns.is_unique:
        raise DataError(f"features need names that are text and differ; found {list(features.columns)}")
    if len(features) < 2 or features.shape[1] == 0:
        raise DataError(f"a tree needs features of at least two customers; found a table of {features.shape}")
    if wanted.shape != (len(features),):
        raise DataError(f"one label a customer is needed; found {len(features)} customers and labels {wanted.shape}")
    if pd.isna(wanted).any():
        raise DataError(f"{int(pd.isna(wanted).sum())} labels are unknown; leave those customers out")
    segments = len(np.unique(wanted))
    if max_leaves is not None and max_leaves < max(segments, 2):
        raise DataError(f"max_leaves is {max_leaves}; {segments} segments need at least {max(segments, 2)}")
    return wanted


def _is_number(values: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _columns(features: pd.DataFrame) -> list[Condition]:
    """Return what the tree may split on, as conditions that ask nothing yet: a number, or one value of a text."""
    columns = []
    for name in features.columns:
        if _is_number(features[name]):
            columns.append(_number(features[name]))
        else:
            frequent = features[name].value_counts().rename_axis("value").reset_index()
            kept = frequent.sort_values(["count", "value"], ascending=[False, True])["value"].head(_MOST_VALUES)
            columns += [Condition(name, value, is_whole=True) for value in kept]
    if not columns:
        raise DataError(f"a tree needs known features; {list(features.columns)} have no value at all")
    return columns


def _number(values: pd.Series[Any]) -> Condition:
    known = values.dropna().to_numpy(dtype="float64")
    if np.isinf(known).any():
        raise DataError(f"{values.name} has {int(np.isinf(known).sum())} infinite numbers; make them finite or unknown")
    is_whole = bool((known == np.floor(known)).all())
    return Condition(str(values.name), is_whole=is_whole, has_unknown=len(known) < len(values))


def _matrix(columns: Sequence[Condition], features: pd.DataFrame) -> NDArray[np.float64]:
    return np.column_stack([_values(column, features) for column in columns])


def _values(column: Condition, features: pd.DataFrame) -> NDArray[np.float64]:
    if column.value is not None:
        return replace(column, low=1.0).holds(features).astype("float64")
    return features[column.feature].to_numpy(dtype="float64", na_value=np.nan)


def _cross_validated(
    columns: Sequence[Condition], features: pd.DataFrame, codes: Codes, leaves: int, seed: int
) -> Codes:
    """Return the segment that rules made without a customer's fold give it."""
    folds = _folds(codes, seed)
    told = np.empty_like(codes)
    for fold in np.unique(folds):
        is_out = folds == fold
        rules = _grown(columns, features[~is_out], codes[~is_out], leaves, seed)
        told[is_out] = _given(rules, features[is_out])
    return told


def _folds(codes: Codes, seed: int) -> Codes:
    """Return the fold of each customer, so that each segment spreads over the folds as evenly as it can."""
    shuffled = np.random.default_rng(seed).permutation(len(codes))
    folds = np.empty_like(codes)
    folds[shuffled[np.argsort(codes[shuffled], kind="stable")]] = np.arange(len(codes)) % FOLDS
    return folds


def _grown(
    columns: Sequence[Condition], features: pd.DataFrame, codes: Codes, leaves: int, seed: int
) -> tuple[Leaf, ...]:
    """Return the rules of a tree, with the roundest thresholds that cost next to nothing."""
    matrix = _matrix(columns, features)
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=seed).fit(matrix, codes)
    needed = float((tree.predict(matrix) == codes).mean()) - ROUNDING_COST
    whole = np.array([column.is_whole for column in columns])[np.maximum(tree.tree_.feature, 0)]
    for digits in range(1, _MOST_DIGITS + 1):
        cuts = _rounded(tree.tree_.threshold, whole, digits)
        rules = tuple(_branch(tree, cuts, 0, {}, columns))
        if (_given(rules, features) == codes).mean() >= needed:
            break
    return rules


def _rounded(thresholds: NDArray[np.float64], is_whole: NDArray[np.bool_], digits: int) -> NDArray[np.float64]:
    """Return the numbers below which customers go left, where the tree asks for at most a threshold."""
    cuts = np.where(is_whole, np.ceil(thresholds), thresholds)
    return np.array([float(f"{cut:.{digits}g}") for cut in cuts])


def _branch(
    tree: DecisionTreeClassifier, cuts: NDArray[np.float64], node: int, box: Box, columns: Sequence[Condition]
) -> list[Leaf]:
    """Return the leaves under a node; two of the same segment side by side are one, and impossible ones none."""
    if any(condition.is_impossible for condition in box.values()):
        return []
    nodes = tree.tree_
    segment = int(tree.classes_[nodes.value[node, 0].argmax()])
    joined = [Leaf(segment, tuple(box[column] for column in sorted(box)))]
    if nodes.children_left[node] < 0:
        return joined
    column, goes_left = int(nodes.feature[node]), bool(nodes.missing_go_to_left[node])
    asked, cut = box.get(column, columns[column]), float(cuts[node])
    low = replace(asked, high=min(asked.high, cut), with_unknown=asked.with_unknown and goes_left)
    high = replace(asked, low=max(asked.low, cut), with_unknown=asked.with_unknown and not goes_left)
    left = _branch(tree, cuts, int(nodes.children_left[node]), box | {column: low}, columns)
    right = _branch(tree, cuts, int(nodes.children_right[node]), box | {column: high}, columns)
    if len(left) == len(right) == 1 and left[0].segment == right[0].segment:
        return [replace(joined[0], segment=left[0].segment)]
    return left + right


def _hold(conditions: Sequence[Condition], features: pd.DataFrame) -> NDArray[np.bool_]:
    inside = np.ones(len(features), dtype=bool)
    for condition in conditions:
        inside &= condition.holds(features)
    return inside


def _leaf_of(leaves: Sequence[Leaf], features: pd.DataFrame) -> Codes:
    """Return the place of the leaf that each customer is in."""
    places = np.zeros(len(features), dtype=np.intp)
    for place, leaf in enumerate(leaves):
        places[leaf.holds(features)] = place
    return places


def _given(leaves: Sequence[Leaf], features: pd.DataFrame) -> NDArray[Any]:
    return np.array([leaf.segment for leaf in leaves])[_leaf_of(leaves, features)]


def _needed(conditions: tuple[Condition, ...], features: pd.DataFrame) -> tuple[Condition, ...]:
    """Return the conditions without those that exclude nobody beside the others, so that rules stay short."""
    inside, needed = _hold(conditions, features), conditions
    for condition in conditions:
        others = tuple(other for other in needed if other is not condition)
        if np.array_equal(_hold(others, features), inside):
            needed = others
    return needed


def _described(rules: Sequence[Leaf], features: pd.DataFrame, codes: Codes, segments: list[Any]) -> tuple[Leaf, ...]:
    """Return the rules with the segments' labels and with what they hold for, the largest first."""
    places = _leaf_of(rules, features)
    told = []
    for place, rule in enumerate(rules):
        members = codes[places == place] == rule.segment
        share = float(members.sum() / (codes == rule.segment).sum())
        purity = float(members.mean()) if len(members) else 0.0
        said = _needed(rule.conditions, features)
        segment = segments[rule.segment]
        told.append(Leaf(segment, rule.conditions, said, len(members), share, purity))
    return tuple(sorted(told, key=lambda leaf: -leaf.customers))
