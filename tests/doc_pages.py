"""What tests of the documentation read: pages in Markdown, the commands on them, and the built site."""

import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit

REPOSITORY = Path(__file__).resolve().parents[1]
DOCS = REPOSITORY / "docs"
GENERATED = DOCS / "generated"
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "benchmarks/*.md", "notebooks/*.md", "experiments/**/*.md")
    for path in REPOSITORY.glob(pattern)
)

_FENCE = re.compile(r"^ *```+(?P<language>\S*)[^\n]*\n(?P<body>.*?)^ *```+ *$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\((?!\w+:)(?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")
_COMMAND = re.compile(r"python -m segml\.(?P<name>[\w.]+)(?P<words>(?:[^\n]*\\\n)*[^\n]*)")
_REST = re.compile(r"(?:^|\s)(?:[|>;#]|&&|2>).*", re.DOTALL)


def module(name: str) -> ModuleType:
    """Return a module of ``docs`` or of its extensions."""
    for folder in (DOCS, DOCS / "_extensions"):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return importlib.import_module(name)


def prose(text: str) -> str:
    """Return a page without its fences."""
    return _FENCE.sub("", text)


def fences(text: str, language: str) -> list[str]:
    """Return the bodies of the fences of a language."""
    return [fence["body"] for fence in _FENCE.finditer(text) if fence["language"] == language]


@dataclass(frozen=True)
class Command:
    """A call of ``python -m segml.NAME`` on a page; in a sentence or a synopsis it is not one that could be run."""

    name: str
    words: tuple[str, ...]
    is_whole: bool

    @property
    def flags(self) -> list[str]:
        """The options that are given."""
        return [word.strip("[]").partition("=")[0] for word in self.words if word.lstrip("[").startswith("--")]


def commands(text: str) -> Iterator[Command]:
    """Yield the commands that a page shows."""
    shells = [fence["body"] for fence in _FENCE.finditer(text) if fence["language"] in ("", "bash", "sh", "console")]
    for shell in shells:
        yield from _commands(shell, is_whole=True)
    for span in _SPAN.findall(prose(text)):
        yield from _commands(" ".join(span.split()), is_whole=False)


def _commands(text: str, *, is_whole: bool) -> Iterator[Command]:
    for found in _COMMAND.finditer(text):
        words = shlex.split(_REST.sub("", found["words"].replace("\\\n", " ").replace("`", "")))
        is_synopsis = any(word.startswith("[") or word.isupper() for word in words)
        yield Command(found["name"], tuple(words), is_whole and not is_synopsis)


def links(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield the targets of a page's relative links, with the anchor or ""."""
    for link in _LINK.finditer(prose(path.read_text(encoding="utf-8"))):
        target = (path.parent / unquote(link["target"])).resolve() if link["target"] else path
        yield target, link["anchor"] or ""


def anchors(path: Path) -> set[str]:
    """Return the anchors of a Markdown page's headings, as GitHub makes them."""
    text = prose(path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


def slug(heading: str) -> str:
    """Return the anchor of a heading.

    >>> slug("How good is it?"), slug("Lifecycle: `lifecycle`")
    ('how-good-is-it', 'lifecycle-lifecycle')
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@dataclass
class Page:
    """A page of the built site.

    Attributes
    ----------
    ids : what its links and those of other pages may point at
    links : of ``a``
    loaded : what a browser fetches to show it: pictures, styles, scripts
    """

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.page.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        elif tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "preconnect", "dns-prefetch"):
            self.page.loaded.append(given["href"])
        elif "src" in given:
            self.page.loaded.append(given["src"])


def built_pages(folder: Path) -> dict[Path, Page]:
    """Return the pages of a built site by their paths."""
    return {path: _read(path) for path in sorted(folder.rglob("*.html")) if "_static" not in path.parts}


def _read(path: Path) -> Page:
    reader = _Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader.page


def target(link: str, path: Path) -> tuple[Path, str] | None:
    """Return the file and anchor that a link of a page points at; None where it leaves the site."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None
    return (path.parent / unquote(parts.path)).resolve() if parts.path else path, unquote(parts.fragment)
