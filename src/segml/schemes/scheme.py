"""What every rule-based scheme promises: one label a customer, from declared columns, in declared words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import model_validator

from segml import schema
from segml.language import _
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.settings import Section

Labels = NDArray[np.object_]
Rules = dict[str, str]
"""Labels in the order in which people read them, each with the rule behind it in words."""


class Scheme(Section, ABC):
    """A rule that gives every customer exactly one label; its thresholds are its fields, and so the configuration.

    A new scheme is one file with a subclass, and one line in ``SegmentsConfig``. It declares ``column`` (where its
    labels stand), ``title`` and ``question`` for people, ``requires``; ``label`` holds the rule and ``rules`` tells it
    in words. A customer with an unknown value in a required column gets "not enough data"; ``label`` never sees it.

    >>> from segml.schemes import Abc
    >>> Abc(a_share=0.7).assign(pd.DataFrame({"revenue_365d": [70.0, 25.0, 5.0]})).tolist()
    ['A', 'B', 'C']
    """

    column: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    labels: ClassVar[tuple[str, ...]] = ()
    """All labels in order; empty where they come from the data (industries, regions), see ``declared``."""
    learns: ClassVar[tuple[str, ...]] = ()
    """Fields for cut points: empty or null, the scheme learns them anew of each base; given, they stand."""
    is_grid: ClassVar[bool] = False
    """True where the labels are the cells of two criteria and are read as a matrix, so that there may be many."""
    judges_unknown: ClassVar[bool] = False
    """True where ``label`` sees all customers, and decides itself what an unknown value means."""

    @property
    def name(self) -> str:
        """The column of the labels."""
        return self.column

    @property
    def criteria(self) -> int:
        """How many criteria are combined; beyond four, people lose the thread."""
        return 1

    @property
    def compares_customers(self) -> bool:
        """Whether a label depends on the other customers (quantiles, shares): not where all cut points are given."""
        return any(map(self._is_open, self.learns))

    @property
    @abstractmethod
    def requires(self) -> tuple[str, ...]:
        """Names of the columns that the rule cannot do without: features, or labels of schemes before this one."""

    @property
    def uses(self) -> tuple[str, ...]:
        """Names of the columns that make the rule sharper where they are there; ``label`` sees them as they are."""
        return ()

    @abstractmethod
    def label(self, known: pd.DataFrame) -> Labels:
        """Return the labels of customers whose required columns are all known; at least one row.

        Columns of ``uses`` that the table lacks are there too, all unknown.
        """

    @abstractmethod
    def rules(self) -> Rules:
        """Return the rule behind each label in words, with the thresholds in force."""

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the labels that this base can get, with their rules; more than ``rules`` only where data name them."""
        return self.rules()

    def details(self, features: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """Return further columns of decisions beside the label, such as a score, on the index of ``features``.

        A column whose name begins with ``_`` is for schemes after this one only, and does not get into decisions.
        """
        return {}

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the cut points by which these customers get the labels that they get by comparison, by field.

        Fields of ``learns`` of which the base tells nothing are left out. ``known`` is that of ``label``.
        """
        return {}

    def fixed(self, features: pd.DataFrame) -> Self:
        """Return the scheme with what it learns of these customers written into its fields: it compares no longer.

        These customers keep their labels; any other gets the one that belongs to its own values. A scheme that compares
        nobody returns itself, as does one to which the base tells nothing (nobody brings money, say).

        Parameters
        ----------
        features : as for ``assign``

        Raises
        ------
        DataError : columns missing, customers repeated, or more than one as-of date

        Examples
        --------
        >>> from segml.schemes import Abc
        >>> kept = Abc().fixed(pd.DataFrame({"revenue_365d": [80.0, 15.0, 5.0]}))
        >>> kept.a_from, kept.b_from
        (80.0, 15.0)
        >>> kept.assign(pd.DataFrame({"revenue_365d": [70.0, 20.0]})).tolist()
        ['B', 'B']
        """
        known = self.known(features)
        if not self.compares_customers or not len(known):
            return self
        given = {name: getattr(self, name) for name in self.learns if not self._is_open(name)}
        return type(self).model_validate({**dict(self), **self.learn(known), **given})

    def _is_open(self, field: str) -> bool:
        return getattr(self, field) in (None, ())

    def assign(self, features: pd.DataFrame) -> pd.Series[Any]:
        """Return one label a customer as an ordered categorical, never null, on the index of ``features``.

        Parameters
        ----------
        features : one row a customer at one as-of date, with the ``requires`` columns; ``customer_id`` and ``as_of``
            are checked where they are there

        Raises
        ------
        DataError : columns missing, customers repeated, or more than one as-of date
        """
        known = self.known(features)
        labels = np.full(len(features), NOT_ENOUGH_DATA, dtype=object)
        places = known.index.to_numpy()
        if len(known):
            labels[places] = self.label(known)
        order = [*self.declared(known), NOT_ENOUGH_DATA] if len(known) else [*self.labels, NOT_ENOUGH_DATA]
        return pd.Series(pd.Categorical(labels, order, ordered=True), index=features.index, name=self.name)

    def known(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return the customers whose required columns are all known, numbered by their place in ``features``.

        Raises
        ------
        DataError : columns missing, customers repeated, or more than one as-of date
        """
        check_snapshot(features, self.requires, f"scheme {self.name!r}")
        numbered = features.reset_index(drop=True)
        kept = numbered[is_known(numbered, self.requires)]
        absent = [column for column in self.uses if column not in kept.columns]
        return kept.assign(**dict.fromkeys(absent, np.nan)) if absent else kept


def is_known(table: pd.DataFrame, columns: Iterable[str]) -> NDArray[np.bool_]:
    """Tell which rows have a value in every column; the label "not enough data" is none."""
    known = np.ones(len(table), dtype=bool)
    for column in columns:
        known &= table[column].notna().to_numpy()
        if _is_text(table[column].dtype):
            known &= (table[column] != NOT_ENOUGH_DATA).to_numpy(dtype=bool, na_value=False)
    return known


def _is_text(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(dtype)


def check_snapshot(features: pd.DataFrame, columns: Iterable[str], reader: str) -> None:
    """Raise ``DataError`` unless the frame has the columns, and one row a customer at one as-of date."""
    check_columns(features, columns, reader)
    if "as_of" in features.columns and features["as_of"].nunique(dropna=False) > 1:
        found = ", ".join(str(moment) for moment in features["as_of"].unique()[:3])
        raise DataError(f"{reader} labels one as-of date at a time; found {found}: pass the rows of one date")
    if "customer_id" in features.columns and features["customer_id"].duplicated().any():
        twice = features.loc[features["customer_id"].duplicated(), "customer_id"].min()
        raise DataError(f"{reader} needs one row a customer; customer {twice!r} comes more than once")


def check_columns(table: pd.DataFrame, columns: Iterable[str], reader: str) -> None:
    """Raise ``DataError`` that names the columns which the frame lacks."""
    schema.check_columns(table.columns, columns, f"{reader} lacks")


def first_match(rules: Mapping[str, Any], otherwise: str) -> Labels:
    """Return, per customer, the first label whose condition holds, else ``otherwise``.

    >>> first_match({"small": np.array([True, False, True]), "odd": np.array([True, True, False])}, "rest").tolist()
    ['small', 'odd', 'small']
    """
    conditions = [np.asarray(condition) for condition in rules.values()]
    return np.select(conditions, list(rules), otherwise).astype(object)


class FromData(Scheme):
    """A scheme whose labels are values of a column, the most frequent ones by name; the others share one label.

    Subclasses name the column as ``source``. A value that nobody needs to know about does not get a segment of its own.
    Where ``values`` are given, these are the ones that go by name, however frequent.
    """

    source: ClassVar[str]
    rest: ClassVar[str] = "other"
    learns = ("values",)

    at_most: int = 7
    values: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _values_are_named_once(self) -> Self:
        twice = sorted({value for value in self.values if self.values.count(value) > 1})
        if twice:
            raise ValueError(f"values names {twice} more than once; keep one of each")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """The column."""
        return (self.source,)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the value itself where it goes by name."""
        values = known[self.source].astype("str")
        return np.where(values.isin(self._named(known)), values, self.rest).astype(object)

    def rules(self) -> Rules:
        """Return what is known before the data are seen: the values that are given, and the rest."""
        return {**self._told(self.values), self.rest: self._told_rest()}

    def declared(self, known: pd.DataFrame) -> Rules:
        """Return the values that go by name, the most frequent first."""
        named = self._named(known)
        has_rest = not known[self.source].astype("str").isin(named).all()
        return {**self._told(named), **({self.rest: self._told_rest()} if has_rest else {})}

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the most frequent values."""
        return {"values": self._named(known)}

    def _named(self, known: pd.DataFrame) -> tuple[str, ...]:
        if self.values:
            return self.values
        counts = known[self.source].astype("str").value_counts()
        return tuple(sorted(counts.index, key=lambda value: (-counts[value], value))[: self.at_most])

    def _told(self, values: Iterable[str]) -> Rules:
        return {value: f"{self.source} = {value}" for value in values}

    def _told_rest(self) -> str:
        if self.values:
            return _("any other value")
        return _("any further value, beyond the {count} most frequent").format(count=self.at_most)
