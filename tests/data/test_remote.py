"""Files behind URLs, on real servers of this machine: a web server with ranges, and an S3 of moto's."""

import socket
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from segml import schema
from segml.config import FormatConfig
from segml.data import remote
from segml.data.engine import connect
from segml.data.failures import explained
from segml.data.read import read_table
from segml.data.remote import locate, redact_url
from segml.data.window import Window
from segml.schema import DataError

pytest.importorskip("fsspec")
pytest.importorskip("aiohttp")

START = datetime(2024, 1, 1)
LINES = 60_000


class Handler(SimpleHTTPRequestHandler):
    """Serves files, or the parts of them that are asked for, and counts the bytes."""

    asked = 0
    sent = 0
    ranges = True
    refuse = 0

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        Handler.asked += 1
        if self.refuse:
            return self.send_error(self.refuse)
        if path.is_dir():
            return super().do_GET()
        if not path.is_file():
            return self.send_error(404)
        data, part = path.read_bytes(), self.headers.get("Range")
        if part and self.ranges:
            first, last = (int(edge) if edge else None for edge in part.removeprefix("bytes=").split("-"))
            body = data[first : None if last is None else last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{(first or 0) + len(body) - 1}/{len(data)}")
        else:
            body = data
            self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        Handler.sent += len(body)
        return None

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Handler.asked, Handler.sent, Handler.ranges, Handler.refuse = 0, 0, True, 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def lines(count: int = LINES) -> pa.Table:
    minutes = [START + timedelta(minutes=10 * number) for number in range(count)]
    return pa.table(
        {
            "customer_id": [f"K{number % 97}" for number in range(count)],
            "ordered_at": pa.array(minutes, pa.timestamp("us")),
            "amount": [float(number % 13) for number in range(count)],
            "note": [f"a long remark about line {number * 7919}" for number in range(count)],
        }
    )


def write(path: Path, table: pa.Table, rows: int = 5_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rows)
    return path


def read(source: str, window: Window | None = None, columns: dict[str, str] | None = None) -> pd.DataFrame:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(), connect(threads=1), window)
    found: pd.DataFrame = table.to_pyarrow().to_pandas()
    return found


def test_of_a_parquet_file_only_the_columns_needed_are_fetched(web: str, tmp_path: Path) -> None:
    path = write(tmp_path / "sales.parquet", lines())
    found = read(f"{web}/sales.parquet")
    assert len(found) == LINES
    assert found.amount.sum() == sum(number % 13 for number in range(LINES))
    assert Handler.sent < 0.7 * path.stat().st_size


def test_of_a_parquet_file_only_the_row_groups_in_the_window_are_fetched(web: str, tmp_path: Path) -> None:
    path = write(tmp_path / "sales.parquet", lines())
    found = read(f"{web}/sales.parquet", Window(date(2024, 3, 1), date(2024, 3, 8)))
    assert len(found) == 7 * 144
    assert (found.ordered_at.min(), found.ordered_at.max()) == (datetime(2024, 3, 1), datetime(2024, 3, 7, 23, 50))
    footer = 3 * 32_768
    assert Handler.sent < footer + 0.2 * path.stat().st_size


def test_a_small_parquet_file_costs_one_request(web: str, tmp_path: Path) -> None:
    write(tmp_path / "sales.parquet", lines(10))
    assert len(read(f"{web}/sales.parquet")) == 10
    assert Handler.asked == 1


def test_a_delta_table_of_a_web_server_is_read(web: str, tmp_path: Path) -> None:
    deltalake = pytest.importorskip("deltalake")
    deltalake.write_deltalake(str(tmp_path / "sales"), lines(10))
    deltalake.DeltaTable(str(tmp_path / "sales")).delete("amount < 5")
    assert sorted(read(f"{web}/sales/").amount) == [5, 6, 7, 8, 9]


def test_folders_and_globs_of_a_web_server_are_its_links(web: str, tmp_path: Path) -> None:
    write(tmp_path / "all" / "region=a b" / "1.parquet", lines(10))
    write(tmp_path / "all" / "region=ü" / "2.parquet", lines(5))
    (tmp_path / "all" / "_SUCCESS").write_text("")
    found = read(f"{web}/all/", columns={"region": "region"})
    assert found.region.value_counts().to_dict() == {"a b": 10, "ü": 5}
    assert len(read(f"{web}/all/region=a%20b/*.parquet")) == 10


def test_a_folder_of_a_web_server_that_is_not_finished_is_refused(web: str, tmp_path: Path) -> None:
    write(tmp_path / "sales" / "1.parquet", lines(10))
    write(tmp_path / "sales" / "_temporary" / "0" / "2.parquet", lines(5))
    with pytest.raises(DataError, match=f"{web}/sales is being written"):
        read(f"{web}/sales/")


