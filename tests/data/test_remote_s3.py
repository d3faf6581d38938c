"""Files in an object store, on a real S3 server of moto's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import DataError

s3fs = pytest.importorskip("s3fs")
server_module = pytest.importorskip("moto.server")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(address: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty bucket, reached by what the environment says."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": address,
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)
    if not system.exists("sales"):
        system.mkdir("sales")
    for path in system.find("sales"):
        system.rm(path)
    return system


def put(system: Any, path: str, **columns: Any) -> None:
    lines = {"customer_id": ["a"], "ordered_at": [pd.Timestamp("2024-01-05")], "amount": [1.5]} | columns
    with system.open(f"sales/{path}", "wb") as file:
        pq.write_table(pa.table(lines), file)


def read(source: str, columns: dict[str, str] | None = None) -> list[dict[str, Any]]:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(), connect(threads=1))
    rows: list[dict[str, Any]] = table.to_pyarrow().to_pylist()
    return sorted(rows, key=lambda row: str(row["customer_id"]))


def test_a_file_a_glob_and_a_folder_are_read(bucket: Any) -> None:
    put(bucket, "all/region=North/a.parquet")
    put(bucket, "all/region=South/b.parquet", customer_id=["b"])
    bucket.touch("sales/all/_SUCCESS")
    assert [row["region"] for row in read("s3://sales/all", {"region": "region"})] == ["North", "South"]
    assert [row["customer_id"] for row in read("s3://sales/all/*/b.parquet")] == ["b"]
    assert [row["customer_id"] for row in read("s3://sales/all/region=North/a.parquet")] == ["a"]


def test_text_is_read(bucket: Any) -> None:
    bucket.pipe("sales/a.csv", b"customer_id,ordered_at,amount\n1,2024-01-05,5\n")
    assert [row["amount"] for row in read("s3://sales/a.csv")] == [5]


def test_a_missing_bucket_or_file_is_told(bucket: Any) -> None:
    for source in ("s3://sales/none.parquet", "s3://nowhere/a.parquet"):
        with pytest.raises(DataError, match=f"{source} does not exist"):
            read(source)


def test_missing_credentials_are_told(bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put(bucket, "a.parquet")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(DataError, match="cannot be read: no credentials are found"):
        read("s3://sales/a.parquet")


def test_an_earlier_version_of_a_remote_delta_table_is_read(bucket: Any, tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    day = pd.Timestamp("2024-01-05")
    first = pa.table(
        {"customer_id": ["a", "b"], "ordered_at": [day, day], "amount": [1.0, 2.0], "region": ["x y", "ü"]}
    )
    deltalake.write_deltalake(str(tmp_path / "table"), first, partition_by=["region"])
    deltalake.DeltaTable(str(tmp_path / "table")).delete("customer_id = 'a'")
    bucket.put(str(tmp_path / "table"), "sales/table", recursive=True)
    assert [(row["customer_id"], row["region"]) for row in read("s3://sales/table")] == [("b", "ü")]
    assert [row["customer_id"] for row in read("s3://sales/table@v0")] == ["a", "b"]
    with pytest.raises(DataError, match=r"s3://sales/table has no version 7; the latest is 1"):
        read("s3://sales/table@v7")
