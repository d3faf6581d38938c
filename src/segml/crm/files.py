"""An export as files: CSV that spreadsheets open, Parquet, JSON lines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from segml.config.crm import Format
from segml.crm.changes import Changes
from segml.crm.schema import CRM_SCHEMA, SHAPES, Export, Shape, shaped
from segml.outputs import write_csv
from segml.schema import DataError

PREFIX = "crm_"


def write_files(export: Export, folder: Path, formats: Sequence[Format], *, changed: Changes | None = None) -> None:
    """Write ``crm_customers`` and ``crm_tasks`` into a folder, in each format.

    Parameters
    ----------
    changed : CSV and JSON lines then hold these changes only, with the columns ``change`` and ``changed_columns``; the
        Parquet files hold everything all the same, for the next export to compare with
    """
    for place, shape in enumerate(SHAPES):
        told = export[shape.name] if changed is None else changed[place].rows
        path = folder / f"{PREFIX}{shape.name}"
        for one in formats:
            match one:
                case "csv":
                    write_csv(told, path.with_suffix(".csv"))
                case "jsonl":
                    _write_json_lines(told, path.with_suffix(".jsonl"))
                case "parquet":
                    export[shape.name].to_parquet(path.with_suffix(".parquet"), index=False)


def read_files(folder: Path) -> Export | None:
    """Return the export whose Parquet files lie in a folder; None where there are none.

    Raises
    ------
    DataError : one of them is missing, or of another schema
    """
    paths = {shape.name: folder / f"{PREFIX}{shape.name}.parquet" for shape in SHAPES}
    missing = [path for path in paths.values() if not path.exists()]
    if len(missing) == len(paths):
        return None
    if missing:
        raise DataError(
            f"{missing[0]} is missing beside the other table of the last export; restore it, or remove both"
        )
    return Export(**{shape.name: _read(paths[shape.name], shape) for shape in SHAPES})


def _read(path: Path, shape: Shape) -> pd.DataFrame:
    table = pd.read_parquet(path)
    found = sorted(set(table["crm_schema"])) if "crm_schema" in table.columns else []
    if list(table.columns) != list(shape.columns) or found not in ([], [CRM_SCHEMA]):
        raise DataError(
            f"{path} is no export of schema {CRM_SCHEMA} (it holds {found or 'no version'}); export everything once, "
            "without changes_only, to another folder"
        )
    return shaped(table, shape)


def _write_json_lines(table: pd.DataFrame, path: Path) -> None:
    days = {name: table[name].dt.strftime("%Y-%m-%d") for name in table.select_dtypes("datetime").columns}
    plain = table.assign(**days)
    plain.to_json(path, orient="records", lines=True, force_ascii=False, double_precision=10)
