"""A public data set on its way into its folder: checked, converted, never half there under its final name."""

import hashlib
import io
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from segml.data import fingerprint as fp
from segml.data.conversion import Workbook
from segml.data.download import Patience
from segml.data.public import PublicData, obtain
from segml.schema import DataError

QUICK = Patience(tries=2, first_wait_s=0.001, connect_timeout_s=2.0, read_timeout_s=2.0)
HEADER = ("Invoice", "Quantity", "Sold", "Price", "Customer")
LINES = [
    (489434, 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085),
    ("C489449", -1, datetime(2009, 12, 1, 10, 33), 2, None),
]
READER = Workbook(
    sheets=("first", "second"),
    cells=dict(zip(HEADER, (pa.large_string(), pa.int64(), pa.timestamp("us"), pa.float64(), pa.int64()), strict=True)),
)


asked: list[str] = []


class Recorder(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        asked.append(self.path)


def workbook_bytes() -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for sheet in READER.sheets:
        page = book.create_sheet(sheet)
        for line in (HEADER, *LINES):
            page.append(line)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("book.xlsx", content)
    return file.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


BOOK = workbook_bytes()
ARCHIVE = zipped(BOOK)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive as a server offers it; returns its file."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "book.zip").write_bytes(ARCHIVE)
    asked.clear()
    return folder / "book.zip"


@pytest.fixture
def data(published: Path) -> Iterator[PublicData]:
    """The data set that the server offers."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Recorder, directory=str(published.parent)))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield PublicData(
        name="book",
        title="A small workbook",
        url=f"http://127.0.0.1:{server.server_port}/book.zip",
        archive_sha256=sha256(ARCHIVE),
        archive_bytes=len(ARCHIVE),
        member="book.xlsx",
        member_sha256=sha256(BOOK),
        member_limit=10_000,
        reader=READER,
        file_name="book.parquet",
        rows=4,
        disk_bytes=123_456,
        fingerprint=fp.Fingerprint(
            READER.types,
            {"rows": fp.rows(), "sum of Price": fp.total_money("Price")},
            (fp.Content("the workbook", {"rows": 4, "sum of Price": 179_000}),),
        ),
        columns={"customer_id": "Customer"},
        licence="none",
        citation="none",
    )
    server.shutdown()
    thread.join()
    server.server_close()


def names(home: Path) -> set[str]:
    return {path.name for path in home.iterdir() if not path.name.startswith(".")}


def test_a_workbook_comes_in_with_its_types_sheet_after_sheet(data: PublicData, tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    table = pq.read_table(obtain(data, home, patience=QUICK))
    assert names(home) == {"book.parquet"}
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == dict(READER.types)
    first = ["489434", 12, datetime(2009, 12, 1, 7, 45), 6.95, 13085]
    second = ["C489449", -1, datetime(2009, 12, 1, 10, 33), 2.0, None]
    assert [list(row.values()) for row in table.to_pylist()] == [
        [*first, "first"],
        [*second, "first"],
        [*first, "second"],
        [*second, "second"],
    ]


def test_what_is_there_and_right_is_used_without_a_network(data: PublicData, tmp_path: Path) -> None:
    assert obtain(data, tmp_path, patience=QUICK) == obtain(data, tmp_path, url="http://127.0.0.1:9/")
    assert asked == ["/book.zip"]


def test_what_is_there_and_wrong_is_an_error_and_stays_as_it_is(data: PublicData, tmp_path: Path) -> None:
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table({name: pa.nulls(1, kind) for name, kind in READER.types.items()}), path)
    before = path.read_bytes()
    with pytest.raises(
        DataError, match=r"rows: found 1, expected 4; .*move it away, then `python -m segml\.data fetch"
    ):
        obtain(data, tmp_path, patience=QUICK)
    assert path.read_bytes() == before
    assert not asked


def test_progress_rises_over_download_and_conversion_to_the_end(data: PublicData, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    obtain(data, tmp_path, patience=QUICK, progress=lambda done, in_all: seen.append((done, in_all)))
    assert seen == sorted(seen)
    assert seen[0][0] <= len(ARCHIVE)
    assert seen[-1][0] == 2 * len(ARCHIVE)
    assert {in_all for _, in_all in seen} == {2 * len(ARCHIVE)}


def test_a_wrong_file_from_the_server_is_removed(data: PublicData, published: Path, tmp_path: Path) -> None:
    wrong = ARCHIVE[:-1] + b"x"
    published.write_bytes(wrong)
    sums = f"SHA-256 sum {sha256(wrong)}, expected {sha256(ARCHIVE)}"
    with pytest.raises(
        DataError, match=f"delivered a wrong file, which has been removed: .*{sums}; .*book.zip and try"
    ):
        obtain(data, tmp_path / "home", patience=QUICK)
    assert names(tmp_path / "home") == set()


def test_a_wrong_member_in_an_archive_without_checksum_is_found(
    data: PublicData, published: Path, tmp_path: Path
) -> None:
    published.write_bytes(zipped(BOOK[:-1] + b"x"))
    loose = replace(data, archive_sha256=None, archive_bytes=None)
    with pytest.raises(DataError, match=r"removed: book\.xlsx in .* has the SHA-256 sum"):
        obtain(loose, tmp_path / "home", patience=QUICK)


def test_wrong_content_without_any_checksum_never_gets_the_final_name(data: PublicData, tmp_path: Path) -> None:
    other = fp.Content("another", {"rows": 5, "sum of Price": 179_000})
    loose = replace(data, archive_sha256=None, archive_bytes=None, member_sha256=None)
    loose = replace(loose, fingerprint=replace(data.fingerprint, accepted=(other,)))
    with pytest.raises(DataError, match=r"removed: .*rows: found 4, expected 5"):
        obtain(loose, tmp_path / "home", patience=QUICK)
    assert names(tmp_path / "home") == set()


def test_a_part_of_an_older_file_is_replaced_by_a_fresh_download(data: PublicData, tmp_path: Path) -> None:
    (tmp_path / "book.zip.part").write_bytes(ARCHIVE[:-1] + b"x")
    assert obtain(data, tmp_path, patience=QUICK).exists()
    assert names(tmp_path) == {"book.parquet", "server"}


def test_an_archive_put_there_by_hand_is_taken_and_kept(data: PublicData, tmp_path: Path) -> None:
    (tmp_path / "book.zip").write_bytes(ARCHIVE)
    obtain(data, tmp_path)
    assert names(tmp_path) == {"book.parquet", "book.zip", "server"}
    assert not asked


def test_a_wrong_archive_put_there_by_hand_is_an_error_and_kept(data: PublicData, tmp_path: Path) -> None:
    (tmp_path / "book.zip").write_bytes(b"a page of the proxy")
    with pytest.raises(DataError, match=r"SHA-256 sum .*, expected .*; replace .*book\.zip, or take it away"):
        obtain(data, tmp_path)
    assert (tmp_path / "book.zip").read_bytes() == b"a page of the proxy"


def test_without_a_network_the_error_says_where_to_put_the_file_by_hand(data: PublicData, tmp_path: Path) -> None:
    place = tmp_path / "book.zip"
    with pytest.raises(DataError, match=f"http://127.0.0.1:9/x cannot be downloaded: .*refused.*put it at {place}"):
        obtain(data, tmp_path, url="http://127.0.0.1:9/x", patience=QUICK)


def test_an_interrupt_leaves_only_the_part(data: PublicData, tmp_path: Path) -> None:
    def interrupt(done: int, in_all: int) -> None:
        if done > len(ARCHIVE):
            raise KeyboardInterrupt

    home = tmp_path / "home"
    with pytest.raises(KeyboardInterrupt):
        obtain(data, home, patience=QUICK, progress=interrupt)
    assert names(home) == {"book.zip.part"}
    obtain(data, home, patience=QUICK)
    assert names(home) == {"book.parquet"}
    assert len(asked) == 1, "the archive was complete: nothing is downloaded twice"


def test_two_at_once_download_once(data: PublicData, tmp_path: Path) -> None:
    threads = [Thread(target=obtain, args=(data, tmp_path), kwargs={"patience": QUICK}) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "book.parquet").exists()
    assert len(asked) == 1


def test_another_process_that_never_ends_is_reported(data: PublicData, tmp_path: Path) -> None:
    message = r"another process has been fetching book for 0\.05 seconds \(it holds .*\.book\.lock\)"
    with FileLock(tmp_path / ".book.lock"), pytest.raises(DataError, match=message):
        obtain(data, tmp_path, lock_wait_s=0.05)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
@pytest.mark.parametrize("full", ["book.zip.part", "book.parquet.part"])
def test_a_full_disk_is_reported_with_the_room_that_is_needed(data: PublicData, tmp_path: Path, full: str) -> None:
    (tmp_path / full).symlink_to("/dev/full")
    with pytest.raises(DataError, match=r"no room \(.*\): fetching book needs 123,456 bytes there, [\d,]+ are free"):
        obtain(data, tmp_path, patience=QUICK)
    assert "book.parquet" not in names(tmp_path)
    (tmp_path / full).unlink(missing_ok=True)
    assert obtain(data, tmp_path, patience=QUICK).exists()


def test_a_home_that_is_a_file_is_reported(data: PublicData, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a note")
    with pytest.raises(DataError, match=r"home cannot be read or written \(.*\); point SEGML_DATA_HOME"):
        obtain(data, tmp_path / "home", patience=QUICK)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a folder where not even root may write")
def test_a_home_that_cannot_be_written_is_reported(data: PublicData) -> None:
    with pytest.raises(DataError, match=r"/sys/segml cannot be read or written \(.*\); point SEGML_DATA_HOME"):
        obtain(data, Path("/sys/segml"), patience=QUICK)


def test_a_home_that_cannot_be_written_serves_what_it_holds(data: PublicData, tmp_path: Path) -> None:
    home = tmp_path / "home"
    obtain(data, home, patience=QUICK)
    home.chmod(0o555)
    assert obtain(data, home) == home / "book.parquet"


def test_a_missing_excel_reader_is_reported_before_anything_is_downloaded(
    data: PublicData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"needs the package openpyxl: pip install 'segml\[excel\]'"):
        obtain(data, tmp_path, patience=QUICK)
    assert not asked
