"""Files of a campaign test: the decisions it rests on, and the assignments, which are kept for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pandas as pd
from filelock import FileLock, Timeout

from segml import artifacts, campaigns, outputs
from segml.schema import DataError, OutputError

FORMATS = (".parquet", ".csv")
WAIT_S = 15
NUMBERS = {"customer_id": "str", "campaign": "str", "segment": "str", "stratum": "str"}
_NEUTRALISED = r"^'(?=[=+\-@\t\r])"
"""The apostrophe before a cell that a spreadsheet would run as a formula; see ``outputs.write_csv``."""


def read_decisions(path: Path) -> pd.DataFrame:
    """Return a table of decisions, one row a customer.

    Raises
    ------
    DataError : there is no such file, it is of another kind, cannot be read, or holds nobody
    """
    decisions = _read(path, "decisions")
    if decisions.empty:
        raise DataError(f"{path} holds no customer; give the decisions of a training, a scoring or a refresh")
    if "as_of" in decisions.columns:
        decisions = decisions.assign(as_of=_dates(decisions["as_of"], path))
    return decisions


def read_kept(path: Path) -> pd.DataFrame:
    """Return kept assignments; nobody's where there is no file yet.

    Raises
    ------
    DataError : the file cannot be read, or is not one of assignments
    """
    return campaigns.typed(_read(path, "assignments"), str(path)) if path.exists() else campaigns.nobody()


def write_kept(table: pd.DataFrame, path: Path) -> None:
    """Write assignments in place of those that the file held: all of them, or none."""
    artifacts.write_file(path, lambda temporary: outputs.write_table(table, temporary))


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Keep other processes from assigning to the same file meanwhile.

    Raises
    ------
    OutputError : another process has it for longer than ``WAIT_S`` seconds
    """
    artifacts.check_writable(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=WAIT_S)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(f"another process is assigning to {path}; wait for it, then try again") from None
    try:
        yield
    finally:
        lock.release()


def check_format(path: Path, what: str) -> None:
    """Raise ``DataError`` for a file that is neither Parquet nor CSV."""
    if path.suffix not in FORMATS:
        raise DataError(f"{what} {path} must end in {' or '.join(FORMATS)}; found {path.suffix or 'no ending'!r}")


def _read(path: Path, what: Literal["decisions", "assignments"]) -> pd.DataFrame:
    check_format(path, what)
    if not path.is_file():
        raise DataError(f"there is no file {path} of {what}")
    try:
        return pd.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    except (OSError, ValueError) as error:  # pandas and pyarrow raise kinds of ValueError
        raise DataError(f"{path} cannot be read: {error}") from None


def _read_csv(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=NUMBERS, encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    text: list[str] = list(table.select_dtypes("str").columns)
    return table.assign(**{name: table[name].str.replace(_NEUTRALISED, "", regex=True) for name in text})


def _dates(values: pd.Series, path: Path) -> pd.Series:
    try:
        return pd.to_datetime(values).dt.as_unit("us")
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"the column as_of in {path} does not hold dates: {error}") from None
