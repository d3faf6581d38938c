"""Found segments: which features and scale, KMeans or HDBSCAN or rules, and do they last?

    python experiments/2026-11-clusters/study.py --output experiments/2026-11-clusters/results

Reads the public data sets from SEGML_DATA_HOME (downloads what is not there) and writes tables and pictures. How the
number of segments is found on data of known structure is measured by ``how_many.py``, on logs by ``segml.experiment``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import dense
import lasting
import matplotlib as mpl
import methods
import pandas as pd
import pictures
from history import History, cdnow, demo, online_retail_ii
from lasting import DEFAULT_SCALE

from segml.config import ClustersConfig
from segml.segments.validity import REVENUE_FIFTHS, RFM_SEGMENTS

SHOWN = 6
"""So many of the best methods of the earlier quarters are shown with intervals."""
DEFAULT_LIST = "six"
AS_MANY_AS_RFM = 10
SEARCHED = {"Online Retail II": 3, "CDNOW": 2, "demo": 2}
"""So many of the last pairs of dates get a search for HDBSCAN's features; the last of them is the final one."""

Tables = dict[str, pd.DataFrame]


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for tables and pictures")
    folder: Path = parser.parse_args().output
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    start = time.perf_counter()
    tables: Tables = {}
    for name, table in run(folder):
        path = folder / f"{name}.csv"
        table.to_csv(path, float_format="%.4f", index=bool(table.index.name))
        tables[name] = pd.read_csv(path)  # the page shows what the files hold
        print(f"{time.perf_counter() - start:5.0f} s  {name}", flush=True)
    (folder / "tables.md").write_text(as_page(tables), encoding="utf-8")
    print(f"{len(tables)} tables and the pictures are in {folder}; {time.perf_counter() - start:.0f} s")


def run(folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield all tables with their names; draw the pictures."""
    retail, shop, simulated = online_retail_ii(), cdnow(), demo()
    yield from _methods(retail, shop, simulated, folder)
    yield from _lasting(retail, folder)
    yield from _dense((retail, shop, simulated), folder)


def _methods(retail: History, shop: History, simulated: History, folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    found = {day: methods.groupings(retail, day) for day in methods.tested(retail)}
    table = methods.by_quarter(retail, found)
    yield "methods_by_quarter", table
    ranked = [name for name in table.index if name not in (REVENUE_FIFTHS, RFM_SEGMENTS)]
    default = f"{DEFAULT_LIST} · {DEFAULT_SCALE.name}"
    named = [*ranked[:SHOWN], default, f"{DEFAULT_LIST} · log · clip 3", methods.WHAT_PEOPLE_DO, *methods.RULES]
    shown = list(dict.fromkeys(named))
    spread = methods.with_spread(retail, found, shown, rival=default)
    yield "methods", spread
    yield "methods_scored", methods.with_spread(retail, found, shown, rival=default, only_scored=True)
    pictures.save(pictures.methods(spread), folder / "methods.png")
    for history, short in ((shop, "cdnow"), (simulated, "demo")):
        scales = (DEFAULT_SCALE, methods.Scale("log", 3.0))
        others = {day: methods.groupings(history, day, scales) for day in methods.tested(history)}
        yield f"methods_{short}", methods.by_quarter(history, others)


def _lasting(retail: History, folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    yield "lists_at_five", lasting.of_lists(retail, methods.LISTS, methods.SEGMENTS)
    features = ClustersConfig().kmeans.features
    for segments in (methods.SEGMENTS, 4, 6, AS_MANY_AS_RFM):
        table = lasting.one_quarter(retail, features, segments)
        yield f"one_quarter_at_{segments}", table.join(lasting.reproducible(retail, features, segments))
        if segments == methods.SEGMENTS:
            pictures.save(pictures.quarters(table), folder / "quarters.png")


def _dense(histories: tuple[History, ...], folder: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    rows = dense.searched([(history, SEARCHED[history.name]) for history in histories], dense.ways())
    yield "hdbscan_search", dense.ranked(rows)
    yield "hdbscan_closer", dense.closer(histories)
    days = histories[0].dates[-3:-1]
    yield "hdbscan_who", dense.who(histories[0], days)
    pictures.save(pictures.what_is_dense(histories[0], days), folder / "hdbscan.png")


def as_page(tables: Tables) -> str:
    """Return the tables in Markdown."""
    return "\n\n".join(f"## {name}\n\n{_as_markdown(table)}" for name, table in tables.items()) + "\n"


def _as_markdown(table: pd.DataFrame) -> str:
    shown = _with_intervals(table)
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(["| " + " | ".join(map(str, shown.columns)) + " |", "|" + " --- |" * len(shown.columns), *rows])


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """Return the cells as text; low and high ends stand behind their figure."""
    names = [name for name in table if not str(name).endswith(("_low", "_high"))]
    shown = table[names].map(_cell).astype("object")
    for name in names:
        if f"{name}_low" in table:
            low, high = table[f"{name}_low"].map(_cell), table[f"{name}_high"].map(_cell)
            shown[name] = shown[name] + " [" + low + ", " + high + "]"
    return shown


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if value == value else "–"
    return str(value)


if __name__ == "__main__":
    main()
