"""The messages that a translation has to cover. Run as a script, it brings the files under ``locale/`` up to date.

New messages are added empty, for somebody to translate; messages that no code uses any more go.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import segml
from segml.config import HdbscanConfig, KMeansConfig
from segml.features import CATALOG, described

PACKAGE = Path(segml.__file__).parent
LOCALES = PACKAGE / "locale"
METHODS = [("**.py", "python"), ("report/templates/**.j2", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
Message = tuple[str | tuple[str, ...], str]


def wanted() -> Catalog:
    """Return all messages, untranslated, each with the files it stands in."""
    catalog = Catalog()
    for message, place in [*written(), *computed()]:
        catalog.add(message, locations=[(place, 0)])
    return catalog


def written() -> Iterator[Message]:
    """Yield the messages that are marked in code and templates."""
    for place, _, message, _, _ in extract_from_dir(PACKAGE, METHODS, keywords=KEYWORDS, callback=None):
        yield message, place


def computed() -> Iterator[Message]:
    """Yield the messages that code puts together: what is said of features and of the columns beside them."""
    for feature in CATALOG:
        yield from ((text, "features") for text in (feature.unit, feature.meaning, feature.group))
    sources = [*(feature.source for feature in CATALOG), *(column.source for column in described())]
    yield from ((source, "features") for source in sources if " " in source)
    features = dict.fromkeys((*KMeansConfig().features, *HdbscanConfig().features))
    yield from ((name.replace("_", " "), "config/clusters.py") for name in features)


def load(path: Path) -> Catalog:
    """Return the translations in a file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def update(path: Path) -> Catalog:
    """Bring a file of translations up to date, and return what is in it now."""
    catalog, template = load(path), wanted()
    template.creation_date = catalog.creation_date
    catalog.update(template, no_fuzzy_matching=True, update_header_comment=False)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, ignore_obsolete=True, sort_output=True, include_lineno=False)
    return catalog


def texts(string: object) -> tuple[object, ...]:
    """Return all forms of a translation."""
    return tuple(string) if isinstance(string, list | tuple) else (string,)


if __name__ == "__main__":
    for path in sorted(LOCALES.glob("*.po")):
        empty = [message.id for message in update(path) if message.id and not all(texts(message.string))]
        print(f"{path.name}: {len(empty)} messages to translate", *empty, sep="\n  ")
