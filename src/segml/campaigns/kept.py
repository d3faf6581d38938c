"""The table of assignments: one row a customer and campaign, kept for ever."""

from __future__ import annotations

import pandas as pd

from segml import schema, windows
from segml.schema import DataError

VERSION = 1
COLUMNS = {
    "version": "int64",
    "campaign": "str",
    "customer_id": "str",
    "segment": "str",
    "stratum": "str",
    "arm": "str",
    "assigned_on": "datetime64[us]",
    "starts_on": "datetime64[us]",
    "days": "int64",
    "share": "float64",
    "seed": "int64",
}
"""The columns in order: ``segment`` is what the effect is told by, the window is ``[starts_on, starts_on + days)``."""
TREATMENT, CONTROL = "treatment", "control"
ARMS = (TREATMENT, CONTROL)
KEYS = ["campaign", "customer_id"]


def nobody() -> pd.DataFrame:
    """Return the table of assignments before the first one."""
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})


def typed(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return kept assignments in their types, as they were read from a file.

    Parameters
    ----------
    where : what the table is called in messages

    Raises
    ------
    DataError : columns missing, another version, unreadable cells, unknown arms, a customer twice in a campaign
    """
    schema.check_columns(rows.columns, COLUMNS, f"assignments in {where} lack")
    kept = rows[list(COLUMNS)]
    _check_whole(kept, where)
    versions = sorted(set(kept["version"].astype("str")))
    if versions and versions != [str(VERSION)]:
        raise DataError(f"assignments in {where} are of version {', '.join(versions)}; this segml reads {VERSION}")
    try:
        kept = kept.astype(COLUMNS)
    except (ValueError, TypeError) as error:
        raise DataError(f"assignments in {where} cannot be read: {error}; take the file as segml wrote it") from None
    _check_arms(kept, where)
    check_once(kept, KEYS, f"assignments in {where}")
    return kept


def of_campaign(kept: pd.DataFrame, campaign: str) -> pd.DataFrame:
    """Return the assignments of one campaign.

    Raises
    ------
    DataError : there are none; names the campaigns that there are
    """
    own = kept[kept["campaign"] == campaign]
    if own.empty:
        known = sorted(set(kept["campaign"]))
        hint = schema.did_you_mean(campaign, known) or f"; there are: {', '.join(known) or 'none'}"
        raise DataError(f"nobody is assigned to the campaign {campaign!r}{hint}")
    return own


def check_once(rows: pd.DataFrame, keys: list[str], what: str) -> None:
    """Raise ``DataError`` where rows repeat their keys."""
    twice = rows.loc[rows.duplicated(keys), keys]
    if len(twice):
        first = twice.sort_values(keys).iloc[0]
        named = ", ".join(f"{key} {value!r}" for key, value in first.items())
        raise DataError(f"{what} hold {named} more than once ({len(twice)} rows too many); keep one row each")


def is_running(kept: pd.DataFrame, start: pd.Timestamp, days: int) -> pd.Series[bool]:
    """Tell which assignments have a window that has days in common with ``[start, start + days)``."""
    running: pd.Series[bool] = windows.before(kept["starts_on"], windows.shift(start, days=days))
    not_over: pd.Series[bool] = windows.before(start, ends_on(kept))
    return running & not_over


def ends_on(kept: pd.DataFrame) -> pd.Series[pd.Timestamp]:
    """Return the first moment after each assignment's window."""
    return kept["starts_on"] + pd.to_timedelta(kept["days"], unit="D")


def _check_whole(kept: pd.DataFrame, where: str) -> None:
    empty = [str(name) for name in kept.columns if kept[name].isna().any()]
    if empty:
        raise DataError(f"assignments in {where} have empty cells in {empty}; take the file as segml wrote it")


def _check_arms(kept: pd.DataFrame, where: str) -> None:
    unknown = sorted(set(kept["arm"]) - set(ARMS))
    if unknown:
        raise DataError(f"assignments in {where} name arms {unknown}; there are {' and '.join(ARMS)}")
