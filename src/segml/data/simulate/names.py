"""Invented company names, and the ways in which people misspell them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from segml.data.simulate.clock import Flags


@dataclass(frozen=True)
class Alphabet:
    """Word parts, legal forms and quotes of one language."""

    heads: tuple[str, ...]
    middles: tuple[str, ...]
    tails: tuple[str, ...]
    forms: tuple[str, ...]
    quotes: tuple[str, str]


CYRILLIC = Alphabet(
    ("Нор", "Вел", "Кор", "Тар", "Сиб", "Дон", "Гран", "Луч", "Мер", "Пол", "Рус", "Фар", "Бел", "Зар", "Орт", "Юг"),
    ("ла", "ни", "ро", "ва", "те", "ми", "со", "ди", "ка", "ле", "гра", "пу", "за", "хо", "бе", "ну"),
    ("текс", "снаб", "мет", "пром", "дом", "торг", "маш", "строй", "вент", "крон", "лит", "град", "пак", "сервис"),
    ("ООО", "АО", "ПАО"),
    ("«", "»"),
)
LATIN = Alphabet(
    ("Vel", "Nor", "Kas", "Tor", "Mer", "Lun", "Bal", "Dor", "Fen", "Gar", "Hal", "Ost", "Pra", "Rin", "Sol", "Wes"),
    ("ma", "ni", "ro", "va", "te", "mi", "so", "di", "ka", "le", "gra", "pu", "za", "ho", "be", "nu"),
    ("tek", "fix", "nova", "dur", "lund", "mont", "pak", "plast", "stal", "term", "vent", "via", "werk", "zon"),
    ("LLC", "Ltd", "JSC", "GmbH"),
    ("", ""),
)


def bare_names(rng: Generator, latin: Flags) -> list[str]:
    """Return a different name for each company, without its legal form; ``latin`` tells the alphabet."""
    names = np.empty(len(latin), dtype=object)
    for alphabet, chosen in ((CYRILLIC, ~latin), (LATIN, latin)):
        names[chosen] = _distinct(rng, alphabet, int(chosen.sum()))
    return names.tolist()


def _distinct(rng: Generator, alphabet: Alphabet, count: int) -> list[str]:
    words = [a + b + c for a in alphabet.heads for b in alphabet.middles for c in alphabet.tails]
    order = rng.permutation(len(words))
    series = [divmod(number, len(words)) for number in range(count)]
    return [words[order[at]] + (f" {round_ + 1}" if round_ else "") for round_, at in series]


def legal_names(rng: Generator, names: list[str], latin: Flags) -> list[str]:
    """Return the names as registered, with legal form and quotes in the customary order."""
    forms = rng.random(len(names)) ** 2  # the first form of the list is the commonest
    return [
        _legal(name, LATIN if foreign else CYRILLIC, form)
        for name, foreign, form in zip(names, latin, forms, strict=True)
    ]


def _legal(name: str, alphabet: Alphabet, draw: float) -> str:
    left, right = alphabet.quotes
    return _with_form(f"{left}{name}{right}", alphabet.forms[int(draw * len(alphabet.forms))], alphabet)


def _with_form(name: str, form: str, alphabet: Alphabet) -> str:
    return f"{form} {name}" if alphabet is CYRILLIC else f"{name} {form}"


def misspelt(rng: Generator, names: list[str], latin: Flags) -> list[str]:
    """Return the same names as a second clerk types them: other form, quotes, case and blanks."""
    styles = rng.integers(4, size=len(names))
    return [
        _misspelt(name, LATIN if foreign else CYRILLIC, style)
        for name, foreign, style in zip(names, latin, styles, strict=True)
    ]


def _misspelt(name: str, alphabet: Alphabet, style: int) -> str:
    form = alphabet.forms[style % len(alphabet.forms)]
    match style:
        case 0:
            return _with_form(f'"{name.lower()}"', form.lower(), alphabet)
        case 1:
            return f"  {name.upper()}   {form} "
        case 2:
            return _with_form(f"'{name}'", form, alphabet)
        case _:
            return f"{name}, {form}"
