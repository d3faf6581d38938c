"""Delta tables: the rows of a version, and what cannot be read."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import DataError

deltalake = pytest.importorskip("deltalake")

DAY = pd.Timestamp("2024-01-05 10:30")
BACKEND = connect(threads=1)


def lines(**columns: Any) -> pa.Table:
    rows = {"customer_id": ["a", "b"], "ordered_at": [DAY, DAY + pd.Timedelta(days=30)], "amount": [1.0, 2.0]} | columns
    return pa.table(rows)


def write(path: Path, table: pa.Table, **options: Any) -> Path:
    deltalake.write_deltalake(str(path), table, **options)
    return path


def read(source: Path | str, columns: dict[str, str] | None = None, **format: Any) -> list[dict[str, Any]]:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(**format), BACKEND)
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: str(row["customer_id"]))


def change_log(table: Path, **changes: dict[str, Any]) -> None:
    """Write what other programs do into the only commit of a table."""
    log = table / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        for name, change in changes.items():
            if name in action:
                action[name].update(change)
    log.write_text("\n".join(map(json.dumps, actions)))


def test_removed_and_rewritten_rows_do_not_appear(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    deltalake.DeltaTable(str(table)).update(updates={"amount": "amount * 10"}, predicate="customer_id = 'b'")
    deltalake.DeltaTable(str(table)).delete("customer_id = 'a'")
    assert read(table) == [{"customer_id": "b", "ordered_at": DAY + pd.Timedelta(days=30), "amount": 20.0}]


def test_an_earlier_version_is_named_behind_the_path(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    write(table, lines(customer_id=["c", "d"]), mode="overwrite")
    assert [row["customer_id"] for row in read(f"{table}@v0")] == ["a", "b"]
    assert [row["customer_id"] for row in read(f"{table}/@v1")] == ["c", "d"]
    with pytest.raises(DataError, match=r"sales has no version 2; the latest is 1"):
        read(f"{table}@v2")


def test_partitions_are_columns_whatever_their_values(tmp_path: Path) -> None:
    regions = ["a b/ü%=x", None]
    table = write(tmp_path / "sales", lines(region=pa.array(regions, pa.string())), partition_by=["region"])
    assert [row["region"] for row in read(table)] == regions


def test_columns_that_came_later_are_empty_in_older_rows(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    new = lines(customer_id=["c", "d"], channel=["web", "shop"])
    write(table, new, mode="append", schema_mode="merge")
    assert [row["channel"] for row in read(table)] == [None, None, "web", "shop"]
    deltalake.DeltaTable(str(table)).delete("channel is not null")
    assert [row["channel"] for row in read(table)] == [None, None]


def test_rows_are_not_loaded(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    found = read_table(table, schema.TRANSACTIONS, {}, FormatConfig(), BACKEND)
    [file] = table.glob("*.parquet")
    file.unlink()
    with pytest.raises(Exception, match=r"No files found|Cannot open file|No such file"):
        found.to_pyarrow()


def test_files_that_were_cleared_away_are_told(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    next(table.glob("*.parquet")).unlink()
    with pytest.raises(DataError, match=r"\.parquet cannot be read: No such file"):
        read(table)


def test_a_table_without_rows_is_told(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    deltalake.DeltaTable(str(table)).delete()
    with pytest.raises(DataError, match=r"the Delta table .*sales has no rows"):
        read(table)


def test_deletion_vectors_are_refused_where_there_are_some(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    features = {"readerFeatures": ["deletionVectors", "timestampNtz"], "minReaderVersion": 3, "minWriterVersion": 7}
    change_log(table, protocol=features | {"writerFeatures": features["readerFeatures"]})
    assert len(read(table)) == 2
    vector = {"storageType": "u", "pathOrInlineDv": "ab^-aqEH.-t@S}K{vb[*k^", "offset": 4}
    change_log(table, add={"deletionVector": vector | {"sizeInBytes": 40, "cardinality": 1}})
    with pytest.raises(DataError, match="uses deletionVectors, which cannot be read; rewrite it without"):
        read(table)


def test_features_that_are_not_known_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    features = {"readerFeatures": ["typeWidening", "timestampNtz"], "minReaderVersion": 3, "minWriterVersion": 7}
    change_log(table, protocol=features | {"writerFeatures": features["readerFeatures"]})
    with pytest.raises(DataError, match="typeWidening"):
        read(table)


def test_mapped_columns_are_refused(tmp_path: Path) -> None:
    table = write(tmp_path / "sales", lines())
    change_log(
        table,
        protocol={"minReaderVersion": 2, "minWriterVersion": 5, "readerFeatures": None, "writerFeatures": None},
        metaData={"configuration": {"delta.columnMapping.mode": "name"}},
    )
    with pytest.raises(DataError, match=r"(?i)column ?mapping"):
        read(table)


def test_files_elsewhere_and_folders_without_names_are_refused(tmp_path: Path) -> None:
    clone = write(tmp_path / "clone", lines())
    change_log(clone, add={"path": "s3://bucket/a.parquet"})
    with pytest.raises(DataError, match=r"is a shallow clone: it has files elsewhere, as s3:"):
        read(clone)
    table = write(tmp_path / "sales", lines(region=["x", "x"]), partition_by=["region"])
    change_log(table, add={"path": "Ab/a.parquet"})
    with pytest.raises(DataError, match=r"divided by \['region'\], but Ab/a\.parquet lies in no folders"):
        read(table)


def test_a_broken_log_is_told(tmp_path: Path) -> None:
    (tmp_path / "sales" / "_delta_log").mkdir(parents=True)
    with pytest.raises(DataError, match=r"the Delta table .*sales cannot be read: "):
        read(tmp_path / "sales")
