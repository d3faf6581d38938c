"""What every rule-based scheme promises: one label a customer, from declared columns, in declared words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from segml import schema
from segml.schema import NOT_ENOUGH_DATA, DataError

Labels = NDArray[np.object_]


class Scheme(ABC):
    """A rule that gives every customer exactly one label.

    A new scheme is one file with a subclass: it declares ``name`` (the column of its labels), ``labels`` in the order
    in which people read them, and ``requires``; ``label`` holds the rule and ``rules`` tells it in words. A customer
    with an unknown value in a required column gets "not enough data"; ``label`` never sees it.
    """

    name: ClassVar[str]
    labels: ClassVar[tuple[str, ...]]
    compares_customers: ClassVar[bool] = False
    """True where a label depends on the other customers (quantiles, shares), so that a small base tells little."""

    @property
    @abstractmethod
    def requires(self) -> tuple[str, ...]:
        """Names of the feature columns that the rule reads."""

    @abstractmethod
    def label(self, known: pd.DataFrame) -> Labels:
        """Return the labels of customers whose required columns are all known; at least one row."""

    @abstractmethod
    def rules(self) -> dict[str, str]:
        """Return the rule behind each label in words, with the thresholds in force."""

    def assign(self, features: pd.DataFrame) -> pd.Series[str]:
        """Return one label a customer, never null, on the index of ``features``.

        Parameters
        ----------
        features : one row a customer at one as-of date: ``customer_id``, ``as_of`` and the ``requires`` columns

        Raises
        ------
        DataError : columns missing, customers repeated, or more than one as-of date
        """
        labels = label_known(features, self.requires, f"scheme {self.name!r}", self.label)
        return labels.rename(self.name)


def label_known(
    features: pd.DataFrame, columns: Sequence[str], reader: str, label: Callable[[pd.DataFrame], Labels]
) -> pd.Series[str]:
    """Return ``label`` of the customers whose columns are all known, and "not enough data" for the others."""
    check_snapshot(features, columns, reader)
    is_known = features[list(columns)].notna().all(axis=1).to_numpy()
    labels = np.full(len(features), NOT_ENOUGH_DATA, dtype=object)
    if is_known.any():
        labels[is_known] = label(features[is_known])
    return pd.Series(labels, index=features.index, dtype="str")


def check_snapshot(features: pd.DataFrame, columns: Iterable[str], reader: str) -> None:
    """Raise ``DataError`` unless the frame has the columns, and one row a customer at one as-of date."""
    check_columns(features, ["customer_id", "as_of", *columns], reader)
    if features["as_of"].nunique(dropna=False) > 1:
        found = ", ".join(str(moment) for moment in features["as_of"].unique()[:3])
        raise DataError(f"{reader} labels one as-of date at a time; found {found}: pass the rows of one date")
    if features["customer_id"].duplicated().any():
        twice = features.loc[features["customer_id"].duplicated(), "customer_id"].min()
        raise DataError(f"{reader} needs one row a customer; customer {twice!r} comes more than once")


def check_columns(table: pd.DataFrame, columns: Iterable[str], reader: str) -> None:
    """Raise ``DataError`` that names the columns which the frame lacks."""
    schema.check_columns(table.columns, columns, f"{reader} lacks")


def first_match(rules: dict[str, Any], otherwise: str) -> Labels:
    """Return, per customer, the first label whose condition holds, else ``otherwise``.

    >>> first_match({"small": np.array([True, False, True]), "odd": np.array([True, True, False])}, "rest").tolist()
    ['small', 'odd', 'small']
    """
    conditions = [np.asarray(condition) for condition in rules.values()]
    return np.select(conditions, list(rules), otherwise).astype(object)
