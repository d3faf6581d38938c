"""How objects show themselves: one card, as HTML in a notebook and as plain text everywhere else.

What a card of an object holds is registered with ``card``, above the rooms that the objects live in.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from rich.cells import cell_len
from rich.console import Console

from segml.nearest import TellsNearest

TEXT_WIDTH = 64
"""Characters of a cell in plain text; longer ones end in an ellipsis."""

STYLE = (
    ".segml{font-size:.92em;line-height:1.35;max-width:72em;overflow-x:auto}"
    ".segml h4{margin:.2em 0 .4em;font-size:1.1em}"
    ".segml table{border-collapse:collapse;margin:.2em 0 .9em;font-size:inherit;color:inherit;background:none}"
    ".segml caption{caption-side:top;text-align:left;font-weight:600;padding:.2em 0;color:inherit}"
    ".segml th,.segml td{padding:.22em .8em .22em 0;border:0;vertical-align:top;background:none;color:inherit}"
    ".segml td:first-child{white-space:nowrap}"
    ".segml thead th{font-weight:500;opacity:.7;vertical-align:bottom}"
    ".segml tr{border-bottom:1px solid rgba(128,128,128,.3);background:none}"
    ".segml tr.total td{font-weight:600}"
    ".segml p{margin:.3em 0;max-width:60em}"
    ".segml .note{padding-left:.7em;border-left:3px solid rgba(200,140,0,.8)}"
    ".segml .more{opacity:.7}"
)
"""Colours come from the page, so that cards read well on light and on dark."""


def plain_console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """Return a console that in a notebook prints plain lines, where Rich would make a block of each."""
    is_terminal = False if is_notebook() else None
    return Console(stderr=stderr, quiet=quiet, highlight=False, force_jupyter=False, force_terminal=is_terminal)


def is_notebook() -> bool:
    """Tell whether a kernel runs us, whose front end shows what is displayed."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return hasattr(shell, "kernel")


@dataclass(frozen=True)
class Grid:
    """A table of ready text.

    Attributes
    ----------
    words : the columns that hold words; the others hold figures, and are set to the right
    totals : the rows that sum up others
    more : what is not shown, in words; empty where all is
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    totals: tuple[int, ...] = ()
    more: str = ""


@dataclass(frozen=True)
class Says:
    """Sentences; notices stand out."""

    sentences: tuple[str, ...]
    are_notices: bool = False


@dataclass(frozen=True)
class Link:
    """An address that can be followed."""

    text: str
    address: str


@dataclass(frozen=True)
class Card:
    """What an object shows of itself."""

    title: str
    parts: tuple[Grid | Says | Link, ...] = ()


class Displayed(TellsNearest):
    """An object that shows its card: rich in a notebook, and as text where it is printed."""

    def __init_subclass__(cls) -> None:
        """Let IPython, which prefers a class's own ``__repr__`` to what it inherits, show the card."""
        cls._repr_pretty_ = Displayed._repr_pretty_  # type: ignore[method-assign]

    def __str__(self) -> str:
        shown = card(self)
        return repr(self) if shown is None else to_text(shown)

    def _repr_html_(self) -> str | None:
        shown = card(self)
        return None if shown is None else to_html(shown)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self) if cycle else str(self))


@singledispatch
def card(shown: object) -> Card | None:
    """Return the card of an object; None where none is registered for its type."""
    return None


def notices(sentences: Iterable[str]) -> tuple[Says, ...]:
    """Return the part of a card that holds notices, if there are any."""
    told = tuple(sentences)
    return (Says(told, are_notices=True),) if told else ()


def to_html(shown: Card) -> str:
    """Return a card as HTML that needs nothing else: no script, no address, every value escaped."""
    parts = "".join(_part_in_html(part) for part in shown.parts)
    return f'<div class="segml"><style>{STYLE}</style><h4>{_escaped(shown.title)}</h4>{parts}</div>'


def to_text(shown: Card) -> str:
    """Return a card as plain text."""
    return "\n\n".join([_one_line(shown.title), *(_part_in_text(part) for part in shown.parts)])


def _part_in_html(part: Grid | Says | Link) -> str:
    match part:
        case Grid():
            return _grid_in_html(part)
        case Says():
            kind = ' class="note"' if part.are_notices else ""
            return "".join(f"<p{kind}>{_escaped(sentence)}</p>" for sentence in part.sentences)
        case Link():
            return f"<p>{_link_in_html(part)}</p>"


def _part_in_text(part: Grid | Says | Link) -> str:
    match part:
        case Grid():
            return _grid_in_text(part)
        case Says():
            prefix = "note: " if part.are_notices else ""
            return "\n".join(f"{prefix}{_one_line(sentence)}" for sentence in part.sentences)
        case Link():
            return f"{part.text}: {part.address}"


def _link_in_html(link: Link) -> str:
    if not link.address.startswith(("http://", "https://")):
        return f"{_escaped(link.text)}: {_escaped(link.address)}"
    return f'<a href="{_escaped(link.address)}">{_escaped(link.text)}</a>'


def _grid_in_html(grid: Grid) -> str:
    caption = f"<caption>{_escaped(grid.title)}</caption>" if grid.title else ""
    head = "".join(f"<th{_side(grid, place)}>{_escaped(name)}</th>" for place, name in enumerate(grid.columns))
    body = "".join(_row_in_html(grid, place) for place in range(len(grid.rows)))
    more = f'<p class="more">{_escaped(grid.more)}</p>' if grid.more else ""
    headed = f"<thead><tr>{head}</tr></thead>" if any(grid.columns) else ""
    return f"<table>{caption}{headed}<tbody>{body}</tbody></table>{more}"


def _row_in_html(grid: Grid, place: int) -> str:
    kind = ' class="total"' if place in grid.totals else ""
    cells = (f"<td{_side(grid, column)}>{_escaped(value)}</td>" for column, value in enumerate(grid.rows[place]))
    return f"<tr{kind}>{''.join(cells)}</tr>"


def _side(grid: Grid, column: int) -> str:
    return f' style="text-align:{"left" if column in grid.words else "right"}"'


def _grid_in_text(grid: Grid) -> str:
    headed = [grid.columns] if any(grid.columns) else []
    table = [[_short(value) for value in row] for row in (*headed, *grid.rows)]
    widths = [max(cell_len(row[column]) for row in table) for column in range(len(grid.columns))]
    lines = [_aligned(row, widths, grid.words) for row in table]
    return "\n".join([*([grid.title] if grid.title else []), *lines, *([grid.more] if grid.more else [])])


def _aligned(row: Sequence[str], widths: Sequence[int], words: Sequence[int]) -> str:
    cells = (
        f"{value}{_gap(value, width)}" if column in words else f"{_gap(value, width)}{value}"
        for column, (value, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"  {'  '.join(cells)}".rstrip()


def _gap(value: str, width: int) -> str:
    return " " * (width - cell_len(value))


def _short(value: str) -> str:
    text = _one_line(value)
    return text if len(text) <= TEXT_WIDTH else f"{text[: TEXT_WIDTH - 1].rstrip()}…"


def _one_line(text: str) -> str:
    """Return text on one line; numbers keep the thin spaces between their thousands."""
    return " ".join(part for part in text.replace("\r", "\n").replace("\t", " ").split("\n") if part)


def _escaped(text: str) -> str:
    return html.escape(_one_line(text))
