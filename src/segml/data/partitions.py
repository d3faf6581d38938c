"""Folders such as ``year=2024/month=01`` whose names tell the date of the lines below, where the configuration says so.

A folder's name proves nothing about its lines (it may be the day of an export), so none is believed unasked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import PurePath
from urllib.parse import unquote

from segml.config.data import PartitionPart
from segml.data.paths import Files
from segml.data.window import Window
from segml.schema import DataError

KEY = "data.format.partitions"
NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
DATE = re.compile(r"(\d{4})-?(\d{2})(?:-?(\d{2}))?")


def values_of(relative: PurePath) -> dict[str, str | None]:
    """Return the columns that the folders of a file spell, by their names.

    >>> values_of(PurePath("region=S%C3%A3o Paulo/day=__HIVE_DEFAULT_PARTITION__/a=b.parquet"))
    {'region': 'São Paulo', 'day': None}
    """
    pairs = (part.split("=", 1) for part in relative.parts[:-1] if "=" in part)
    return {key: None if value == NO_VALUE else unquote(value) for key, value in pairs}


def prune(files: Files, parts: Mapping[str, PartitionPart], window: Window | None) -> Files:
    """Return the files without those whose folders lie wholly outside the window; none of them is opened for that.

    Raises
    ------
    DataError : a folder is not there or not a date, or no file is left
    """
    if window is None or not parts:
        return files
    spans = {path: span(files.relative(path), parts, files.where) for path in files.paths}
    kept = tuple(path for path, dates in spans.items() if dates and window.may_hold(*dates))
    if not kept:
        known = [dates for dates in spans.values() if dates]
        extent = f" from {min(known)[0]} to {max(end for _, end in known) - timedelta(days=1)}" if known else ""
        raise DataError(f"{files.where} has folders of dates{extent}, but the lines to read are those {window}")
    return replace(files, paths=kept)


def span(relative: PurePath, parts: Mapping[str, PartitionPart], where: str) -> tuple[date, date] | None:
    """Return the dates ``[start, end)`` that the folders of a file stand for; None where one says it has no value."""
    found = values_of(relative)
    absent = [key for key in parts if key not in found]
    if absent:
        raise DataError(f"{where}: {KEY} names {absent}, but {relative} lies in no such folder; found {list(found)}")
    spelled = {part: found[key] for key, part in parts.items()}
    if None in spelled.values():
        return None
    try:
        return _span({part: str(value) for part, value in spelled.items()})
    except ValueError:
        raise DataError(
            f"{where}: the folders of {relative} are no date as {KEY} {dict(parts)} has it; expected year, month and "
            "day as numbers, or a date as 2024-01-31, 20240131 or 2024-01"
        ) from None


def _span(spelled: Mapping[PartitionPart, str]) -> tuple[date, date]:
    if "date" in spelled:
        found = DATE.fullmatch(spelled["date"])
        if not found:
            raise ValueError(spelled["date"])
        year, month, day = (int(group) if group else None for group in found.groups())
    else:
        year, month, day = (int(spelled[part]) if part in spelled else None for part in ("year", "month", "day"))
    return _of_numbers(int(year or 0), month, day)


def _of_numbers(year: int, month: int | None, day: int | None) -> tuple[date, date]:
    start = date(year, 1 if month is None else month, 1 if day is None else day)
    if day is not None:
        return start, start + timedelta(days=1)
    if month is not None:
        return start, (start + timedelta(days=31)).replace(day=1)
    return start, date(year + 1, 1, 1)
