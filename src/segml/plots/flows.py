"""Flows between segments: from where they were on the left to where they are on the right, as wide as they are many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from segml.language import _
from segml.plots.style import (
    FAINT,
    GREY,
    INK,
    MUTED,
    SERIES,
    axes_or_new,
    compact,
    elide,
    house_style,
    thousands,
)

WIDTH = 0.035
"""Of a segment's bar; the two stand at 0 and at 1."""
GAP = 0.022
"""Between two bars, as a share of the whole."""
_LINE = 0.055  # of a label: those of thin bars are moved apart
_DECIMALS = 6  # of an amount that went through shares of the whole
_STAYED, _MOVED = 0.55, 0.6  # opacity

Band = tuple[float, float]


@house_style()
def plot_flows(
    data: pd.DataFrame, ax: Axes | None = None, *, value: str = "customers", order: Sequence[str] = ()
) -> Axes:
    """Draw who went from which segment to which; who stayed is drawn in grey, who moved in the colour of the origin.

    Parameters
    ----------
    data : ``from``, ``to`` and the value; null where a customer was not there then ("(new)"), or is not now ("(gone)").
        Up to some nine segments read well; flows of nothing are left out
    value : column that makes the width: ``customers``, or one of money
    order : segments from the top down; others follow in the order of their appearance
    """
    flows = data[data[value] > 0].assign(**{value: data[value].astype("float64")})
    appear = [*data["from"].dropna(), *data["to"].dropna()]
    segments = [name for name in dict.fromkeys([*order, *appear]) if name in set(appear)]
    ax = axes_or_new(ax, width=6.6, height=max(3.0, 0.42 * (len(segments) + 1) + 0.6))
    total = float(flows[value].sum()) or 1.0
    shares = flows.assign(share=flows[value] / total)
    left, right = _bars(shares, "from", segments), _bars(shares, "to", segments)
    colours = {name: SERIES[place % len(SERIES)] for place, name in enumerate(segments)} | {None: GREY}
    _draw_flows(ax, shares, left, right, colours)
    written = thousands if value == "customers" else compact
    for bars, x, head in ((left, 0.0, _("last time")), (right, 1.0, _("now"))):
        _draw_bars(ax, bars, x, colours)
        _name_bars(
            ax, bars, x, {name: written(round((end - start) * total, _DECIMALS)) for name, (start, end) in bars.items()}
        )
        side = "left" if x == 0 else "right"
        ax.annotate(head, (x, 0), xytext=(0, 6), textcoords="offset points", ha=side, color=MUTED, fontsize=9)
    ax.set_xlim(-0.62, 1.62)
    ax.set_ylim(max([1.0, *(end for _start, end in (*left.values(), *right.values()))]), 0)
    ax.set_axis_off()
    return ax


def _bars(shares: pd.DataFrame, end: str, segments: Sequence[str]) -> dict[str | None, Band]:
    """Return where each segment's bar begins and ends, from the top down; those who are at one end only come last."""
    top, bars = 0.0, dict[str | None, Band]()
    for name in (*segments, None):
        members = shares[end].isna() if name is None else shares[end] == name
        height = float(shares.loc[members, "share"].sum())
        if height > 0:
            bars[name] = (top, top + height)
            top += height + GAP
    return bars


def _draw_flows(
    ax: Axes,
    shares: pd.DataFrame,
    left: Mapping[str | None, Band],
    right: Mapping[str | None, Band],
    colours: Mapping[str | None, str],
) -> None:
    starts = {name: start for name, (start, _end) in left.items()}
    goals = {name: start for name, (start, _end) in right.items()}
    order = {name: place for place, name in enumerate(dict.fromkeys((*left, *right)))}
    ends = shares[["from", "to"]].astype("object").where(shares[["from", "to"]].notna(), None)
    pairs = list(zip(ends["from"], ends["to"], shares["share"], strict=True))
    for origin, goal, height in sorted(pairs, key=lambda pair: (order[pair[0]], order[pair[1]])):
        is_kept = origin == goal
        ax.add_patch(
            PathPatch(
                _ribbon(starts[origin], goals[goal], height),
                facecolor=FAINT if is_kept else colours[origin],
                alpha=_STAYED if is_kept else _MOVED,
                linewidth=0,
                zorder=1 if is_kept else 2,
            )
        )
        starts[origin] += height
        goals[goal] += height


def _ribbon(start: float, goal: float, height: float) -> Path:
    """Return a band of constant height that leaves and arrives level."""
    left, middle, right = WIDTH, 0.5, 1 - WIDTH
    points = [
        (left, start),
        *((middle, start), (middle, goal), (right, goal)),
        (right, goal + height),
        *((middle, goal + height), (middle, start + height), (left, start + height)),
        (left, start),
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    return Path(points, codes)


def _draw_bars(ax: Axes, bars: Mapping[str | None, Band], x: float, colours: Mapping[str | None, str]) -> None:
    edge = 0.0 if x == 0 else 1 - WIDTH
    for name, (start, end) in bars.items():
        ax.add_patch(Rectangle((edge, start), WIDTH, end - start, facecolor=colours[name], linewidth=0, zorder=3))


def _name_bars(ax: Axes, bars: Mapping[str | None, Band], x: float, amounts: Mapping[str | None, str]) -> None:
    absent, offset, side = (_("(new)"), -7, "right") if x == 0 else (_("(gone)"), 7, "left")
    for name, y in zip(bars, _apart(list(bars.values())), strict=True):
        ax.annotate(
            f"{elide(absent if name is None else name, 22)}  {amounts[name]}",
            (x, y),
            xytext=(offset, 0),
            textcoords="offset points",
            ha=side,
            va="center",
            color=INK if name is not None else MUTED,
            fontsize=9,
        )


def _apart(bands: Sequence[Band]) -> list[float]:
    """Return the height of each label: in the middle of its bar, but not upon the one above it."""
    heights: list[float] = []
    for start, end in bands:
        middle = (start + end) / 2
        heights.append(max(middle, heights[-1] + _LINE) if heights else middle)
    return heights
