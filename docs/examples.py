"""Runs the Python of a page, and writes what it prints below it: ``python docs/examples.py docs/tutorial.md …``.

A fence of ``text`` right below one of ``python`` is its output: what it printed, and its last value as in a notebook.
"""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<output>.*?)^```\n)?", re.MULTILINE | re.DOTALL)
QUICK = {
    "demo.customers": 300,
    "churn.max_snapshots": 6,
    "churn.bootstrap": 50,
    "churn.boosting.max_iter": 40,
    "segments.clusters.bootstrap": 4,
    "segments.clusters.candidates": ["kmeans"],
    "segments.clusters.kmeans.most_k": 5,
    "segments.interval_resamples": 20,
}
"""Settings of the data set that pages call ``data``: a training takes seconds."""


@dataclass(frozen=True)
class Example:
    """A block of a page: its code, the output that stands below it (None: none does), and the one that it gave."""

    code: str
    shown: str | None
    printed: str


def run(text: str, names: dict[str, Any]) -> Iterator[Example]:
    """Run a page's blocks one after the other, in a folder of their own and with these names to begin with."""
    known = dict(names)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for block in _BLOCK.finditer(text):
            yield Example(block["code"], block["output"], _output(block["code"], known))


def written(text: str, names: dict[str, Any]) -> str:
    """Return the page with the outputs that its blocks give, where it shows outputs."""
    printed = iter([example.printed for example in run(text, names)])

    def with_output(block: re.Match[str]) -> str:
        output = next(printed)
        code = f"```python\n{block['code']}```\n"
        return code if block["output"] is None else f"{code}\n```text\n{output}```\n"

    return _BLOCK.sub(with_output, text)


def shared_names() -> dict[str, Any]:
    """Return what pages take for granted: ``data``, a small demo."""
    import segml

    return {"data": segml.prepare("demo", settings=QUICK, progress=False)}


def _output(code: str, known: dict[str, Any]) -> str:
    *steps, last = ast.parse(code).body
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(
            compile(ast.Module([*steps, *([] if isinstance(last, ast.Expr) else [last])], []), "<page>", "exec"), known
        )
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), "<page>", "eval"), known)
            if value is not None:
                print(repr(value))
    return "".join(f"{line.rstrip()}\n" for line in printed.getvalue().splitlines())


def main(pages: list[str]) -> None:
    """Rewrite the outputs on these pages."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    names = shared_names()
    for page in map(Path, pages):
        page.write_text(written(page.read_text(encoding="utf-8"), names), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
