"""Tables on Spark: brought there, computed once and for all, and told apart by their content.

Spark has no temporary tables: a view is computed anew whenever it is read. So what is read many times is either
persisted in the executors (memory first, then their disks), or, where a scratch folder is set, written there as Parquet
and read back. Persisting needs no folder that the whole cluster sees; Parquet outlives lost executors, and serves
engines that ignore a request to persist.
"""

from __future__ import annotations

import hashlib
from typing import Any

import ibis
import pyarrow as pa
from ibis.expr.types import StringValue, Table

NAME = "pyspark"
SCRATCH = "spark.segml.scratch"
"""The session's setting that names the scratch folder; ``spark-submit --conf`` may set it too."""

_CELLS_APART, _NO_VALUE = "\x1f", "\x1e"


def is_spark(backend: Any) -> bool:
    """Tell whether an Ibis backend is a Spark session."""
    return bool(backend.name == NAME)


def session(backend: Any) -> Any:
    """Return the Spark session of an Ibis backend, with UTC as its time zone: somebody may have set another since."""
    backend._session.conf.set("spark.sql.session.timeZone", "UTC")
    return backend._session


def is_frame(data: Any) -> bool:
    """Tell whether an object is a Spark DataFrame, classic or of Spark Connect, without importing Spark."""
    kinds = [kind for kind in type(data).__mro__ if kind.__module__.startswith("pyspark.sql.")]
    return any(kind.__name__ == "DataFrame" for kind in kinds)


def refer(frame: Any, backend: Any | None = None) -> Table:
    """Return an Ibis table that refers to a Spark DataFrame; nothing is computed."""
    if backend is None or not is_spark(backend):
        from segml.data.spark_backend import wrap

        backend = wrap(frame.sparkSession)
    return _view(frame, backend, "frame")


def to_frame(data: Any, backend: Any) -> Any:
    """Return a Spark DataFrame, or an Ibis table on Spark, as a Spark DataFrame."""
    if is_frame(data):
        return data
    query = ibis.util.gen_name("query")
    backend.create_view(query, data)
    return session(backend).table(query)


def ours(table: Table) -> Table:
    """Return a table of Ibis' own backend as one of segml's, on the same session; it can do more."""
    from segml.data.spark_backend import ArrowBackend, wrap

    backend = table.get_backend()
    if isinstance(backend, ArrowBackend):
        return table
    return _view(to_frame(table, backend), wrap(session(backend)), "table")


def put(arrow: pa.Table, backend: Any) -> Table:
    """Return an Arrow table as a table on Spark."""
    return _view(sent(arrow, session(backend)), backend, "frame")


def sent(arrow: pa.Table, spark: Any) -> Any:
    """Return an Arrow table as a Spark DataFrame; times without a zone stay such, and types need no row to tell."""
    from pyspark.sql.pandas.types import from_arrow_schema

    plain = _plain(arrow)
    return spark.createDataFrame(plain, schema=from_arrow_schema(plain.schema, prefer_timestamp_ntz=True))


def hold(expression: Table, backend: Any, kind: str) -> Table:
    """Return an expression as a table that is computed at most once; see the module."""
    spark = session(backend)
    name = ibis.util.gen_name(kind)
    query = f"{name}_query"
    backend.create_view(query, expression)
    frame = spark.table(query)
    folder = spark.conf.get(SCRATCH, None)
    if folder is None:
        frame.persist().createTempView(name)  # Spark forgets what is persisted when the view it came from goes
        return backend.table(name)
    frame.write.parquet(_path(folder, name))
    # An engine may write no file at all where there is no row, so that nothing tells the columns.
    spark.read.schema(frame.schema).parquet(_path(folder, name)).createTempView(name)
    spark.catalog.dropTempView(query)
    return backend.table(name)


def release(name: str, backend: Any) -> None:
    """Forget a table that this module made, and free what holds it; any other name is ignored."""
    spark = session(backend)
    if not spark.catalog.tableExists(name):
        return
    folder = spark.conf.get(SCRATCH, None)
    if folder is None:
        spark.table(name).unpersist()  # the view stays: with it Spark would forget all persisted tables made of it
        return
    spark.catalog.dropTempView(name)
    empty(spark, _path(folder, name))


def empty(spark: Any, path: str) -> None:
    """Put a table without rows in place of what is there: that is all the deleting that every cluster can be asked."""
    spark.range(0).write.mode("overwrite").parquet(path)


def content_key(table: Table) -> StringValue:
    """Return a text that equal rows share and no others: the MD5 (RFC 1321) of all cells."""
    cells = [table[name].cast("string").fill_null(_NO_VALUE) for name in table.columns]
    return ibis.literal(_CELLS_APART).join(cells).hexdigest("md5")


def digest(table: Table, length: int) -> str:
    """Return hexadecimal digits over all rows, computed there; the order of rows does not matter, repeats do."""
    backend = table.get_backend()
    cells = ", ".join(f"`{name}`, `{name}` is null" for name in table.columns)  # nulls alone would leave no trace
    counted = f"select count(*), cast(sum(cast(xxhash64({cells}) as decimal(38, 0))) as string)"
    [[rows, total]] = session(backend).sql(f"{counted} from ({backend.compile(table)})").collect()
    words = (str(rows), str(total), ",".join(table.columns))
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:length]


def _view(frame: Any, backend: Any, kind: str) -> Table:
    name = ibis.util.gen_name(kind)
    frame.createTempView(name)
    return backend.table(name)


def _path(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"


def _plain(arrow: pa.Table) -> pa.Table:
    """Return the table in the types that Spark's client takes."""
    kinds = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.large_binary(): pa.binary()}
    fields = [field.with_type(kinds.get(field.type, field.type)) for field in arrow.schema]
    return arrow.cast(pa.schema(fields))
