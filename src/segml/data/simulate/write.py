"""The world as Parquet files."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from segml.data.simulate.world import World
from segml.schema import OutputError


def write(world: World, folder: Path) -> list[Path]:
    """Write each table to ``folder``, the hidden truth to ``folder/truth``; return the files.

    A file appears under its name only when it is complete; one that is there already is replaced.

    Raises
    ------
    OutputError : the folder or a file cannot be written
    """
    tables = {
        "transactions": world.transactions,
        "customers": world.customers,
        "usage": world.usage,
        "contracts": world.contracts,
        "touches": world.touches,
        "truth/customers": world.truth,
        "truth/lines": world.truth_lines,
        "truth/errors": world.truth_errors,
        "truth/cards": world.truth_cards,
        "truth/campaigns": world.truth_campaigns,
        "truth/families": world.truth_families,
        "truth/pairs": world.truth_pairs,
    }
    return [_write(frame, folder / f"{name}.parquet") for name, frame in tables.items()]


def _write(frame: pd.DataFrame, path: Path) -> Path:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            frame.to_parquet(part, index=False)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error}; give a folder that you may write to") from None
    return path
