"""The variants of a study by name: those that are told, times the combinations of a grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import product
from typing import Any

Changes = dict[str, Any]


def combinations(
    variants: Mapping[str, Changes | None], grid: Mapping[str, list[Any]]
) -> tuple[dict[str, Changes], list[str]]:
    """Return each variant's changes by its name, and what is wrong with the two together.

    Every told variant is combined with every combination of the grid. A combination is named by the last part of its
    keys and its values.

    >>> combinations({}, {"segments.clusters.kmeans.k": [3, 4]})[0]
    {'k=3': {'segments.clusters.kmeans.k': 3}, 'k=4': {'segments.clusters.kmeans.k': 4}}
    >>> list(combinations({"plain": None, "direct": {"churn.model": "direct"}}, {"seed": [0, 1]})[0])
    ['plain, seed=0', 'plain, seed=1', 'direct, seed=0', 'direct, seed=1']
    """
    if not variants and not grid:
        return {}, ["variants: there are none; name some, or give a grid of dotted keys and lists of values"]
    told = {name: changes or {} for name, changes in variants.items()} or {"": {}}
    both = sorted({key for changes in told.values() for key in changes} & set(grid))
    problems = [f"grid: {key!r} is set by variants too; keep one" for key in both]
    named: dict[str, Changes] = {}
    for (name, changes), cell in product(told.items(), _cells(grid)):
        full = ", ".join(part for part in (name, _name(cell)) if part)
        if full in named:
            problems.append(f"grid: two combinations are called {full!r}; a value is there twice")
        named[full] = {**changes, **cell}
    return named, problems


def value_name(value: Any) -> str:
    """Return a value as it stands in the name of a combination.

    >>> value_name([30, 60]), value_name(None), value_name(True), value_name({"a": 1}), value_name([])
    ('30+60', 'null', 'true', 'a=1', 'none')
    """
    if isinstance(value, list):
        return "+".join(map(value_name, value)) or "none"
    if isinstance(value, dict):
        return "+".join(f"{key}={value_name(item)}" for key, item in value.items()) or "none"
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return str(value)


def short_keys(keys: Iterable[str]) -> dict[str, str]:
    """Return the shortest endings by which dotted keys are told apart.

    >>> short_keys(["churn.model", "clusters.kmeans.k"])
    {'churn.model': 'model', 'clusters.kmeans.k': 'k'}
    >>> short_keys(["a.kmeans.k", "b.kmeans.k"])
    {'a.kmeans.k': 'a.kmeans.k', 'b.kmeans.k': 'b.kmeans.k'}
    """
    parts = {key: key.split(".") for key in keys}
    shown = {}
    for key, own in parts.items():
        others = [other for name, other in parts.items() if name != key]
        lengths = (size for size in range(1, len(own) + 1) if all(other[-size:] != own[-size:] for other in others))
        shown[key] = ".".join(own[-next(lengths, len(own)) :])
    return shown


def _cells(grid: Mapping[str, list[Any]]) -> list[Changes]:
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def _name(cell: Changes) -> str:
    short = short_keys(cell)
    return ", ".join(f"{short[key]}={value_name(value)}" for key, value in cell.items())
