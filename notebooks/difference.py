"""Where two notebooks differ, in words: texts by the byte, pictures by what one sees."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

import numpy as np
from matplotlib.image import imread
from nbformat import NotebookNode

from normal_form import PICTURE, head

VISIBLE = 3 / 255
"""From where on a colour of a pixel counts as another one."""
VISIBLE_SHARE = 0.001
"""Of the pixels so many may be other ones: the last digits of a machine's arithmetic move the edges of lines."""

_SHOWN = 80


def first_difference(committed: NotebookNode, now: NotebookNode) -> str | None:
    """Return what differs first, cell and place included; None where nothing does.

    Texts are the same to the byte; pictures are, where hardly any pixel has visibly another colour.
    """
    if len(committed.cells) != len(now.cells):
        return f"{len(committed.cells)} cells are committed, {len(now.cells)} came out"
    for number, (before, after) in enumerate(zip(committed.cells, now.cells, strict=True), 1):
        found = _in_cell(before, after)
        if found:
            return f"cell {number} ({head(after.source)}): {found}"
    return _in_text("the metadata", committed.metadata, now.metadata)


def same_picture(one: str, other: str) -> bool:
    """Tell whether two PNG in base64 look the same."""
    first, second = (imread(io.BytesIO(base64.b64decode(picture)), format="png") for picture in (one, other))
    if first.shape != second.shape:
        return False
    is_other = (np.abs(first - second) > VISIBLE).any(axis=-1)
    return bool(is_other.mean() <= VISIBLE_SHARE)


def _in_cell(before: NotebookNode, after: NotebookNode) -> str | None:
    for name in ("cell_type", "id", "source", "metadata", "execution_count"):
        found = _in_text(name, before.get(name), after.get(name))
        if found:
            return found
    pairs = zip_longest(before.get("outputs", []), after.get("outputs", []))
    return _first(_in_output(number, one, other) for number, (one, other) in enumerate(pairs, 1))


def _in_output(number: int, before: NotebookNode | None, after: NotebookNode | None) -> str | None:
    if before is None or after is None:
        return f"output {number} {'came on top of what' if before is None else 'did not come out, but'} is committed"
    kinds = {**before.get("data", {}), **after.get("data", {})}
    contents = (_in_content(f"output {number}, {kind}", kind, _data(before), _data(after)) for kind in kinds)
    return _first(contents) or _in_text(f"output {number}", _rest(before), _rest(after))


def _in_content(place: str, kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str | None:
    one, other = before.get(kind), after.get(kind)
    if kind == PICTURE and one is not None and other is not None:
        return None if same_picture(one, other) else f"{place}: the picture looks different"
    return _in_text(place, one, other)


def _in_text(place: str, before: object, after: object) -> str | None:
    """Return the first line that differs."""
    if before == after:
        return None
    for one, other in zip_longest(str(before).splitlines(), str(after).splitlines(), fillvalue=""):
        if one != other:
            return f"{place}: committed {_around(one, other)!r}, now {_around(other, one)!r}"
    return f"{place}: the ends of lines differ"


def _around(line: str, other: str) -> str:
    """Return the part of a line that begins shortly before it differs from the other."""
    same = next((place for place, (a, b) in enumerate(zip(line, other, strict=False)) if a != b), 0)
    start = max(0, same - _SHOWN // 2)
    return f"{'…' if start else ''}{line[start : start + _SHOWN]}"


def _data(output: NotebookNode) -> Mapping[str, Any]:
    return output.get("data", {})  # type: ignore[no-any-return]


def _rest(output: NotebookNode) -> dict[str, Any]:
    return {name: value for name, value in output.items() if name != "data"}


def _first(found: Iterable[str | None]) -> str | None:
    return next((text for text in found if text), None)
