"""From YAML files and ``--set`` overrides to a configuration; all errors are reported at once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from segml.config.digests import AFTERWARDS
from segml.config.explain import explain
from segml.config.sections import Config
from segml.schema import ConfigError
from segml.settings import Section

S = TypeVar("S", bound=Section)


def load(path: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration of a YAML file with overrides, over the built-in defaults.

    Parameters
    ----------
    path : file of differences from the defaults, or None
    overrides : ``"dotted.key=YAML value"``, applied in order after the file

    Raises
    ------
    ConfigError : with all errors found, one a line
    """
    values = read_yaml(Path(path)) if path is not None else {}
    for override in overrides:
        apply(values, override)
    return from_mapping(values, source=str(path) if path is not None else "--set")


def from_mapping(values: Mapping[str, Any], source: str = "the configuration") -> Config:
    """Return the configuration with these nested differences; raise ``ConfigError`` with all errors."""
    made, problems = checked(Config, values)
    if made is None:
        raise all_errors(problems, source)
    return made


def checked(model: type[S], values: Mapping[str, Any]) -> tuple[S | None, tuple[str, ...]]:
    """Return what nested values make of a group of keys, or None and all that is wrong with them, a line each."""
    try:
        return model.model_validate_json(json.dumps(values, default=_iso)), ()
    except ValidationError as error:
        return None, tuple(explain(problem, model) for problem in error.errors())


def all_errors(problems: Sequence[str], source: str) -> ConfigError:
    """Return the error that tells all that is wrong with a source, one problem a line."""
    count = f"{len(problems)} error{'s' if len(problems) > 1 else ''} in {source}"
    return ConfigError("\n".join([count, *(f"  {problem}" for problem in problems)]))


def looking_back_from(config: Config, as_of: str | date | None) -> Config:
    """Return the configuration with another as-of date; None means midnight after the last transaction."""
    values = config.model_dump(mode="json")
    return from_mapping({**values, "as_of": as_of}, source="the as-of date")


def with_test_dates(config: Config, dates: Sequence[date]) -> Config:
    """Return the configuration with these test dates."""
    return config.model_copy(update={"backtest": config.backtest.model_copy(update={"as_of": tuple(dates)})})


def learnt_under(config: Config, learnt: Config) -> Config:
    """Return what belongs to a run (data, engine, as-of date) with everything else of the configuration of a model."""
    of_the_run = ("data", "engine", "demo", "as_of", "threads", *AFTERWARDS)
    return learnt.model_copy(update={name: getattr(config, name) for name in of_the_run})


def refreshed_under(config: Config, learnt: Config) -> Config:
    """Return the configuration of a refresh: what ``learnt_under`` returns, with the report of the run."""
    return learnt_under(config, learnt).model_copy(update={"report": config.report})


class _StrictLoader(yaml.SafeLoader):
    """YAML without surprises: a key given twice is an error."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise ConfigError(f"line {line}: the key {key_node.value!r} is read by YAML as {key!r}; put it in quotes")
        if key in mapping:
            raise ConfigError(f"line {line}: the key {key!r} is given twice; keep one")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def parse_yaml(text: str, source: str) -> Any:
    """Return what a YAML text holds; a key given twice, or one that is no text, is a ``ConfigError``."""
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except ConfigError as error:
        raise ConfigError(f"{source}, {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the keys and values of a YAML file; raise ``ConfigError`` where it cannot be read or holds none."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"the file {path} does not exist; give the path of a YAML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the file {path} cannot be read as UTF-8 text: {error}") from None
    values = parse_yaml(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold keys and values; found {type(values).__name__}")
    return values


def apply(values: dict[str, Any], override: str) -> None:
    """Put an override of the form ``"dotted.key=YAML value"`` into nested values."""
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override!r} is not of the form KEY=VALUE, as in --set horizon_days=60")
    place(values, key.strip(), parse_yaml(text, f"--set {key}"))


def place(values: dict[str, Any], key: str, value: Any) -> None:
    """Put a value into nested values under its dotted key; what stands in the way gives way."""
    *parents, leaf = key.split(".")
    section = values
    for parent in parents:
        if not isinstance(section.get(parent), dict):
            section[parent] = {}
        section = section[parent]
    section[leaf] = value


def _iso(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise ConfigError(f"a value of type {type(value).__name__} cannot stand in a configuration: {value!r}")
