"""Changing some fields of some lines without touching the caller's frame."""

from __future__ import annotations

import pandas as pd


def overwritten(frame: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with the fields in ``changes`` (same row labels, some of the columns) written over."""
    columns = {name: frame[name].copy() for name in changes.columns}
    for name, column in columns.items():
        column.loc[changes.index] = changes[name]
    return frame.assign(**columns)
