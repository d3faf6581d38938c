"""Brings pages that live outside ``docs`` into the site, and points links at where their targets stand there.

Sphinx reads one folder only. Before it does, notebooks, studies and the changelog are copied to ``docs/generated``, in
the places that they have in the repository. Links stay as they are in the sources, where GitHub and editors follow
them; they are rewritten while a page is read.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
GENERATED = DOCS / "generated"
PAGES = ("*.md", "benchmarks/*.md", "notebooks/*.md", "notebooks/*.ipynb", "experiments/*.md", "experiments/*/*.md")
PICTURES = ("experiments/**/*.png",)
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?!\w+:|#|/)(?P<target>[^)\s#\"\\]+)(?P<anchor>#[^)\s]*)?\)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Copy before the sources are looked for, rewrite when they are read."""
    app.connect("builder-inited", _copy)
    app.connect("source-read", _rewrite)
    return {"parallel_read_safe": True}


def mirrored() -> set[Path]:
    """Return the files outside ``docs`` that are pages, or pictures on pages."""
    return {path for pattern in (*PAGES, *PICTURES) for path in ROOT.glob(pattern) if path.is_file()}


def _copy(app: Sphinx) -> None:
    wanted = {GENERATED / path.relative_to(ROOT): path for path in mirrored()}
    for folder in {pattern.split("/")[0] for pattern in PAGES if "/" in pattern}:
        for stale in {path for path in (GENERATED / folder).rglob("*") if path.is_file()} - set(wanted):
            stale.unlink()
    for target, path in wanted.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def _rewrite(app: Sphinx, docname: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(docname))
    copies = mirrored()
    origin = ROOT / page.relative_to(GENERATED) if page.is_relative_to(GENERATED) else page
    if page != origin and origin not in copies:
        return  # its links were written for where it stands
    source[0] = rewritten(source[0], origin.parent, page.parent, copies)
    if origin.name == "README.md":
        source[0] += _pages_below(origin, copies)


def rewritten(text: str, origin: Path, here: Path, copies: set[Path]) -> str:
    """Return a page's text with its relative links as they have to be in the site.

    Parameters
    ----------
    origin : the folder that the links start from
    here : the folder in which the page stands in the site's sources
    copies : files of the repository that stand in ``generated``
    """

    def moved(link: re.Match[str]) -> str:
        target = (origin / link["target"]).resolve()
        if target / "README.md" in copies:
            target /= "README.md"
        is_page = target in copies or target.is_relative_to(DOCS)
        if target in copies:
            target = GENERATED / target.relative_to(ROOT)
        path = os.path.relpath(target, here)
        if target.suffix == ".md" and not is_page:
            return f"{{download}}`{link['text']} <{path}>`"
        return f"[{link['text']}]({path}{link['anchor'] or ''})"

    return _LINK.sub(moved, text)


def _pages_below(readme: Path, copies: set[Path]) -> str:
    """Return a list of the pages in a README's folder, and in folders below that have no README, for the navigation."""
    if readme.parent == ROOT:
        return ""
    below = sorted(page for page in copies - {readme} if page.suffix != ".png" and _readme_over(page, copies) == readme)
    names = [page.relative_to(readme.parent).with_suffix("").as_posix() for page in below]
    return "\n".join(["", "", "```{toctree}", ":hidden:", "", *names, "```", ""]) if names else ""


def _readme_over(page: Path, copies: set[Path]) -> Path | None:
    """Return the nearest README above a page."""
    folders = page.parent.parents if page.name == "README.md" else (page.parent, *page.parent.parents)
    return next((folder / "README.md" for folder in folders if folder / "README.md" in copies), None)
