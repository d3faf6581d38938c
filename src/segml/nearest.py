"""Names that are nearly right: errors that tell which one was meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from segml.schema import did_you_mean

P = ParamSpec("P")
R = TypeVar("R")


class TellsNearest:
    """An object whose ``AttributeError`` names the nearest attribute; access to what is there costs nothing."""

    if not TYPE_CHECKING:  # to a type checker every attribute would be there

        def __getattr__(self, name: str) -> object:
            if hasattr(type(self), name):  # a property, in which an attribute is missing
                return object.__getattribute__(self, name)
            raise no_attribute(f"{type(self).__name__!r} object", name, lambda: dir(self))


def no_attribute(owner: str, name: str, known: Callable[[], Iterable[str]]) -> AttributeError:
    """Return the error for an attribute that is not there, with the nearest public one.

    Names with an underscore are asked for by machines (copy, pickle, rich display), often; nothing is looked up then.
    The error keeps no object, or Python would add a suggestion of its own.

    >>> str(no_attribute("'Dataset' object", "feature", lambda: ["features", "labels"]))
    "'Dataset' object has no attribute 'feature'; did you mean 'features'?"
    """
    nearest = "" if name.startswith("_") else did_you_mean(name, public(known()))
    return AttributeError(f"{owner} has no attribute {name!r}{nearest}", name=name)


def public(names: Iterable[str]) -> list[str]:
    """Return the names without an underscore before them.

    >>> public(["a", "_b", "__c__"])
    ['a']
    """
    return [name for name in names if not name.startswith("_")]


def tells_nearest_argument(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function so that an unknown argument is answered with the nearest one.

    >>> @tells_nearest_argument
    ... def prepare(*, horizon_days=90): return horizon_days
    >>> prepare(horizon_day=60)
    Traceback (most recent call last):
    TypeError: prepare() has no argument 'horizon_day'; did you mean 'horizon_days'?
    """
    known = inspect.signature(function).parameters

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in known:
                nearest = did_you_mean(name, known) or f"; there are: {', '.join(known)}"
                raise TypeError(f"{function.__name__}() has no argument {name!r}{nearest}")
        return function(*args, **kwargs)

    return checked
