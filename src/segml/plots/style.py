"""The house style of every picture: colours, type, and the few helpers that all plots share."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from babel.dates import get_month_names
from matplotlib import style as mpl_style
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import ConciseDateFormatter, DateLocator
from matplotlib.ticker import FuncFormatter

from segml.language import NARROW_SPACE, _, in_this_language, numerals, spoken

INK = "#1c2733"
MUTED = "#5b6876"
FAINT = "#d5dbe1"
PAPER = "#ffffff"
BLUE = "#1f5fa8"
ORANGE = "#c4560d"
TEAL = "#1b7f73"
PURPLE = "#8455a8"
OCHRE = "#8f6f00"
GREY = "#8b97a4"
SERIES = (BLUE, ORANGE, TEAL, PURPLE, OCHRE)
"""Told apart by the colour-blind too, and by lightness in grey print."""

ON_LIGHT, ON_DARK = "#101820", "#fdfdfe"
DIVERGING = LinearSegmentedColormap.from_list(
    "segml_diverging", ["#b5500f", "#eda36b", "#f4f4f1", "#85b0dc", "#1d5796"]
)
SEQUENTIAL = LinearSegmentedColormap.from_list("segml_sequential", ["#eef3f8", "#a9c8e6", "#4d8ac4", "#123f73"])

HOUSE: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # ships with matplotlib: the same layout everywhere
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,  # a customer called "$ & $" is no formula
    "figure.facecolor": PAPER,
    "figure.figsize": (5.2, 3.4),
    "savefig.facecolor": PAPER,
    "axes.facecolor": PAPER,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "date.converter": "concise",
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.2,
    "svg.fonttype": "none",  # text stays text: sharp, small, searchable, readable aloud
    "svg.hashsalt": "segml",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style, whatever the caller's own matplotlib settings; a context, or a decorator."""
    with mpl_style.context(HOUSE, after_reset=True):
        yield
        is_interactive = mpl.is_interactive()
    mpl.interactive(is_interactive)  # a notebook's first figure switches it on, and later ones are shown only then


def axes_or_new(ax: Axes | None, width: float = 5.2, height: float = 3.4) -> Axes:
    """Return the given axes, or those of a new figure of this size in inches."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def elide(text: object, length: int) -> str:
    """Return the text cut to a length, with an ellipsis where something is missing.

    >>> elide("Общество с ограниченной ответственностью", 12)
    'Общество с…'
    """
    words = " ".join(str(text).split())
    return words if len(words) <= length else words[: length - 1].rstrip(" ,.") + "…"


def wrap(text: object, width: int, lines: int) -> list[str]:
    """Return the text in at most so many lines of at most so many characters; what is too long is elided.

    >>> wrap("frequent, large, loyal buyers of tape", 12, 2)
    ['frequent,', 'large, loya…']
    """
    rows = [""]
    for word in str(text).split():
        joined = f"{rows[-1]} {word}".strip()
        if len(rows) == lines or len(joined) <= width or not rows[-1]:
            rows[-1] = joined
        else:
            rows.append(word)
    return [elide(row, width) for row in rows]


def percent(share: float) -> str:
    """Return a share as a percentage: finer below ten per cent, where a whole one would hide too much.

    >>> percent(0.064), percent(0.64), percent(0.0), percent(0.0001), percent(-0.0001)
    ('6.4%', '64%', '0%', '<0.1%', '0%')
    """
    if abs(share) < 0.0005:
        return numerals("<0.1%" if share > 0 else "0%")
    return numerals(f"{share * 100:.{1 if abs(share) < 0.0995 else 0}f}%").replace("-", "−")


def thousands(number: float) -> str:
    """Return a whole number with thin spaces between thousands.

    >>> thousands(-1234567.4), thousands(-0.2)
    ('−1\\u202f234\\u202f567', '0')
    """
    return f"{number:z,.0f}".replace(",", NARROW_SPACE).replace("-", "−")


def signed(number: float) -> str:
    """Return a whole number as ``thousands`` does, with its sign; nothing has none.

    >>> signed(1200), signed(-0.2)
    ('+1\\u202f200', '0')
    """
    return ("+" if number >= 0.5 else "") + thousands(number)


def compact(number: float) -> str:
    """Return a number in at most four characters or so: 950, 12 k, 1.2 M.

    >>> compact(950), compact(12_300), compact(1_240_000), compact(3.1e9)
    ('950', '12\\u202fk', '1.2\\u202fM', '3.1\\u202fbn')
    """
    for size, unit in ((1e9, _("bn")), (1e6, _("M")), (1e3, _("k"))):
        if abs(number) >= size:
            scaled = number / size
            digits = numerals(f"{scaled:.{0 if abs(scaled) >= 10 else 1}f}")
            return f"{digits}{NARROW_SPACE}{unit}".replace("-", "−")
    return f"{number:.0f}".replace("-", "−")


def percent_axis(axis: Any) -> None:
    """Write the ticks of an axis of shares as percentages."""
    axis.set_major_formatter(FuncFormatter(in_this_language(_percent_tick)))


def money_axis(axis: Any) -> None:
    """Write the ticks of an axis of money at a glance."""
    axis.set_major_formatter(FuncFormatter(in_this_language(_money_tick)))


def date_axis(axis: Any) -> None:
    """Write the ticks of an axis of dates briefly, with the months of the language spoken."""
    axis.set_major_formatter(_Dates(axis.get_major_locator()))


def _percent_tick(share: float, place: int | None) -> str:
    return numerals(f"{share:.0%}")


def _money_tick(money: float, place: int | None) -> str:
    return compact(money)


class _Dates(ConciseDateFormatter):
    """Concise dates with months in a language, whatever the machine's."""

    def __init__(self, locator: DateLocator) -> None:
        super().__init__(locator)  # type: ignore[no-untyped-call]
        known = get_month_names("abbreviated", "stand-alone", spoken())
        self._months = {calendar.month_abbr[number]: name for number, name in known.items()}

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks."""
        return [self._in_words(label) for label in super().format_ticks(values)]  # type: ignore[no-untyped-call]

    def get_offset(self) -> str:
        """Return what all ticks share."""
        return self._in_words(super().get_offset())  # type: ignore[no-untyped-call]

    def _in_words(self, label: str) -> str:
        return re.sub("|".join(map(re.escape, self._months)), lambda month: self._months[month[0]], label)


def name_rows(ax: Axes, names: Sequence[object], length: int = 28) -> None:
    """Write names beside rows 0, 1, 2, … from the top down, as plain text."""
    ax.set_yticks(range(len(names)), [elide(name, length) for name in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    for label in ax.get_yticklabels():
        label.set_parse_math(False)
        label.set_color(INK)
