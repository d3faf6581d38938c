"""What Spark reads where it is: tables of its catalog, and files that the cluster sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ibis.expr.types import Table, Value

from segml.config import FormatConfig
from segml.data import functions, spark_tables
from segml.data.columns import require_unique
from segml.data.database import is_database
from segml.data.delimited import DELIMITERS, QUOTED, SPELLINGS
from segml.data.delimited import KEY as DELIMITER_KEY
from segml.data.source import Pick, Source
from segml.data.spark_failures import is_lost
from segml.data.spark_tables import is_spark
from segml.schema import DataError, first_line

TABLE = "spark:"
"""How the name of a table of the catalog begins: ``spark:sales.order_lines``."""

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_WORKBOOK = re.compile(r"\.xlsx(?:[?#].*)?$", re.IGNORECASE)


def is_there(source: Any, backend: Any) -> bool:
    """Tell whether a source is read by Spark, and not by this process: workbooks and database servers are not."""
    if not isinstance(source, str):
        return spark_tables.is_frame(source) or (isinstance(source, Table) and is_spark(source.get_backend()))
    return is_spark(backend) and not is_database(source) and not _WORKBOOK.search(source)


def open_there(source: Any, format: FormatConfig, backend: Any) -> Source:
    """Return a table of the catalog (``spark:catalog.schema.table``), files, a Spark DataFrame or an Ibis table.

    Files are Parquet, a Delta folder, or delimited text with a header, all of whose values stay text. Columns of the
    type ``timestamp`` are moments with a zone, and become local time; ``timestamp_ntz`` is local time already.

    Raises
    ------
    DataError : no such table or files, or columns that share a name
    """
    if not isinstance(source, str):
        return _source(spark_tables.to_frame(source, backend), "the given table", format, backend)
    where = source.removeprefix(TABLE)
    spark = spark_tables.session(backend)
    if source.startswith(TABLE):
        return _source(_opened(lambda: spark.table(where), f"the table {where!r}"), source, format, backend)
    return _source(_opened(lambda: _files(_absolute(source), format, spark), source), source, format, backend)


def _source(frame: Any, where: str, format: FormatConfig, backend: Any) -> Source:
    require_unique(frame.columns, where)
    zoned = {field.name for field in frame.schema.fields if field.dataType.typeName() == "timestamp"}

    def load(picks: Sequence[Pick]) -> Table:
        table = spark_tables.refer(frame, backend)
        return table.select(**{pick.name: _local(table[pick.source], pick.source in zoned, format) for pick in picks})

    return Source(where, tuple(frame.columns), load, lazy=True)


def _local(column: Value, is_zoned: bool, format: FormatConfig) -> Value:
    return functions.clock_of_utc(column, format.timezone or functions.UTC) if is_zoned else column


def _opened(read: Callable[[], Any], where: str) -> Any:
    """Return a Spark DataFrame whose columns are known; errors of Spark's analysis become ours."""
    try:
        frame = read()
        columns = frame.columns
    except DataError:
        raise
    except Exception as error:  # each kind of session has errors of its own
        if is_lost(error):
            raise
        told = first_line(error).rstrip(".")
        raise DataError(f"Spark cannot read {where}: {told}; the cluster must see it") from None
    if not columns:
        raise DataError(f"Spark finds no columns in {where}; check that it is there and that the cluster sees it")
    return frame


def _files(path: str, format: FormatConfig, spark: Any) -> Any:
    if path.lower().endswith(_TEXT):
        return _text(path, format, spark)
    if not path.lower().endswith(".parquet") and _is_delta(path, spark):
        return spark.read.format("delta").load(path)
    return spark.read.parquet(path)


def _text(path: str, format: FormatConfig, spark: Any) -> Any:
    given = SPELLINGS.get(format.delimiter or "", format.delimiter)
    reader = spark.read.option("header", True).option("sep", given or _delimiter(path, spark))
    # Quotes within quotes are doubled, as everywhere; Spark alone expects a backslash.
    return reader.option("quote", '"').option("escape", '"').option("encoding", format.encoding or "utf-8").csv(path)


def _delimiter(path: str, spark: Any) -> str:
    first = spark.read.text(path).head()
    header = QUOTED.sub(r"\1", first.value if first is not None else "")
    found = [mark for mark in DELIMITERS if mark in header]
    if len(found) > 1:
        names = " or ".join(DELIMITERS[mark] for mark in found)
        raise DataError(f"{path}: the header {header!r} can be split by {names}; set {DELIMITER_KEY}")
    return found[0] if found else ","


def _is_delta(path: str, spark: Any) -> bool:
    """Tell whether a folder is a Delta table; only the cluster may see it, so it is asked."""
    try:
        return spark.read.text(f"{path.rstrip('/')}/_delta_log/*.json").head() is not None
    except Exception as error:
        if is_lost(error):
            raise
        return False  # there is no such folder


def _absolute(path: str) -> str:
    """Return a path on this machine in full, for a server may run elsewhere; any other as it is."""
    expanded = Path(path).expanduser()
    return str(expanded.resolve()) if "://" not in path and expanded.exists() else path
