"""Ibis expressions in PostgreSQL's SQL, with the same meaning as on the other engines."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import sqlglot.expressions as sge
from ibis.backends.sql.compilers import PostgresCompiler


class Compiler(PostgresCompiler):  # type: ignore[misc]
    """Ibis' compiler, but for what it leaves out, and for what depends on the data base's language.

    Which text comes first: every other engine compares text by code points, PostgreSQL's collation "C".
    """

    __slots__ = ()

    def visit_SortKey(self, op: Any, *, arg: Any, **order: Any) -> Any:  # noqa: N802
        """Order text by code points."""
        return super().visit_SortKey(op, arg=_comparable(op, arg), **order)

    def visit_Min(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """Take the first text by code points."""
        return super().visit_Min(op, arg=_comparable(op, arg), where=where)

    def visit_Max(self, op: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """Take the last text by code points."""
        return super().visit_Max(op, arg=_comparable(op, arg), where=where)

    def visit_BitwiseLeftShift(self, op: Any, *, left: Any, right: Any) -> Any:  # noqa: N802
        """Shift large numbers by small ones; PostgreSQL knows no other way."""
        return super().visit_BitwiseLeftShift(op, left=self.cast(left, dt.int64), right=self.cast(right, dt.int32))

    def visit_TimestampFromUNIX(self, op: Any, *, arg: Any, unit: Any) -> Any:  # noqa: N802
        """Tell seconds since 1970 by the clock of UTC, which Ibis does not spell for PostgreSQL."""
        if unit.short != "s":
            return self.visit_Undefined(op, arg=arg, unit=unit)
        return self.f.timezone("UTC", self.f.to_timestamp(arg))


def _comparable(op: Any, arg: Any) -> Any:
    if op.arg.dtype.is_string():
        return sge.Collate(this=arg, expression=sge.to_identifier("C", quoted=True))
    return arg