def test_text_and_workbooks_are_fetched_once(web: str, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    text = "customer_id;ordered_at;amount\n007;2024-01-05;1,5\n"
    (tmp_path / "sales.csv").write_text(text)
    found = read(f"{web}/sales.csv?key=1")
    assert found[["customer_id", "amount"]].to_numpy().tolist() == [["007", 1.5]]
    assert Handler.sent == len(text)
    book = openpyxl.Workbook()
    for row in (["customer_id", "ordered_at", "amount"], ["a", START, 2.5]):
        book.active.append(row)
    book.create_sheet("empty")
    book.save(tmp_path / "sales.xlsx")
    assert read(f"{web}/sales.xlsx?key=1#Sheet").amount.tolist() == [2.5]


def test_copies_on_the_disk_are_taken_away(web: str, tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("x\n")
    place = locate(f"{web}/sales.csv")
    copy = place.local
    assert copy.read_text() == "x\n"
    del place
    assert not copy.exists()


def test_a_server_without_ranges_is_told(web: str, tmp_path: Path) -> None:
    write(tmp_path / "sales.parquet", lines())
    Handler.ranges = False
    with pytest.raises(
        DataError, match=r"sales\.parquet: of \d+ bytes asked for \d+ came; the server cannot send parts"
    ):
        read(f"{web}/sales.parquet")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("{web}/sale.parquet", r"http://127\.0\.0\.1:\d+/sale\.parquet does not exist$"),
        ("{web}/none/*.parquet", r"no file matches http"),
        ("{web}/note.docx", r"note\.docx is of an unknown type; supported: "),
        ("http://127.0.0.1:9/sales.parquet", "cannot be read: the server cannot be reached; check the address"),
        ("hdfx://host/sales.parquet", r"hdfx:// addresses cannot be read.*known: "),
    ],
)
def test_what_cannot_be_read_is_explained(web: str, tmp_path: Path, address: str, message: str) -> None:
    (tmp_path / "none").mkdir()
    (tmp_path / "note.docx").write_text("x")
    with pytest.raises(DataError, match=message):
        read(address.format(web=web))


def test_a_silent_server_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(remote, "SILENCE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f"http://127.0.0.1:{silent.getsockname()[1]}/sales.csv"
        with pytest.raises(DataError, match="cannot be read: the server does not answer in time"):
            read(source)


@pytest.mark.parametrize(("status", "message"), [(403, "access is denied"), (500, r"the server refuses \(.* 500\)")])
def test_a_refusal_names_no_secret(web: str, status: int, message: str) -> None:
    Handler.refuse = status
    address = web.replace("http://", "http://anna:s3cret@") + "/sales.csv?X-Amz-Signature=s1gned"
    with pytest.raises(DataError, match=message) as caught:
        read(address)
    assert not any(secret in str(caught.value) for secret in ("anna", "s3cret", "s1gned"))


def test_a_refusal_in_the_middle_of_a_query_is_told_too(web: str, tmp_path: Path) -> None:
    write(tmp_path / "sales.parquet", lines())
    with (
        pytest.raises(DataError, match=r"/sales\.parquet cannot be read: access is denied.*may read$"),
        explained(None, None),
    ):
        table = read_table(f"{web}/sales.parquet", schema.TRANSACTIONS, {}, FormatConfig(), connect(threads=1))
        Handler.refuse = 403
        table.amount.sum().to_pyarrow()


def test_junk_is_not_parquet_and_its_message_names_no_secret(web: str, tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + b"x" * 100_000 + b"PAR1")
    with pytest.raises(DataError, match=r"/a\.parquet is not a readable Parquet file") as caught:
        read(f"{web}/a.parquet?sig=s1gned")
    assert "s1gned" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("s3://bucket/a/b.parquet", "s3://bucket/a/b.parquet"),
        ("sftp://anna:p/w@host:22/a.csv", "sftp://host:22/a.csv"),
        ("https://host/a.parquet?sig=1#x", "https://host/a.parquet"),
        ("https://token@host", "https://host"),
        ("sales#1.parquet", "sales#1.parquet"),
    ],
)
def test_addresses_are_shown_without_secrets(address: str, shown: str) -> None:
    assert redact_url(address) == shown
    assert "p/w" not in shown


@pytest.mark.parametrize("protocol", ["gs", "sftp", "abfs"])
def test_a_missing_package_is_named(protocol: str) -> None:
    package = {"gs": "gcsfs", "sftp": "paramiko", "abfs": "adlfs"}[protocol]
    try:
        __import__(package)
    except ImportError:
        with pytest.raises(DataError, match=f"{protocol}:// needs a package of its own: pip install {package}"):
            locate(f"{protocol}://bucket/sales.parquet")
    else:
        pytest.skip(f"{package} is installed")
