"""A study as its file tells it: the question, the variants of a configuration, and what is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from segml import config
from segml.config import Config
from segml.experiment.metrics import DEFAULTS, unknown
from segml.experiment.naming import Changes, combinations
from segml.schema import ConfigError, did_you_mean
from segml.settings import Section

Text = Annotated[str, Field(min_length=1)]
Command = Literal["backtest", "train"]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]


class StudyFile(Section):
    """The keys of a study's file; ``set`` holds for all variants, dotted keys of the configuration everywhere."""

    question: Text
    answer: str = ""  # for the index
    command: Command = "backtest"
    config: Text | None = None  # relative to the study's file
    set: dict[Text, Any] = Field(default_factory=dict)
    variants: dict[Text, dict[Text, Any] | None] = Field(default_factory=dict)
    grid: dict[Text, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    reference: Text | None = None  # default: the first variant
    metrics: tuple[Text, ...] = ()  # default: by command
    seeds: tuple[Seed, ...] = ()  # default: the configuration's
    dates: tuple[date, ...] = ()  # of tests; default: the configuration's


@dataclass(frozen=True)
class Variant:
    """What is compared with others: a configuration, once for every seed."""

    name: str
    overrides: Changes
    configs: tuple[Config, ...]


@dataclass(frozen=True)
class Study:
    """A study that may run: every configuration in it is valid.

    Attributes
    ----------
    path : the file
    base : the configuration that all variants differ from
    variants : in the order of the file
    reference : name of the variant against which differences are taken
    metrics : names of what is compared
    overrides : what the command line set, ``KEY=VALUE``
    """

    path: Path
    question: str
    answer: str
    command: Command
    base: Config
    variants: tuple[Variant, ...]
    reference: str
    metrics: tuple[str, ...]
    overrides: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the file without its ending."""
        return self.path.stem

    @property
    def folder(self) -> Path:
        """Where results and finished variants are kept: a folder of the study's name beside its file."""
        return self.path.with_suffix("")

    def chosen(self, names: Sequence[str]) -> tuple[Variant, ...]:
        """Return the variants of these names, or all where none is given; raise ``ConfigError`` for other names."""
        known = [variant.name for variant in self.variants]
        for name in names:
            if name not in known:
                hint = did_you_mean(name, known) or f"; it has: {', '.join(known)}"
                raise ConfigError(f"--only: {self.path} has no variant {name!r}{hint}")
        return tuple(variant for variant in self.variants if not names or variant.name in names)


def read(path: str | Path) -> StudyFile:
    """Return the keys of a study's file; whether its configurations are valid is not looked at.

    Raises
    ------
    ConfigError : with all that is wrong with the file, one a line
    """
    told, problems = config.checked(StudyFile, config.read_yaml(Path(path)))
    if told is None:
        raise config.all_errors(problems, str(path))
    return told


def load(path: str | Path, overrides: Sequence[str] = ()) -> Study:
    """Return the study of a file.

    Parameters
    ----------
    overrides : ``"dotted.key=YAML value"``, over all variants

    Raises
    ------
    ConfigError : with all that is wrong with the file, or with the configurations in it, one a line
    """
    path, told = Path(path), read(path)
    named, problems = combinations(told.variants, told.grid)
    given = config.read_yaml(path.parent / told.config) if told.config else {}
    base, wrong = _configured(given, told.set, overrides)
    problems += wrong
    made: list[Variant] = []
    for name, changes in named.items():
        settings, own = _configured(given, {**told.set, **changes}, overrides)
        problems += [f"variant {name!r}: {problem}" for problem in own if problem not in wrong]
        made += [_variant(name, changes, settings, told)] if settings is not None else []
    problems += [*_repeated(made), *_reference(told, named), *unknown(told.metrics, told.command)]
    if problems or base is None:
        raise config.all_errors(problems, str(path))
    return Study(
        path=path,
        question=told.question,
        answer=told.answer,
        command=told.command,
        base=_dated(base, told),
        variants=tuple(made),
        reference=told.reference or made[0].name,
        metrics=told.metrics or DEFAULTS[told.command],
        overrides=tuple(overrides),
    )


def _configured(given: Changes, changes: Changes, overrides: Sequence[str]) -> tuple[Config | None, list[str]]:
    """Return the configuration of a base with changes, or None and what is wrong with it."""
    values = _copied(given)
    for key, value in changes.items():
        config.place(values, key, value)
    for override in overrides:
        config.apply(values, override)
    made, problems = config.checked(Config, values)
    return made, list(problems)


def _copied(values: Any) -> Any:
    """Return nested values whose sections may be written to."""
    return {key: _copied(value) for key, value in values.items()} if isinstance(values, dict) else values


def _variant(name: str, changes: Changes, settings: Config, told: StudyFile) -> Variant:
    dated = _dated(settings, told)
    seeds = told.seeds or (dated.seed,)
    return Variant(name, changes, tuple(dated.model_copy(update={"seed": seed}) for seed in seeds))


def _dated(settings: Config, told: StudyFile) -> Config:
    return config.with_test_dates(settings, told.dates) if told.dates else settings


def _repeated(variants: Sequence[Variant]) -> list[str]:
    """Return a sentence for each variant that can only give what an earlier one gives."""
    first: dict[str, str] = {}
    problems = []
    for variant in variants:
        known = first.setdefault(config.digest(variant.configs[0]), variant.name)
        if known != variant.name:
            problems.append(f"variant {variant.name!r} gives what {known!r} gives: no key that changes results differs")
    return problems


def _reference(told: StudyFile, named: dict[str, Changes]) -> list[str]:
    if told.reference is None or told.reference in named:
        return []
    hint = did_you_mean(told.reference, named) or f"; known: {', '.join(named)}"
    return [f"reference: there is no variant {told.reference!r}{hint}"]
