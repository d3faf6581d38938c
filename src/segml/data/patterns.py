"""Whole-text patterns over columns, as the data base's own regular expressions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
from ibis.expr.types import BooleanValue, StringValue

from segml.data.functions import matches, whole
from segml.schema import ConfigError, first_line


def matches_any(text: StringValue, patterns: Sequence[str]) -> BooleanValue:
    """Tell which texts match one of the patterns as a whole, whatever their case; no text matches nothing."""
    if not patterns:
        return ibis.literal(False)
    return matches(text, "|".join(f"(?:{pattern})" for pattern in patterns)).fill_null(False)


def refuse_unusable(backend: Any, patterns: Sequence[str]) -> None:
    """Raise ``ConfigError`` for a pattern that the data base cannot use; it knows no look-around."""
    if not patterns or _error(backend, patterns) is None:
        return
    errors = {pattern: _error(backend, [pattern]) for pattern in patterns}
    pattern, error = next((pattern, error) for pattern, error in errors.items() if error is not None)
    raise ConfigError(
        f"data.cleaning: the pattern {pattern!r} cannot be used ({error}); write it without look-ahead, look-behind "
        "and back-references"
    )


def _error(backend: Any, patterns: Sequence[str]) -> str | None:
    """Return what the data base has against using the patterns."""
    try:
        backend.to_pyarrow(ibis.or_(*(ibis.literal("").re_search(whole(pattern, backend)) for pattern in patterns)))
    except Exception as error:  # each engine has errors of its own
        return first_line(error)
    return None
