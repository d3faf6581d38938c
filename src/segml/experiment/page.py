"""The page of a study: question, answer, table and what was run, as Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from math import isnan
from typing import Any

import pandas as pd

from segml import description
from segml.config import without_secrets
from segml.experiment.kept import Finished
from segml.experiment.naming import value_name
from segml.experiment.study import Study
from segml.language import NARROW_SPACE
from segml.summary_tables import TextTable

PICTURE = "results.png"
_NOTHING = "–"
_SHOWN_VERSIONS = ("segml", "python", "scikit-learn", "numpy", "pandas")
_INTEGER_FROM = 100


def page(
    study: Study,
    table: pd.DataFrame,
    found: Mapping[str, Sequence[Finished]],
    missing: Mapping[str, str],
    *,
    resamples: int,
) -> str:
    """Return the page.

    Parameters
    ----------
    table : of ``comparison``
    found : what each variant gave, once for every seed
    missing : variant -> why there is nothing of it
    resamples : of the bootstrap behind the intervals
    """
    parts = [
        f"# {study.name}",
        study.question,
        f"**Answer.** {study.answer}" if study.answer else "",
        f"![{', '.join(study.metrics)}, by variant]({PICTURE})" if found else "",
        _figures(table, study) if found else "",
        _legend(study, found, resamples) if found else "",
        _lacking(missing),
        _what_was_run(study, found) if found else "",
        f"```\n{command(study)}\n```",
        _variants(study),
        _notices(found),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def described(
    study: Study,
    table: pd.DataFrame,
    found: Mapping[str, Sequence[Finished]],
    missing: Mapping[str, str],
    *,
    resamples: int,
) -> str:
    """Return the page as the description of the study's run: a narrow table a metric; parameters as of ``page``."""
    parts = [
        study.question,
        f"**Answer.** {study.answer}" if study.answer else "",
        *([description.table(told) for told in _by_metric(table, study)] if found else []),
        _legend(study, found, resamples, mark="with a star", counts="") if found else "",
        _lacking(missing),
        _notices(found),
    ]
    origin = [_what_was_run(study, found) if found else "", f"```\n{command(study)}\n```"]
    return description.fitting(parts, "\n\n".join(filter(None, origin)))


def command(study: Study) -> str:
    """Return the command that runs the study again; where it was tracked is left out."""
    shown = [override for override in study.overrides if not override.startswith("tracking.")]
    given = " ".join(f"--set {shlex.quote(without_secrets(override))}" for override in shown)
    return f"python -m segml.experiment {study.path.resolve().parent.name}/{study.path.name} {given}".strip()


def cell(text: object) -> str:
    """Return a text as it may stand in a Markdown table: on one line, without bars.

    >>> cell("a | b\\nc")
    'a \\\\| b c'
    """
    return " ".join(str(text).split()).replace("|", "\\|")


def figure(value: float, *, signed: bool = False) -> str:
    """Return a figure as people read it.

    >>> figure(0.79123), figure(5.0), figure(1067371.0), figure(-0.004, signed=True), figure(float("nan"))
    ('.791', '5', '1\u202f067\u202f371', '−.004', '–')
    """
    if isnan(value):
        return _NOTHING
    sign = ("−" if value < 0 else "+" if signed and value else "") if round(value, 3) else ""
    size = abs(value)
    if float(size).is_integer() or size >= _INTEGER_FROM:
        return sign + f"{size:,.0f}".replace(",", NARROW_SPACE)
    return sign + f"{size:.3f}".removeprefix("0")


def _figures(table: pd.DataFrame, study: Study) -> str:
    shown = [name for name in study.metrics if table.loc[table["metric"] == name, "value"].notna().any()]
    heads = [part for name in shown for part in (name, "Δ")]
    lines = [_row(["variant", *heads, "n"]), _row(["---"] + ["---:"] * (len(heads) + 1))]
    for name, rows in table.groupby("variant", sort=False):
        by_metric = {row["metric"]: row for row in rows.to_dict("records")}
        figures = [text for metric in shown for text in (told_value(by_metric[metric]), _change(by_metric[metric]))]
        lines.append(_row([f"{cell(name)} (reference)" if name == study.reference else cell(name), *figures, _n(rows)]))
    return "\n".join(lines)


