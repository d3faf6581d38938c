"""The playbook: what a segment is called, and what one does about it, in each language; a file that people edit.

Strategies are hypotheses of good practice, not findings: measure them with a control group before you believe them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from segml.config import SegmentsConfig, parse_yaml, read_yaml
from segml.config.explain import explain
from segml.language import _, spoken
from segml.schema import NOT_ENOUGH_DATA, ConfigError, did_you_mean
from segml.schemes import Scheme
from segml.segments import rules
from segml.settings import Section

BUILT_IN = "playbook.yaml"


class Words(Section):
    """A text in English, and in Russian where there is a translation."""

    en: str
    ru: str | None = None

    def __str__(self) -> str:
        translated: str | None = getattr(self, spoken())
        return translated if translated is not None else self.en


class Play(Section):
    """One segment: its name, and the suggested strategy in up to four parts."""

    name: Words
    offer: Words | None = None
    terms: Words | None = None
    contact: Words | None = None
    owner: Words | None = None

    @property
    def strategy(self) -> str:
        """The strategy as one line in the language spoken; "" where none is suggested."""
        return "; ".join(str(part) for part in (self.offer, self.terms, self.contact, self.owner) if part is not None)

    def over(self, other: Play) -> Play:
        """Return this play, with the parts that only the other one tells; a part given as null stays away."""
        return other.model_copy(update={part: getattr(self, part) for part in self.model_fields_set})


Plays = Mapping[str, Mapping[str, Play]]
"""Scheme (the column of its labels) -> segment -> play."""

_PLAYS: TypeAdapter[dict[str, dict[str, Play]]] = TypeAdapter(dict[str, dict[str, Play]])


@dataclass(frozen=True)
class Playbook:
    """Names and strategies of segments; a segment that is not in it goes by its label, and has no strategy."""

    plays: Plays

    def name(self, scheme: str, segment: str) -> str:
        """Return what people call a segment, in the language spoken."""
        if segment == NOT_ENOUGH_DATA:
            return _("not enough data")
        play = self._play(scheme, segment)
        return segment if play is None else str(play.name)

    def strategy(self, scheme: str, segment: str) -> str:
        """Return the suggested strategy in the language spoken; "" where there is none."""
        play = self._play(scheme, segment)
        return "" if play is None else play.strategy

    def over(self, other: Playbook) -> Playbook:
        """Return this playbook, with the segments and parts of strategies that only the other one has."""
        schemes = dict.fromkeys((*other.plays, *self.plays))
        return Playbook({name: _over(self.plays.get(name, {}), other.plays.get(name, {})) for name in schemes})

    def _play(self, scheme: str, segment: str) -> Play | None:
        return self.plays.get(scheme, {}).get(segment)


def _over(own: Mapping[str, Play], other: Mapping[str, Play]) -> dict[str, Play]:
    both = {segment: play.over(other[segment]) if segment in other else play for segment, play in own.items()}
    return {**other, **both}


@cache
def built_in() -> Playbook:
    """Return the playbook that comes with segml."""
    text = files("segml.segments").joinpath(BUILT_IN).read_text(encoding="utf-8")
    return Playbook(_PLAYS.validate_python(parse_yaml(text, BUILT_IN)))


def configured_playbook(config: SegmentsConfig) -> Playbook:
    """Return the playbook that a configuration names, over the built-in one; see ``load_playbook``."""
    return load_playbook(config.playbook, rules.schemes(config))


def load_playbook(path: str | Path | None, schemes: Sequence[Scheme]) -> Playbook:
    """Return the built-in playbook, or one of one's own over it: parts that it does not tell are the built-in ones.

    Parameters
    ----------
    path : YAML: scheme -> segment -> ``name`` and any of ``offer``, ``terms``, ``contact``, ``owner``, each with ``en``
        and optionally ``ru``
    schemes : the schemes of the configuration, whose segments may be described

    Raises
    ------
    ConfigError : the file cannot be read, has other keys, or describes a scheme or segment that there is not
    """
    if path is None:
        return built_in()
    try:
        own = _PLAYS.validate_python(read_yaml(Path(path)))
    except ValidationError as error:
        problems = [f"  {_explained(problem)}" for problem in error.errors()]
        count = f"{len(problems)} error{'s' if len(problems) > 1 else ''} in the playbook {path}"
        raise ConfigError("\n".join([count, *problems])) from None
    _check(own, {scheme.name: scheme.labels for scheme in schemes}, str(path))
    return Playbook(own).over(built_in())


def _explained(problem: Any) -> str:
    """Return one error of pydantic's in words; a key stands under scheme.segment, or one level deeper in a text."""
    *above, key = problem["loc"]
    known = (Play if len(above) == 2 else Words).model_fields
    hint = did_you_mean(str(key), known) or f"; known here: {', '.join(known)}"
    return explain(problem) + (hint if problem["type"] == "extra_forbidden" else "")


def _check(plays: Plays, labels: Mapping[str, tuple[str, ...]], path: str) -> None:
    """Refuse schemes that there are not, and segments of schemes whose labels are declared; clusters have any name."""
    for scheme, segments in plays.items():
        if scheme == "cluster_name":
            continue
        if scheme not in labels:
            raise ConfigError(
                f"the playbook {path} describes {scheme!r}, which is no scheme{did_you_mean(scheme, labels)}"
            )
        unknown = [name for name in segments if labels[scheme] and name not in labels[scheme]]
        if unknown:
            raise ConfigError(
                f"the playbook {path} describes the segment {unknown[0]!r} of {scheme!r}, which has the segments "
                f"{list(labels[scheme])}{did_you_mean(unknown[0], labels[scheme])}"
            )
