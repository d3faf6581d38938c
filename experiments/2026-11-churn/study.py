"""Churn and stagnation: which model, which labels, which protocol; on Online Retail II and CDNOW.

    python experiments/2026-11-churn/study.py --output experiments/2026-11-churn/results

Reads the public data sets from SEGML_DATA_HOME (downloads what is not there) and writes tables and pictures. With
``--only lost_fraction`` it makes that one table, as CSV.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from cases import Case, cdnow, online_retail_ii, read
from lost_fraction import captured_losses, lost_fractions
from measures import by_date, figures, pooled
from pictures import draw
from protocols import wrong_protocols
from variants import DEFAULT, NAMES_OF_BASELINES, all_variants, default

EARLIER = ("2010-10-13", "2010-11-12", "2010-12-12")
"""The choice is made here: the last of their label windows ends the day before the first test date."""
FINAL = ("2011-03-13", "2011-06-12", "2011-09-11")
CDNOW_EARLIER = ("1997-12-03", "1998-01-02")
CDNOW_FINAL = ("1998-04-02",)
LEAST_PURCHASE_DAYS = 3


def main() -> None:
    """Run the study."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for tables and pictures")
    parser.add_argument("--only", choices=["lost_fraction"], help="make this table and nothing else")
    given = parser.parse_args()
    folder: Path = given.output
    folder.mkdir(parents=True, exist_ok=True)
    mpl.use("Agg")
    start = time.perf_counter()
    tables = {"lost_fraction": only_lost_fraction()} if given.only else run(folder)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", float_format="%.4f")
    if not given.only:
        (folder / "tables.md").write_text(as_page(tables), encoding="utf-8")
    print(f"{len(tables)} tables are in {folder}; {time.perf_counter() - start:.0f} s")


def run(folder: Path) -> dict[str, pd.DataFrame]:
    """Return all tables by name; draw the pictures."""
    retail = read(online_retail_ii(), (*EARLIER, *FINAL))
    earlier, final = retail.cases(EARLIER), retail.cases(FINAL)
    tested, scores = _scored(earlier)
    tables = _tables("earlier", *often(tested, scores))
    lost = {"earlier": _captured(earlier, tested, scores)}
    tested, scores = _scored(final)
    tables["lost_fraction"] = _by_dates({**lost, "final": _captured(final, tested, scores)})
    tables["final_all_scored"] = figures(tested, scores)
    tested, scores = often(tested, scores)
    tables |= _tables("final", tested, scores)
    tables["protocols"] = wrong_protocols(final, retail.snapshots.at(retail.prepared.log_end))
    draw(folder, tables["final"], tables["protocols"], _as_backtest(tested, scores))
    shop = read(cdnow(), (*CDNOW_EARLIER, *CDNOW_FINAL))
    tables |= _tables("cdnow_earlier", *_scored(shop.cases(CDNOW_EARLIER)))
    tables |= _tables("cdnow_final", *_scored(shop.cases(CDNOW_FINAL)))
    return tables


def only_lost_fraction() -> pd.DataFrame:
    """Return what lists by the lost fraction hold, without the other models."""
    retail = read(online_retail_ii(), (*EARLIER, *FINAL))
    found = {}
    for name, dates in {"earlier": EARLIER, "final": FINAL}.items():
        cases = retail.cases(dates)
        found[name] = _captured(cases, *pooled(cases, [{DEFAULT: default(case)} for case in cases]))
    return _by_dates(found)


Scores = dict[str, pd.DataFrame]


def _captured(cases: list[Case], tested: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    known = {DEFAULT: scores[DEFAULT].assign(lost_fraction=lost_fractions(cases))}
    tested, known = often(tested, known)
    return captured_losses(tested, known[DEFAULT])


def _by_dates(tables: Scores) -> pd.DataFrame:
    return pd.concat(tables, names=["dates"]).reset_index()


def _scored(cases: list[Case]) -> tuple[pd.DataFrame, Scores]:
    """Return the tested rows of all dates and each model's scores of them."""
    return pooled(cases, [all_variants(case) for case in cases])


def often(tested: pd.DataFrame, scores: Scores) -> tuple[pd.DataFrame, Scores]:
    """Return the same of those with enough purchase days for a rhythm."""
    keep = tested["purchase_day_count"] >= LEAST_PURCHASE_DAYS
    kept = {name: table[keep].reset_index(drop=True) for name, table in scores.items()}
    return tested[keep].reset_index(drop=True), kept


def _tables(name: str, tested: pd.DataFrame, scores: Scores) -> dict[str, pd.DataFrame]:
    return {name: figures(tested, scores), f"{name}_by_date": by_date(tested, scores)}


def _as_backtest(tested: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    silences = {column: scores[name]["p_churn"] for column, name in NAMES_OF_BASELINES.items()}
    return tested.assign(**scores[DEFAULT], **silences)


def as_page(tables: dict[str, pd.DataFrame]) -> str:
    """Return the tables in Markdown; figures of models with their intervals."""
    return "\n\n".join(f"## {name}\n\n{_as_markdown(table)}" for name, table in tables.items()) + "\n"


def _as_markdown(table: pd.DataFrame) -> str:
    has_intervals = any(str(name).endswith("_low") for name in table)
    shown = _with_intervals(table) if has_intervals else table.map(_cell)
    shown = shown.reset_index() if shown.index.name else shown
    names = [" ".join(column).strip() if isinstance(column, tuple) else str(column) for column in shown.columns]
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in shown.itertuples(index=False)]
    return "\n".join(["| " + " | ".join(names) + " |", "|" + " --- |" * len(names), *rows])


def _with_intervals(table: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in table if not name.endswith(("_low", "_high"))]
    low, high = (table.reindex(columns=[f"{name}_{end}" for name in names]).to_numpy() for end in ("low", "high"))
    shown = table[names].map(_cell).astype("object")
    for place, name in enumerate(names):
        if name.endswith(("_auc", "_minus_rival")) or name.startswith("captured"):
            ends = [
                f" [{_cell(a)}, {_cell(b)}]" if a == a else ""
                for a, b in zip(low[:, place], high[:, place], strict=True)
            ]
            shown[name] = shown[name] + ends
    return shown


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if value == value else "–"
    return str(value)


if __name__ == "__main__":
    main()
