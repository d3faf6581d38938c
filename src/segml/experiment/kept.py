"""Finished variants, kept beside the study, so that a study that was stopped goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd

from segml import artifacts
from segml.schema import OutputError

FOLDER = "variants"
_TABLES = ("scored", "tested")


@dataclass(frozen=True)
class Finished:
    """What one configuration gave on one state of the data.

    Attributes
    ----------
    command : what was run
    config_digest, data_digest : of what it was run on
    source, as_of, dates : the data's name, the as-of date and the test dates, as text
    metrics : name to value, ``_low`` and ``_high`` the 95 % interval
    notices : sentences on what could not be done
    customers : how many there are to compare
    seconds : how long it took
    versions : of the packages it was made with
    run_id : of the run that tracks it
    scored : the backtest's table: one row a scored customer and test date
    tested : customers of the period that tests found segments; see ``segments.FoundSegments``
    """

    command: str
    config_digest: str
    data_digest: str
    source: str
    as_of: str
    dates: tuple[str, ...]
    metrics: Mapping[str, float]
    notices: tuple[str, ...]
    customers: int
    seconds: float
    versions: Mapping[str, str]
    run_id: str
    scored: pd.DataFrame
    tested: pd.DataFrame


class Kept:
    """The finished variants of a study: ``DIGEST.json`` with the figures, ``DIGEST.parquet`` with the customers scored.

    ``DIGEST`` is that of the configuration. The JSON file is written last: where it is, the variant is finished. A
    folder ``DIGEST`` holds what the variant's run tracks. Git is told to leave all this out.
    """

    def __init__(self, study_folder: Path) -> None:
        self.folder = study_folder / FOLDER

    def find(self, command: str, config_digest: str, data_digest: str | None = None) -> Finished | None:
        """Return what this configuration gave on this data (None: on whatever data), or None where it is not finished.

        Raises
        ------
        OutputError : a file there cannot be read
        """
        path = self._path(config_digest, ".json")
        if not path.is_file():
            return None
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            is_same = told["command"] == command and data_digest in (None, told["data_digest"])
            return self._finished(told) if is_same else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OutputError(f"{path} cannot be read ({error}); remove it, and the variant runs anew") from None

    def keep(self, finished: Finished) -> None:
        """Write what a variant gave."""
        self._write(self.folder / ".gitignore", "*\n")
        for name in _TABLES:
            artifacts.write_file(self._path(finished.config_digest, _ENDINGS[name]), getattr(finished, name).to_parquet)
        told = {field.name: getattr(finished, field.name) for field in fields(Finished) if field.name not in _TABLES}
        text = json.dumps(told, indent=2, ensure_ascii=False) + "\n"
        self._write(self._path(finished.config_digest, ".json"), text)

    def tracked(self, config_digest: str) -> Path:
        """Return the folder of what a variant's run tracks."""
        return self._path(config_digest, "")

    def _finished(self, told: Mapping[str, Any]) -> Finished:
        tables = {name: pd.read_parquet(self._path(told["config_digest"], _ENDINGS[name])) for name in _TABLES}
        lists = {name: tuple(told[name]) for name in ("dates", "notices")}
        return Finished(**{**told, **lists, **tables})

    def _path(self, digest: str, ending: str) -> Path:
        return self.folder / f"{digest}{ending}"

    def _write(self, path: Path, text: str) -> None:
        artifacts.write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


_ENDINGS = {"scored": ".parquet", "tested": ".segments.parquet"}