def _by_metric(table: pd.DataFrame, study: Study) -> Iterator[TextTable]:
    columns = ("variant", "[95 % interval]", "Δ")
    for metric in study.metrics:
        rows = table[table["metric"] == metric]
        if rows["value"].notna().any():
            cells = ((row["variant"], told_value(row), _starred(row)) for row in rows.to_dict("records"))
            yield TextTable(metric, columns, tuple(cells), words=(0, 1, 2))


def told_value(row: Mapping[Hashable, Any]) -> str:
    """Return the value of a row of ``comparison`` with its interval."""
    return figure(row["value"]) + _interval(row["low"], row["high"])


def told_difference(row: Mapping[Hashable, Any]) -> str:
    """Return the difference of a row of ``comparison`` to the reference, with its interval."""
    if isnan(row["difference"]):
        return ""
    return figure(row["difference"], signed=True) + _interval(row["difference_low"], row["difference_high"])


def _change(row: Mapping[Hashable, Any]) -> str:
    text = told_difference(row)
    return f"**{text}**" if _is_clear(row) else text


def _starred(row: Mapping[Hashable, Any]) -> str:
    return told_difference(row) + (" *" if _is_clear(row) else "")


def _is_clear(row: Mapping[Hashable, Any]) -> bool:
    return bool(row["difference_low"] > 0 or row["difference_high"] < 0)


def _interval(low: float, high: float) -> str:
    return "" if isnan(low) or isnan(high) else f" [{figure(low)}, {figure(high)}]"


def _n(rows: pd.DataFrame) -> str:
    return figure(float(rows["customers"].iloc[0]))


def _legend(
    study: Study,
    found: Mapping[str, Sequence[Finished]],
    resamples: int,
    *,
    mark: str = "bold",
    counts: str = " n: customers.",
) -> str:
    seeds = max(len(runs) for runs in found.values())
    over = f" Figures are means over {seeds} seeds." if seeds > 1 else ""
    compared = (
        f" Δ: difference to **{study.reference}**, {mark} where its interval leaves out zero."
        if len(found) > 1 and study.reference in found
        else ""
    )
    return (
        f"In brackets: 95 % intervals, from {resamples} redraws of the customers, the same for both sides of a "
        f"difference; figures without one are not known customer by customer.{compared}{counts}{over}"
    )


def _lacking(missing: Mapping[str, str]) -> str:
    return "\n".join(f"- **{name}** is not in the table: {' '.join(why.split())}" for name, why in missing.items())


def _what_was_run(study: Study, found: Mapping[str, Sequence[Finished]]) -> str:
    runs = [run for several in found.values() for run in several]
    told = [
        f"Run: `{study.command}` of {len(found)} variants",
        f"as of {_each(run.as_of for run in runs)}",
        f"test dates {_each(', '.join(run.dates) for run in runs)}" if any(run.dates for run in runs) else "",
        f"data {_each(f'{run.source} ({run.data_digest})' for run in runs)}",
        f"versions {_each(_versions(run) for run in runs)}",
    ]
    return "; ".join(part for part in told if part) + "."


def _versions(run: Finished) -> str:
    return ", ".join(f"{name} {run.versions[name]}" for name in _SHOWN_VERSIONS if name in run.versions)


def _each(values: Iterable[str]) -> str:
    return " / ".join(dict.fromkeys(values))


def _variants(study: Study) -> str:
    lines = [_row(["variant", "differs from the base in"]), _row(["---", "---"])]
    for variant in study.variants:
        changes = ", ".join(f"`{key}: {value_name(value)}`" for key, value in variant.overrides.items())
        lines.append(_row([cell(variant.name), cell(changes) or "nothing"]))
    return "\n".join(lines)


def _notices(found: Mapping[str, Sequence[Finished]]) -> str:
    """Return what the variants remarked, each remark once with the variants that made it."""
    by_notice: dict[str, list[str]] = {}
    for name, runs in found.items():
        for notice in dict.fromkeys(notice for run in runs for notice in run.notices):
            by_notice.setdefault(notice, []).append(name)
    lines = [
        f"- {'all' if len(names) == len(found) else ', '.join(names)}: {notice}" for notice, names in by_notice.items()
    ]
    return "\n".join(["Notes:", "", *lines]) if lines else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
