"""What is wrong with a configuration, in words: the key, what was found, what was expected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel

from segml.config.sections import Config
from segml.schema import did_you_mean


def explain(problem: Any, model: type[BaseModel] = Config) -> str:
    """Return one error of pydantic's, found in values for a model, as a line for people."""
    key = ".".join(_path(problem["loc"], model))
    found = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key{_nearest_key(problem['loc'], model)}"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case "union_tag_invalid":
            kinds = problem["ctx"]["expected_tags"].replace("'", "").split(", ")
            kind = problem["ctx"]["tag"]
            return f"{key}.kind: there is no kind {kind!r}{did_you_mean(kind, kinds) or '; known: ' + ', '.join(kinds)}"
        case "union_tag_not_found":
            return f"{key}: lacks the key 'kind', which tells what it is; found {found!r}"
        case _:
            return f"{key}: {problem['msg'].replace('Input', 'this', 1)}; found {found!r}{_yaml_trap(problem)}"


def _yaml_trap(problem: Any) -> str:
    found, kind = problem["input"], problem["type"]
    if isinstance(found, bool) and kind not in ("bool_type", "bool_parsing"):
        return " (YAML reads yes, no, on and off as true and false; write a number, or put text in quotes)"
    if isinstance(found, str) and kind in ("float_type", "int_type", "finite_number"):
        return _number_hint(found)
    if not isinstance(found, str) and kind == "string_type":
        return " (put it in quotes)"
    return ""


def _number_hint(text: str) -> str:
    try:
        return f" (YAML reads this as text; write {float(text):g})"
    except ValueError:
        return ""


def _path(location: tuple[Any, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys of a location; the kinds of alternatives, which pydantic puts among them, are none."""
    return [key for key, _ in _walk(location, model)]


def _walk(location: tuple[Any, ...], model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Yield the keys of a location, each with the section that it stands in; None in a mapping, or where unknown."""
    section: Any = model
    alternatives: dict[str, type[BaseModel]] = {}
    is_name = False
    for part in map(str, location):
        if not is_name and part in alternatives:
            section, alternatives = alternatives[part], {}
            continue
        yield part, None if is_name or alternatives else section
        if is_name:  # a name that the user gave, such as that of a custom scheme, is no key
            is_name = False
            continue
        field = section.model_fields.get(part) if section is not None else None
        models = list(_models_in(field.annotation)) if field is not None else []
        section = models[0] if models else None
        alternatives = {str(one.model_fields["kind"].default): one for one in models} if len(models) > 1 else {}
        is_name = field is not None and get_origin(field.annotation) is dict


def _nearest_key(location: tuple[Any, ...], model: type[BaseModel]) -> str:
    leaf, section = list(_walk(location, model))[-1]
    if section is None:
        return ""
    here = did_you_mean(leaf, section.model_fields)
    if here:
        return here
    elsewhere = [key for key in Config().flat() if key.rpartition(".")[2] == leaf] if model is Config else []
    return f"; did you mean {elsewhere[0]!r}?" if elsewhere else f"; known here: {', '.join(section.model_fields)}"


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the sections that an annotation holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)
