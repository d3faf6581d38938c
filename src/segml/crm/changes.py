"""What one export changes against another: new rows, changed ones and in which columns, and those that are gone."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pandas as pd

from segml.crm.schema import SHAPES, UNCOMPARED, Export, Shape, shaped

CHANGE, CHANGED_COLUMNS = "change", "changed_columns"
NEW, CHANGED, GONE = "new", "changed", "gone"


@dataclass(frozen=True)
class TableChanges:
    """Changes of one table.

    Attributes
    ----------
    rows : the columns of the shape, ``change`` (new, changed, gone) and ``changed_columns``, joined by commas; who is
        gone has ``is_active`` false, and all else as it was
    unchanged : how many rows stay as they are
    """

    name: str
    key: str
    rows: pd.DataFrame
    unchanged: int

    def count(self, change: str) -> int:
        """Return how many rows are new, changed or gone."""
        return int((self.rows[CHANGE] == change).sum())

    def by_column(self) -> dict[str, int]:
        """Return in how many changed rows each column differs, the most first."""
        changed = self.rows.loc[self.rows[CHANGE] == CHANGED, CHANGED_COLUMNS]
        counts = Counter(name for names in changed for name in names.split(","))
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


Changes = tuple[TableChanges, ...]


def changes(now: Export, then: Export | None) -> Changes:
    """Return what is new, changed and gone, table by table; without an earlier export all is new.

    A row that comes back after it was gone has changed: it is active again. ``as_of`` alone is no change.
    """
    return tuple(_of_table(shape, now[shape.name], _or_empty(then, shape)) for shape in SHAPES)


def _or_empty(then: Export | None, shape: Shape) -> pd.DataFrame:
    return shaped(pd.DataFrame(columns=list(shape.columns)), shape) if then is None else then[shape.name]


def _of_table(shape: Shape, now: pd.DataFrame, then: pd.DataFrame) -> TableChanges:
    both = now[now[shape.key].isin(then[shape.key])].sort_values(shape.key, ignore_index=True)
    was = then[then[shape.key].isin(now[shape.key])].sort_values(shape.key, ignore_index=True)
    columns = _changed_columns(both, was)
    new = now[~now[shape.key].isin(then[shape.key])].assign(change=NEW, changed_columns="")
    changed = both.assign(change=CHANGED, changed_columns=columns)[columns != ""]
    gone = then[~then[shape.key].isin(now[shape.key]) & then["is_active"]]
    gone = gone.assign(is_active=False, change=GONE, changed_columns="is_active")
    parts = [part for part in (new, changed, gone) if len(part)]
    rows = pd.concat(parts) if parts else new
    return TableChanges(shape.name, shape.key, rows.sort_values(shape.key, ignore_index=True), len(both) - len(changed))


def _changed_columns(now: pd.DataFrame, then: pd.DataFrame) -> pd.Series[str]:
    """Return the names of the columns in which two tables of the same keys differ, row by row; unknown is unknown."""
    names = pd.Series("", index=now.index, dtype="str")
    for column in now.columns:
        if column not in UNCOMPARED:
            differs = (now[column] != then[column]) & ~(now[column].isna() & then[column].isna())
            names = names.mask(differs, names.where(names == "", names + ",") + str(column))
    return names
