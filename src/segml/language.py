"""The language of words for people: English in the code, translations in ``locale/*.po``.

Labels, columns and metric names are identifiers and stay English; sentences, names and rules in words go through
``_``. The language is set for a stretch of code, ``with speaking("ru"): …``, never for the process.

Numbers in a translated message are written as its language does, whatever the format in the code:

>>> with speaking("ru"):
...     _("from {money:,.0f}").format(money=1_500_000)
'от 1\\u202f500\\u202f000'
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from numbers import Real
from string import Formatter
from typing import Any, Literal, ParamSpec, TypeVar

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["en", "ru"]

NARROW_SPACE = "\u202f"
NO_BREAK = "\u00a0"

P = ParamSpec("P")
R = TypeVar("R")

_current: ContextVar[Language] = ContextVar("segml_language", default="en")


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Return words in this language inside the block."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def spoken() -> Language:
    """Return the language that words are in now."""
    return _current.get()


def in_this_language(words: Callable[P, R]) -> Callable[P, R]:
    """Return the function so that it speaks the present language whenever it is called, as ticks of a plot are."""
    language = spoken()

    @wraps(words)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        with speaking(language):
            return words(*args, **kwargs)

    return told


def _(message: str) -> str:
    """Return the message in the language spoken."""
    return _ready(_translations(spoken()).gettext(message)) if message else message


def ngettext(one: str, many: str, quantity: float) -> str:
    """Return the form of the message that fits the quantity, in the language spoken; ``{n}`` is left to the caller."""
    return _ready(_translations(spoken()).ngettext(one, many, round(quantity)))


def N_(message: str) -> str:  # noqa: N802 - the name that tools which collect messages know
    """Mark a message that is translated later, where it is shown."""
    return message


def numerals(text: str) -> str:
    """Return a number as the language spoken writes it, from how Python does.

    >>> with speaking("ru"):
    ...     numerals("-1,234.5"), numerals("64%")
    ('−1\\u202f234,5', '64\\xa0%')
    """
    if spoken() == "en":
        return text
    written = text.replace(",", NARROW_SPACE).replace(".", ",").replace("-", "−")
    return re.sub(r"(?<=\d) ?%", f"{NO_BREAK}%", written)


def _ready(message: str) -> str:
    """Return a message whose ``format`` writes numbers as the language spoken does."""
    return message if spoken() == "en" or "{" not in message else _Message(message)


class _Message(str):
    __slots__ = ()

    def format(self, *args: object, **kwargs: object) -> str:
        return _SpokenNumerals().vformat(self, args, kwargs)


class _SpokenNumerals(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        text = super().format_field(value, format_spec)
        return numerals(text) if isinstance(value, Real) else text


@cache
def _translations(language: Language) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    source = files("segml").joinpath("locale", f"{language}.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(source), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
