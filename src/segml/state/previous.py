"""The last decisions given as a file: what a training run, a scoring or a refresh elsewhere left."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from segml import outputs, serving, store, windows
from segml.actions import DECISIONS
from segml.pipeline import Memory, Scorer
from segml.schema import DataError, did_you_mean, first_line
from segml.windows import as_timestamps

_NEEDED = ("customer_id", "as_of", "lifecycle", "tier")
_WORDS = ("string", "categorical", "empty")
_TEXTS = tuple(name for name, kind in DECISIONS.items() if kind == "str")


def previous_of(file: Path, before: pd.Timestamp | None = None) -> Memory:
    """Return what decisions in a file tell, and what the run that wrote them left beside it.

    ``features.parquet`` and ``model`` are taken from the same folder where they are of the same
    run: same customers, same date.

    Parameters
    ----------
    before : the as-of date of the refresh that compares with it; None where it is not known yet
    file : decisions as ``python -m segml.train`` and ``segml.score`` write them, Parquet or CSV

    Raises
    ------
    DataError : it cannot be read, lacks columns, has values of another type, repeats customers, or is not of one
        earlier as-of date
    """
    decisions = _typed(read_table(file, "decisions"), file)
    _check(decisions, file)
    (as_of,) = as_timestamps(decisions["as_of"].unique())
    if before is not None:
        check_earlier(as_of, before, file)
    features = _features(file.parent / outputs.FEATURES, decisions)
    model = file.parent / serving.MODEL_FOLDER
    is_known = features is not None and model.is_dir()
    return Memory(
        as_of=as_of,
        decisions=decisions,
        features=features,
        scorer=_scorer(model) if is_known else None,
        model=serving.identity(str(model)) if is_known else "",
    )


def check_earlier(as_of: pd.Timestamp, before: pd.Timestamp, file: Path) -> None:
    """Raise ``DataError`` unless the decisions of a file are earlier than the refresh that compares with them."""
    if not windows.before(as_of, before):
        raise DataError(f"{file} is of {as_of.date()}; the last decisions must be earlier than {before.date()}")


def read_table(file: Path, what: str) -> pd.DataFrame:
    """Return a table that a file holds; what is text in decisions is text from CSV, too.

    Raises
    ------
    DataError : it is not there, a folder, of another kind, or cannot be read
    """
    if file.is_dir():
        raise DataError(f"{file} is a folder; give the file that holds {what}")
    if file.suffix not in (".parquet", ".csv"):
        raise DataError(f"{what} are read from a .parquet or .csv file; found {file}")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, dtype=dict.fromkeys(_TEXTS, "str"), encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{file} does not exist; give the file that holds {what}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as {what}: {first_line(error)}") from None


def _typed(decisions: pd.DataFrame, file: Path) -> pd.DataFrame:
    """Return the decisions with dates as dates, which CSV does not know; other types are as a training leaves them."""
    typed = {}
    for name in (name for name in DECISIONS if name in decisions.columns):
        try:
            typed[name] = _column(decisions[name], DECISIONS[name])
        except (ValueError, TypeError) as error:
            raise DataError(
                f"{file} holds no decisions: column {name!r}: {first_line(error)}; give decisions as python -m "
                "segml.train or segml.score write them"
            ) from None
    return decisions.assign(**typed)


def _column(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    found = pd.api.types.infer_dtype(values, skipna=True)
    if kind == "str":
        if found not in _WORDS and values.notna().any():
            raise TypeError(f"{found} found, text was expected")
        return values
    if kind.startswith("datetime"):
        if pd.api.types.is_numeric_dtype(values) and values.notna().any():
            raise TypeError(f"{found} found, dates were expected")
        days = pd.to_datetime(values, format="ISO8601")
        if days.dt.tz is not None:
            raise TypeError("dates carry a time zone, none was expected")
        return days.dt.as_unit("us")
    if not pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise TypeError(f"{found} found, numbers were expected")
    return values


def _check(decisions: pd.DataFrame, file: Path) -> None:
    missing = [name for name in _NEEDED if name not in decisions.columns]
    if missing:
        hint = did_you_mean(missing[0], [str(name) for name in decisions.columns])
        raise DataError(
            f"{file} lacks columns {missing}{hint}; give decisions as python -m segml.train or segml.score write them"
        )
    if decisions.empty:
        raise DataError(f"{file} holds no customers; give the decisions of the last run")
    if decisions["customer_id"].isna().any():
        raise DataError(f"{file} holds rows without customer_id; give one row a customer")
    repeated = decisions.loc[decisions["customer_id"].duplicated(), "customer_id"]
    if len(repeated):
        raise DataError(f"{file} holds customer {repeated.iloc[0]!r} more than once; give one row a customer")
    if decisions["as_of"].isna().any() or decisions["as_of"].nunique() != 1:
        raise DataError(f"{file} must be of one as-of date; found {decisions['as_of'].nunique(dropna=False)}")


def _features(path: Path, decisions: pd.DataFrame) -> pd.DataFrame | None:
    """Return the features of the same customers at the same date; None where there are none."""
    if not path.is_file():
        return None
    try:
        features = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}, beside the last decisions, cannot be read: {first_line(error)}; restore it, or move the "
            "decisions elsewhere to compare with them alone"
        ) from None
    keys = ["customer_id", "as_of"]
    is_same = set(keys) <= set(features.columns) and all(set(features[key]) == set(decisions[key]) for key in keys)
    return features if is_same else None


def _scorer(folder: Path) -> Scorer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", store.ModelWarning)
        return serving.load(str(folder))
