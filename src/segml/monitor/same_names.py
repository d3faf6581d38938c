"""Which segment of a newly learnt model is which of the previous one, so that a new name alone is no move."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from segml.clusters import NOISE, match
from segml.language import _
from segml.schema import NOT_ENOUGH_DATA
from segml.segments.words import NO_CLEAR_SEGMENT, ONE_PURCHASE

BY_RULE = (NOT_ENOUGH_DATA, ONE_PURCHASE, NO_CLEAR_SEGMENT)
"""Names that mean the same under any model."""


@dataclass(frozen=True)
class SameNames:
    """Names of a new model's segments, and by what name of last time they go on.

    Attributes
    ----------
    mapping : name of the new model -> name told; distinct
    born : names told of segments without a predecessor
    vanished : names of last time without a successor
    share_kept : share of the customers to whom the new model, on the old data, gives the segment that they had; NaN
        where there are none
    """

    mapping: Mapping[str, str]
    born: tuple[str, ...]
    vanished: tuple[str, ...]
    share_kept: float

    def told(self, names: pd.Series[str]) -> pd.Series[str]:
        """Return names of the new model as those told; one that the mapping lacks stays."""
        return names.map(lambda name: self.mapping.get(name, name), na_action="ignore")

    @property
    def remark(self) -> str:
        """What became of the segments, in the language spoken."""
        text = _("The segments were learnt anew; by the new model {share:.0%} of last time's customers keep theirs.")
        born = _("Without a predecessor: {names}.").format(names=", ".join(self.born)) if self.born else ""
        gone = _("Without a successor: {names}.").format(names=", ".join(self.vanished)) if self.vanished else ""
        return " ".join(filter(None, [text.format(share=self.share_kept), born, gone]))


def same_names(previous: pd.Series[str], by_new_model: pd.Series[str]) -> SameNames:
    """Return by which name of last time each segment of a new model goes on: as many customers as possible keep theirs.

    Both models are compared on the same data, so that customers who changed do not blur the match. A segment without a
    predecessor keeps its own name, with a number behind it where that name is taken.

    Parameters
    ----------
    previous : names by the previous model, indexed by customer
    by_new_model : names by the new model on the same data, indexed by customer; others are left out

    Raises
    ------
    DataError : customers repeated

    Examples
    --------
    >>> previous = pd.Series(["large", "large", "rare"], index=["anna", "ben", "carl"])
    >>> same_names(previous, pd.Series(["frequent", "frequent", "rare"], index=["anna", "ben", "carl"])).mapping
    {'frequent': 'large', 'rare': 'rare'}
    """
    old, new = _names(previous), _names(by_new_model)
    matching = match(_numbers(previous, old), _numbers(by_new_model, new))
    mapping: dict[str, str] = {}
    for number, name in enumerate(new):
        place = matching.mapping[number]
        mapping[name] = old[place] if place < len(old) else _free(name, {*old, *mapping.values()})
    born = tuple(told for told in mapping.values() if told not in old)
    pairs = pd.concat([previous, by_new_model.map(lambda name: mapping.get(name, name))], axis=1, join="inner")
    share = float((pairs.iloc[:, 0] == pairs.iloc[:, 1]).mean())
    return SameNames(mapping, born, tuple(old[number] for number in matching.vanished), share)


def _names(labels: pd.Series[str]) -> list[str]:
    return sorted({str(name) for name in labels.dropna()} - {*BY_RULE})


def _numbers(labels: pd.Series[str], names: list[str]) -> pd.Series[int]:
    """Return names as numbers; those by rule are the noise, which is never matched."""
    return labels.map({name: number for number, name in enumerate(names)}).fillna(NOISE).astype("int64")


def _free(name: str, taken: Collection[str]) -> str:
    """Return the name, with the first number behind it that makes it free."""
    if name not in taken:
        return name
    return next(told for number in range(2, len(taken) + 3) if (told := f"{name} ({number})") not in taken)
