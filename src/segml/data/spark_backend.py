"""Ibis' backend of Spark, but with Arrow both ways, so that NaN, null and large integers stay what they are.

Importing this needs Spark's client.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.operations as ops
import pyarrow as pa
from ibis.backends.pyspark import Backend
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.formats.pyarrow import PyArrowSchema

from segml.data import spark_tables


class _Compiler(PySparkCompiler):  # type: ignore[misc]
    """Ibis' compiler, with a function of Spark that it does not know of."""

    SIMPLE_OPS = {ops.BitOr: "bit_or"}  # noqa: RUF012  # as Ibis has it


class ArrowBackend(Backend):  # type: ignore[misc]
    """A Spark session that takes and gives Arrow tables."""

    compiler = _Compiler()

    def to_pyarrow(self, expr: Any, /, *, params: Any = None, limit: Any = None, **kwargs: Any) -> Any:
        """Run an expression; return a table, a column or a value, as Ibis does."""
        table = expr.as_table()
        self._run_pre_execute_hooks(table)
        query = self.compile(table, params=params, limit=limit, **kwargs)
        found = spark_tables.session(self).sql(query).toArrow()
        wanted = PyArrowSchema.from_ibis(table.schema())
        columns = [column.cast(field.type) for column, field in zip(found.columns, wanted, strict=True)]
        return expr.__pyarrow_result__(pa.Table.from_arrays(columns, schema=wanted))

    def _register_in_memory_table(self, op: Any) -> None:
        frame = spark_tables.sent(op.data.to_pyarrow(op.schema), self._session)
        frame.createOrReplaceTempView(op.name)


def wrap(session: Any) -> Any:
    """Return a Spark session as an Ibis backend."""
    ibis.pyspark  # noqa: B018  # Ibis settles the options of a backend when it is asked for it
    return ArrowBackend().connect(session)
