"""What every group of configuration keys is made of."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from segml.nearest import no_attribute
from segml.schema import ConfigError

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A group of keys: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    if not TYPE_CHECKING:  # to a type checker every key would be there

        def __getattr__(self, name: str) -> object:
            if name.startswith("_") or hasattr(type(self), name):
                return super().__getattr__(name)
            raise no_attribute(
                f"{type(self).__name__!r} object", name, lambda: [*type(self).model_fields, *vars(type(self))]
            )


def require_extra(package: str, *, extra: str) -> ModuleType:
    """Return a package that comes with an extra of segml, imported.

    Raises
    ------
    ConfigError : it is not installed, or lacks a system library; says how to install it
    """
    try:
        return importlib.import_module(package)
    except (ImportError, OSError) as error:
        raise ConfigError(f"needs {package}: pip install 'segml[{extra}]' ({error})") from None
