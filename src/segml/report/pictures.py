"""Plots as inline SVG: small, repeatable to the byte, themed by the page, described in words."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segml.plots import house_style, style

THEME = {
    style.INK: "ink",
    style.MUTED: "muted",
    style.FAINT: "faint",
    style.PAPER: "paper",
    style.BLUE: "blue",
    style.ORANGE: "orange",
    style.TEAL: "teal",
    style.PURPLE: "purple",
    style.OCHRE: "ochre",
    style.GREY: "grey",
}
"""Colours of the plots that the page's style sheet defines, for light and for dark."""

NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))


@dataclass(frozen=True)
class Picture:
    """A drawing, what it shows in one sentence, and how wide it is in points."""

    svg: Markup
    caption: str
    width: int


def picture(
    key: str, caption: str, draw: Callable[[Axes], object], *, width: float = 4.6, height: float = 3.2
) -> Picture:
    """Return a plot as a picture for the page.

    Parameters
    ----------
    key : name of the picture on the page, a word without blanks
    caption : one sentence; also read aloud in place of the drawing
    draw : draws on the axes it is given
    width, height : inches
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    with house_style():
        draw(figure.add_subplot())
        sheet = io.StringIO()
        figure.savefig(sheet, format="svg", metadata=NO_METADATA)
    return Picture(Markup(_for_page(sheet.getvalue(), key, caption)), caption, round(width * 72))


def _for_page(svg: str, key: str, caption: str) -> str:
    """Return the drawing without what only a file needs, its names unique on the page, its colours the page's."""
    body = re.sub(r"<style.*?</style>|<!--.*?-->", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(|href=")#([^)"]+)', body))
    # Only tags are touched, never the text between them: a segment may be called "#1f5fa8" or "0.123456".
    body = re.sub(r"<[^>]+>", lambda tag: _restyle(tag[0], key, used), body)
    described = f'role="img" aria-label="{escape(caption)}"'
    return re.sub(r'<svg[^>]*(viewBox="[^"]+")[^>]*>', lambda head: f"<svg {head[1]} {described}>", body)


def _restyle(tag: str, key: str, used: set[str]) -> str:
    tag = re.sub(r' id="([^"]+)"', lambda name: f' id="{key}-{name[1]}"' if name[1] in used else "", tag)
    tag = re.sub(r"url\(#", f"url(#{key}-", tag)
    tag = re.sub(r'xlink:href="#', f'href="#{key}-', tag)
    tag = re.sub(r"\d+\.\d{3,}", lambda digits: f"{float(digits[0]):.2f}".rstrip("0").rstrip("."), tag)
    tag = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--sans)", tag)
    tag = re.sub(r' transform="rotate\(-0 [^"]*"', "", tag)
    for colour, name in THEME.items():
        tag = tag.replace(colour, f"var(--{name})")
    return tag
