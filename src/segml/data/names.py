"""Company names made comparable: one spelling, whatever the legal form, quotes, case, punctuation and blanks."""

from __future__ import annotations

import re
import unicodedata

# Legal forms as they read in lower case without dots and with initials joined.
_RUSSIAN_FORMS = (
    "общество с ограниченной ответственностью",
    "(?:(?:публичное|непубличное|открытое|закрытое) )?акционерное общество",
    "индивидуальный предприниматель",
    "[озпн]?ао|ооо|ип|тоо|одо|чп|нко|уп|[фм]?гуп|муп",
)
_WESTERN_FORMS = (
    "limited liability company|llc|[opc]?jsc|limited|ltd|incorporated|inc|corporation|corp|company|co|plc|llp|lp",
    "gmbh|mbh|ag|kgaa|kg|ohg|ug|sarl|sas|sa|spa|srl|sl|bv|nv|oyj?|ab|aps|sro|sp z ?oo|pty|pte",
)
_IN_FRONT = re.compile(rf"^(?:(?:{'|'.join(_RUSSIAN_FORMS)}) )+")
_BEHIND = re.compile(rf"(?: (?:{'|'.join(_RUSSIAN_FORMS + _WESTERN_FORMS)}))+$")
_ONLY_A_FORM = re.compile("|".join(_RUSSIAN_FORMS + _WESTERN_FORMS))

_SILENT = re.compile(r"[.'’`]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
_BETWEEN_INITIALS = re.compile(r"(?<=\b\w) (?=\w\b)")
_LETTER = re.compile(r"[^\W\d_]")

# Texts that stand where a name should be; cards that share one have nothing in common.
_GENERIC = re.compile(
    "unknown|test|customer|client|private|private person|individual|retail|retail customer|cash|cash customer|guest|"
    "no name|not available|not specified|none|null|nan|na|tbd|dummy|other|new customer|"
    "неизвестно|неизвестный|тест|клиент|новый клиент|покупатель|розница|розничный покупатель|физлицо|физ лицо|"
    "физическое лицо|частное лицо|без названия|без имени|не указано|нет|нет данных|прочие|наличные"
)


def normalise(name: str) -> str | None:
    """Return a company's name in its comparable spelling; None where it says nothing (blank, generic, no letters).

    Russian legal forms are taken off both ends, others off the end, none out of the middle; ё counts as е.

    >>> normalise('ООО "Ромашка"'), normalise("РОМАШКА,  ооо"), normalise("Acme & Sons Ltd."), normalise("Co-op B.V.")
    ('ромашка', 'ромашка', 'acme sons', 'co op')
    >>> normalise("ООО"), normalise("n/a"), normalise("12345")
    (None, None, None)
    """
    folded = unicodedata.normalize("NFKC", name).casefold().replace("ё", "е")
    words = _BETWEEN_WORDS.sub(" ", _SILENT.sub("", folded)).strip()
    joined = _BETWEEN_INITIALS.sub("", words)
    bare = _BEHIND.sub("", _IN_FRONT.sub("", joined))
    says_nothing = len(bare) < 2 or _GENERIC.fullmatch(bare) or _ONLY_A_FORM.fullmatch(bare) or not _LETTER.search(bare)
    return None if says_nothing else bare
