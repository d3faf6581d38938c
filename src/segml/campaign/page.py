"""An effect on a page, in Markdown, and its picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from segml.campaigns import ALL, Measured
from segml.campaigns.words import OUTCOMES
from segml.config import CampaignConfig, Outcome
from segml.language import _, numerals
from segml.plots import house_style, plot_forest

PAGE, PICTURE, TABLE = "effect.md", "effect.png", "effect.csv"
NOTHING = "–"
_FORMATS: dict[Outcome, str] = {"revenue": ",.0f", "bought": ".1f", "orders": ".2f"}
_UNITS: dict[Outcome, float] = {"revenue": 1.0, "bought": 100.0, "orders": 1.0}
"""The share who buy is shown in per cent, and its effect in points."""
_WIDTH, _ROW, _AROUND = 7.2, 0.34, 0.9


def page(found: Measured, config: CampaignConfig) -> str:
    """Return the page of a campaign's effect."""
    parts = [
        f"# {config.name}",
        *(f"**{caution}**" for caution in found.cautions),
        "\n".join(f"- {sentence}" for sentence in found.finding),
        f"![{heading(config)}]({PICTURE})",
        "\n".join(_rows(found.table, config)),
        _("Effects are as assigned (intent to treat), within strata, and adjusted by the period before."),
    ]
    return "\n\n".join(parts) + "\n"


@house_style()
def draw(found: Measured, config: CampaignConfig) -> Figure:
    """Return the picture: all customers, hollow, and the segments, each with its interval."""
    unit, table = _UNITS[config.outcome], found.table
    figure = Figure(figsize=(_WIDTH, _ROW * len(table) + _AROUND), layout="constrained")
    axes = figure.subplots()
    rows = pd.DataFrame(
        {
            "name": [label(name) for name in table["segment"]],
            "value": table["difference"] * unit,
            "low": table["low"] * unit,
            "high": table["high"] * unit,
            "is_reference": table["segment"] == ALL,
        }
    )
    plot_forest(rows, axes, line=0.0)
    axes.set_title(heading(config), loc="left", fontsize=10)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, the same bytes for the same figure."""
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def heading(config: CampaignConfig) -> str:
    """Return what is shown."""
    words = _("Effect on {outcome} within {days} days, {level:.0%} intervals")
    return words.format(outcome=_(OUTCOMES[config.outcome]), days=config.days, level=1 - config.alpha)


def label(segment: str) -> str:
    """Return how a segment is called on a page."""
    return _("all customers") if segment == ALL else segment


def figures(row: pd.Series, config: CampaignConfig) -> tuple[str, ...]:
    """Return a row of effects as people read it: segment, arms, mean without treatment, difference, interval, q."""
    told = teller(config.outcome)
    interval = NOTHING if math.isnan(row["low"]) else f"{told(row['low'], True)} … {told(row['high'], True)}"
    doubt = NOTHING if math.isnan(row["q_value"]) else numerals(f"{row['q_value']:.3f}")
    arms = (str(row["treated"]), str(row["control"]))
    values = (told(row["control_mean"], False), told(row["difference"], True))
    return (label(str(row["segment"])), *arms, *values, interval, doubt)


def teller(outcome: Outcome) -> Callable[..., str]:
    """Return how figures of an outcome are written, ``told(value, is_signed=False)``; unknown ones as a dash."""
    unit, form = _UNITS[outcome], _FORMATS[outcome]

    def told(value: float, is_signed: bool = False) -> str:
        if math.isnan(value):
            return NOTHING
        return numerals(format(unit * value, f"+{form}" if is_signed else form))

    return told


def headings() -> tuple[str, ...]:
    """Return the headings above ``figures``."""
    return (_("segment"), _("treated"), _("control"), _("without it"), _("effect"), _("interval"), "q")


def _rows(table: pd.DataFrame, config: CampaignConfig) -> list[str]:
    names = headings()
    rows = [names, tuple("---" for _name in names)]
    rows += [tuple(_cell(text) for text in figures(row, config)) for _place, row in table.iterrows()]
    return [f"| {' | '.join(row)} |" for row in rows]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
