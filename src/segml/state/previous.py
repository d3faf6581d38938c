"""The last decisions given as a file: what a training run, a scoring or a refresh elsewhere left."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from segml import outputs, serving, store, windows
from segml.pipeline import Memory, Scorer
from segml.schema import DataError, did_you_mean
from segml.windows import as_timestamps

_NEEDED = ("customer_id", "as_of", "lifecycle", "tier")


def previous_of(file: Path, before: pd.Timestamp) -> Memory:
    """Return what decisions in a file tell, and what the run that wrote them left beside it.

    ``features.parquet`` and ``model`` are taken from the same folder where they are of the same
    run: same customers, same date.

    Parameters
    ----------
    before : the as-of date of the refresh that compares with it
    file : decisions as ``python -m segml.train`` and ``segml.score`` write them, Parquet or CSV

    Raises
    ------
    DataError : it cannot be read, lacks columns, repeats customers, or is not of one earlier as-of date
    """
    decisions = read_table(file, "decisions")
    _check(decisions, file)
    (as_of,) = as_timestamps(decisions["as_of"].unique())
    if not windows.before(as_of, before):
        raise DataError(f"{file} is of {as_of.date()}; the last decisions must be earlier than {before.date()}")
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


def read_table(file: Path, what: str) -> pd.DataFrame:
    """Return a table that a file holds, customers as text.

    Raises
    ------
    DataError : it is not there, of another kind, or cannot be read
    """
    if file.suffix not in (".parquet", ".csv"):
        raise DataError(f"{what} are read from a .parquet or .csv file; found {file}")
    try:
        if file.suffix == ".parquet":
            return pd.read_parquet(file)
        table = pd.read_csv(file, dtype={"customer_id": "str"}, encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{file} does not exist; give the file that holds {what}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as {what}: {str(error).partition(chr(10))[0]}") from None
    return table.assign(**{name: pd.to_datetime(table[name], errors="coerce") for name in table if name == "as_of"})


def _check(decisions: pd.DataFrame, file: Path) -> None:
    missing = [name for name in _NEEDED if name not in decisions.columns]
    if missing:
        hint = did_you_mean(missing[0], [str(name) for name in decisions.columns])
        raise DataError(
            f"{file} lacks columns {missing}{hint}; give decisions as python -m segml.train or segml.score write them"
        )
    if decisions.empty:
        raise DataError(f"{file} holds no customers; give the decisions of the last run")
    repeated = decisions.loc[decisions["customer_id"].duplicated(), "customer_id"]
    if len(repeated):
        raise DataError(f"{file} holds customer {repeated.iloc[0]!r} more than once; give one row a customer")
    if decisions["as_of"].isna().any() or decisions["as_of"].nunique() != 1:
        raise DataError(f"{file} must be of one as-of date; found {decisions['as_of'].nunique(dropna=False)}")


def _features(path: Path, decisions: pd.DataFrame) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    features = pd.read_parquet(path)
    is_same = set(features.get("customer_id", ())) == set(decisions["customer_id"]) and set(features["as_of"]) == set(
        decisions["as_of"]
    )
    return features if is_same else None


def _scorer(folder: Path) -> Scorer:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", store.ModelWarning)
        return serving.load(str(folder))
