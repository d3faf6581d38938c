"""No task twice within its cool-down, and never twice on one occasion."""

from __future__ import annotations

import pandas as pd

from segml.language import _, ngettext

_SAME = ["trigger", "customer_id", "subject"]


def cooled(ranked: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Return the tasks with ``held_back`` in words where the same was asked for lately, else empty."""
    last = history.groupby(_SAME)["due_on"].max().rename("last_due").reset_index()
    known = ranked.merge(last.astype(dict.fromkeys(_SAME, "str")), on=_SAME, how="left", validate="m:1")
    is_repeated = known["task_id"].isin(history["task_id"])
    since = (known["due_on"] - known["last_due"]).dt.days
    is_cooling = is_repeated | (since < known["cool_down_days"]).fillna(False)
    return known.assign(held_back=_why_cooling(known, is_repeated).where(is_cooling, ""), is_cooling=is_cooling)


def _why_cooling(known: pd.DataFrame, is_repeated: pd.Series[bool]) -> pd.Series[str]:
    words = [
        _("issued before") if repeated else _cool_down(last, days)
        for repeated, last, days in zip(is_repeated, known["last_due"], known["cool_down_days"], strict=True)
    ]
    return pd.Series(words, index=known.index, dtype="str")


def _cool_down(last: pd.Timestamp, days: int) -> str:
    if pd.isna(last):
        return ""
    told = ngettext(
        "last due on {last:%Y-%m-%d}; again after {n} day", "last due on {last:%Y-%m-%d}; again after {n} days", days
    )
    return told.format(last=last, n=days)
