"""One way to write a notebook down, without what a run happens to bring along: two runs give equal bytes."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

PICTURE = "image/png"
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OWN = "segml"
"""Key of a notebook's metadata that is ours: ``needs`` names the public data set without which it cannot run."""

_PNG_HEAD = b"\x89PNG\r\n\x1a\n"
_DRAWING = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}")
_RUN_ID = re.compile(r"\b[0-9a-f]{32}\b")


def normal_form(notebook: NotebookNode, folders: Iterable[Path] = ()) -> NotebookNode:
    """Return the notebook with fixed ids, counts and metadata; in outputs, without folders, addresses and run ids.

    A run id becomes ``run-1``, ``run-2``, … in the order of appearance.

    Parameters
    ----------
    folders : paths inside them are written as relative ones
    """
    wording = _Wording(folders)
    counts = iter(range(1, len(notebook.cells) + 1))
    cells = [_cell(cell, place, counts, wording) for place, cell in enumerate(notebook.cells, 1)]
    own = {OWN: notebook.metadata[OWN]} if OWN in notebook.metadata else {}
    return nbformat.from_dict(  # type: ignore[no-any-return, no-untyped-call]
        {"cells": cells, "metadata": {**KERNEL, **own}, "nbformat": 4, "nbformat_minor": 5}
    )


def written(notebook: NotebookNode) -> str:
    """Return the text of the notebook's file."""
    return f"{nbformat.writes(notebook).rstrip()}\n"  # type: ignore[no-untyped-call]


def without_outputs(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as before any run."""
    clean = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    for cell in clean.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)
    return clean  # type: ignore[no-any-return]


def head(source: str) -> str:
    """Return the first line of a cell, by which people know it.

    >>> head("data.ledger\\n")
    'data.ledger'
    """
    return (source.strip().splitlines() or ["empty"])[0]


def _cell(cell: NotebookNode, place: int, counts: Iterator[int], wording: _Wording) -> dict[str, Any]:
    tags = {"tags": list(cell.metadata["tags"])} if "tags" in cell.metadata else {}
    plain = {"cell_type": cell.cell_type, "id": f"cell-{place:02}", "metadata": tags, "source": cell.source.strip()}
    if cell.cell_type != "code":
        return plain
    outputs = [_output(output, wording) for output in cell.outputs]
    counted = next(counts)
    for output in outputs:
        if "execution_count" in output:
            output["execution_count"] = counted
    return {**plain, "execution_count": counted, "outputs": [output for output in outputs if not _is_empty(output)]}


def _output(output: NotebookNode, wording: _Wording) -> dict[str, Any]:
    plain = dict(output)
    if "text" in plain:
        plain["text"] = wording(plain["text"])
    if "data" in plain:
        plain["data"] = {kind: _content(kind, value, wording) for kind, value in sorted(plain["data"].items())}
        plain["metadata"] = {}
    return plain


def _is_empty(output: dict[str, Any]) -> bool:
    """Tell whether an output shows nothing, as what is left of a progress line."""
    shown = [output["text"]] if "text" in output else list(output.get("data", {"": "an error"}).values())
    return not any(str(part).strip() for part in shown)


def _content(kind: str, value: Any, wording: _Wording) -> Any:
    if kind == PICTURE:
        return base64.b64encode(bare_png(base64.b64decode(value))).decode()
    return wording(value) if isinstance(value, str) else value


def bare_png(picture: bytes) -> bytes:
    """Return a PNG without texts, times and other remarks: only what is drawn.

    Raises
    ------
    ValueError : it is no PNG
    """
    if not picture.startswith(_PNG_HEAD):
        raise ValueError(f"a PNG begins with {_PNG_HEAD!r}; found {picture[:8]!r}")
    return _PNG_HEAD + b"".join(chunk for kind, chunk in _chunks(picture[len(_PNG_HEAD) :]) if kind in _DRAWING)


def _chunks(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the bytes of each chunk: length, kind, content, checksum."""
    while body:
        end = 12 + struct.unpack(">I", body[:4])[0]
        yield body[4:8], body[:end]
        body = body[end:]


class _Wording:
    """What a text says without the places, addresses and names of one run."""

    def __init__(self, folders: Iterable[Path]) -> None:
        paths = sorted({str(path) for folder in folders for path in (folder, folder.resolve())}, key=len, reverse=True)
        self._folders = [re.compile(rf"{re.escape(path)}(/|\b)") for path in paths]
        self._runs: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        for folder in self._folders:
            text = folder.sub(lambda found: "" if found[1] else ".", text)
        return _RUN_ID.sub(self._run, _ADDRESS.sub("0x…", text))

    def _run(self, found: re.Match[str]) -> str:
        return self._runs.setdefault(found[0], f"run-{len(self._runs) + 1}")
