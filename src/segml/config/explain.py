"""What is wrong with a configuration, in words: the key, what was found, what was expected."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel

from segml.config.sections import Config
from segml.schema import did_you_mean


def explain(problem: Any, model: type[BaseModel] = Config) -> str:
    """Return one error of pydantic's, found in values for a model, as a line for people."""
    key = ".".join(str(part) for part in problem["loc"])
    found = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key{_nearest_key(problem['loc'], model)}"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
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


def _nearest_key(location: tuple[Any, ...], model: type[BaseModel]) -> str:
    *parents, leaf = [str(part) for part in location]
    section: Any = model
    is_name = False
    for parent in parents:
        if is_name:  # a name that the user gave, such as that of a custom scheme, is no key
            is_name = False
            continue
        if parent not in section.model_fields:
            return ""
        annotation = section.model_fields[parent].annotation
        section, is_name = _model_of(annotation), get_origin(annotation) is dict
        if section is None:
            return ""
    here = did_you_mean(leaf, section.model_fields)
    if here:
        return here
    elsewhere = [key for key in Config().flat() if key.rpartition(".")[2] == leaf] if model is Config else []
    return f"; did you mean {elsewhere[0]!r}?" if elsewhere else f"; known here: {', '.join(section.model_fields)}"


def _model_of(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *get_args(annotation)]
    return next((a for a in candidates if isinstance(a, type) and issubclass(a, BaseModel)), None)
