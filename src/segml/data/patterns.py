"""Whole-text patterns over columns, as the data base's own regular expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import ibis
from ibis.expr.types import BooleanValue, StringValue

from segml.schema import ConfigError


def matches_any(text: StringValue, patterns: Sequence[str]) -> BooleanValue:
    """Tell which texts match one of the patterns as a whole, whatever their case; no text matches nothing."""
    if not patterns:
        return ibis.literal(False)
    return text.re_search(_whole("|".join(f"(?:{pattern})" for pattern in patterns))).fill_null(False)


def refuse_unusable(backend: Any, patterns: Sequence[str]) -> None:
    """Raise ``ConfigError`` for a pattern that the data base cannot use; it knows no look-around."""
    for pattern in patterns:
        try:
            backend.to_pyarrow(ibis.literal("").re_search(_whole(pattern)))
        except duckdb.Error as error:
            raise ConfigError(
                f"data.cleaning: the pattern {pattern!r} cannot be used ({error}); write it without look-ahead, "
                "look-behind and back-references"
            ) from None


def _whole(pattern: str) -> str:
    return f"(?i)^(?:{pattern})$"
