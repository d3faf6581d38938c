"""A file over HTTP, against a real server on this machine that breaks, lies and changes its mind."""

import errno
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from segml.data.download import Patience, download
from segml.schema import DataError

OLD = random.Random(1).randbytes(700_000)
NEW = random.Random(2).randbytes(700_000)
QUICK = Patience(tries=3, first_wait_s=0.001, connect_timeout_s=2.0, read_timeout_s=2.0)


class FileServer(ThreadingHTTPServer):
    """Serves one file; what it is to do wrong, and how often, is set by each test."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = OLD
        self.etag: str | None = '"old"'
        self.ranges = True
        self.heeds_if_range = True
        self.framing = "length"
        self.break_after: int | None = None
        self.breaks = 0
        self.statuses: list[int] = []
        self.pause_s = 0.0
        self.asked: list[dict[str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/file.zip"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        server.asked.append(dict(self.headers.items()))
        if server.statuses:
            self.send_error(server.statuses.pop(0))
            return
        start = self.start_byte()
        if start >= len(server.content) > 0:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(server.content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_head(start)
        self.send_body(server.content[start:])

    def start_byte(self) -> int:
        asked = self.headers.get("Range")
        condition = self.headers.get("If-Range")
        outdated = self.server.heeds_if_range and condition is not None and condition != self.server.etag
        if asked is None or not self.server.ranges or outdated:
            return 0
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def send_head(self, start: int) -> None:
        size = len(self.server.content)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if self.server.etag is not None:
            self.send_header("ETag", self.server.etag)
        if self.server.framing == "length":
            self.send_header("Content-Length", str(size - start))
        elif self.server.framing == "chunks":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_body(self, body: bytes) -> None:
        self.close_connection = True
        breaks = self.server.breaks > 0
        if breaks:
            self.server.breaks -= 1
            body = body[: self.server.break_after]
        for start in range(0, len(body), 50_000):
            time.sleep(self.server.pause_s)
            self.send_chunk(body[start : start + 50_000])
        if self.server.framing == "chunks" and not breaks:
            self.send_chunk(b"")

    def send_chunk(self, chunk: bytes) -> None:
        framed = b"%x\r\n%b\r\n" % (len(chunk), chunk) if self.server.framing == "chunks" else chunk
        try:
            self.wfile.write(framed)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to print."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = FileServer()
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


@pytest.fixture
def part(tmp_path: Path) -> Path:
    return tmp_path / "file.zip.part"


def get(server: FileServer, part: Path, expected_bytes: int | None = len(OLD), limit: int = len(OLD)) -> bytes:
    download(server.url, part, limit=limit, expected_bytes=expected_bytes, patience=QUICK)
    return part.read_bytes()


def test_a_file_arrives_whole_and_progress_rises_to_its_size(server: FileServer, part: Path) -> None:
    seen: list[tuple[int, int]] = []
    download(server.url, part, limit=10**6, patience=QUICK, progress=lambda done, in_all: seen.append((done, in_all)))
    assert part.read_bytes() == OLD
    assert seen == sorted(seen)
    assert seen[-1] == (len(OLD), len(OLD))
    assert server.asked[0]["Accept-Encoding"] == "identity", "the bytes as they are, for their size and sum are known"


def test_a_part_that_is_there_is_completed_without_asking_for_its_bytes_again(server: FileServer, part: Path) -> None:
    part.write_bytes(OLD[:300_000])
    assert get(server, part) == OLD
    assert [asked["Range"] for asked in server.asked] == ["bytes=300000-"]


def test_a_part_that_is_complete_is_left_alone(server: FileServer, part: Path) -> None:
    part.write_bytes(OLD)
    assert get(server, part) == OLD
    assert not server.asked


def test_a_complete_part_of_unknown_size_is_recognised_by_the_servers_refusal(server: FileServer, part: Path) -> None:
    part.write_bytes(OLD)
    assert get(server, part, expected_bytes=None) == OLD
    assert len(server.asked) == 1


def test_a_part_longer_than_the_file_is_thrown_away(server: FileServer, part: Path) -> None:
    part.write_bytes(OLD + b"more")
    assert get(server, part, expected_bytes=None) == OLD


def test_a_server_that_knows_no_ranges_sends_it_all_again(server: FileServer, part: Path) -> None:
    server.ranges = False
    part.write_bytes(NEW[:300_000])
    assert get(server, part) == OLD


@pytest.mark.parametrize("framing", ["length", "chunks", "until the connection closes"])
def test_a_broken_transfer_goes_on_where_it_broke(server: FileServer, part: Path, framing: str) -> None:
    server.break_after, server.breaks, server.framing = 250_000, 1, framing
    assert get(server, part) == OLD
    second = server.asked[1]
    assert second["If-Range"] == '"old"'
    assert 100_000 < int(second["Range"].removeprefix("bytes=").removesuffix("-")) <= 250_000


def test_breaks_without_end_do_not_matter_while_each_try_brings_more(server: FileServer, part: Path) -> None:
    server.break_after, server.breaks = 150_000, 99
    assert get(server, part) == OLD
    assert len(server.asked) > QUICK.tries


def test_breaks_at_the_same_place_end_in_an_error_and_the_part_is_kept(server: FileServer, part: Path) -> None:
    server.break_after, server.breaks, server.ranges = 250_000, 99, False
    with pytest.raises(DataError, match=r"tried 3 times; the first \d+,\d+ bytes are kept in .*file\.zip\.part"):
        get(server, part)
    assert OLD.startswith(part.read_bytes())
    assert len(server.asked) == 1 + QUICK.tries - 1


@pytest.mark.parametrize("heeds_if_range", [True, False])
def test_a_file_that_changes_between_two_tries_is_not_mixed(
    server: FileServer, part: Path, heeds_if_range: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.break_after, server.breaks, server.heeds_if_range = 250_000, 1, heeds_if_range

    def change_the_file(_: float) -> None:
        server.content, server.etag = NEW, '"new"'

    monkeypatch.setattr("segml.data.download.time.sleep", change_the_file)
    assert get(server, part) == NEW


def test_a_busy_server_is_asked_again(server: FileServer, part: Path) -> None:
    server.statuses = [500, 503]
    assert get(server, part) == OLD


def test_a_server_that_stays_broken_is_an_error(server: FileServer, part: Path) -> None:
    server.statuses = [500] * 9
    with pytest.raises(DataError, match=r"the server answered 500 Internal Server Error \(tried 3 times\)"):
        get(server, part)
    assert len(server.asked) == QUICK.tries


def test_a_missing_file_is_an_error_at_once(server: FileServer, part: Path) -> None:
    server.statuses = [404]
    with pytest.raises(DataError, match=r"file\.zip cannot be downloaded: the server answered 404 Not Found"):
        get(server, part)
    assert len(server.asked) == 1
    assert not part.exists()


@pytest.mark.parametrize(("expected", "words"), [(699_999, "699,999"), (700_001, "700,001")])
def test_a_file_of_another_size_is_refused_before_it_is_read(
    server: FileServer, part: Path, expected: int, words: str
) -> None:
    with pytest.raises(DataError, match=f"offers a file of 700,000 bytes, expected {words}: it is not the published"):
        get(server, part, expected_bytes=expected, limit=expected)
    assert not part.exists()


def test_a_file_over_the_limit_is_refused_before_it_is_read(server: FileServer, part: Path) -> None:
    with pytest.raises(DataError, match="offers a file of 700,000 bytes, expected at most 600,000"):
        get(server, part, expected_bytes=None, limit=600_000)
    assert not part.exists()


def test_a_file_without_a_stated_size_is_cut_off_at_the_limit_and_removed(server: FileServer, part: Path) -> None:
    server.framing = "chunks"
    seen: list[tuple[int, int]] = []
    with pytest.raises(DataError, match="offers a file of more than 600,000 bytes"):
        download(server.url, part, limit=600_000, patience=QUICK, progress=lambda *now: seen.append(now))
    assert not part.exists()
    assert max(seen) <= (600_000, 600_000)


def test_a_silent_server_is_given_up(server: FileServer, part: Path) -> None:
    server.pause_s = 1.0
    impatient = Patience(tries=2, first_wait_s=0.001, read_timeout_s=0.1)
    with pytest.raises(DataError, match=r"cannot be downloaded: Read timed out\. \(tried 2 times"):
        download(server.url, part, limit=len(OLD), patience=impatient)


def test_without_a_network_the_error_names_address_and_cause(part: Path) -> None:
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:9/x cannot be downloaded: .*refused \(tried 3 times\)"):
        download("http://127.0.0.1:9/x", part, limit=10, patience=QUICK)


@pytest.mark.parametrize(
    ("url", "cause"), [("nowhere", "No scheme supplied"), ("file:///etc/hosts", "No connection adapters")]
)
def test_an_address_that_is_none_is_an_error_at_once(url: str, cause: str, part: Path) -> None:
    with pytest.raises(DataError, match=f"{url} cannot be downloaded: .*{cause}"):
        download(url, part, limit=10, patience=QUICK)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_full_disk_is_the_callers_to_explain(server: FileServer, part: Path) -> None:
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as caught:
        get(server, part)
    assert caught.value.errno == errno.ENOSPC


CHILD = """
import signal, sys
from pathlib import Path
from segml.data.download import download
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs in the background ignore it
download(sys.argv[1], Path(sys.argv[2]), limit=10**6)
"""


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_ended_leaves_a_part_that_the_next_one_completes(
    server: FileServer, part: Path, ending: signal.Signals
) -> None:
    server.pause_s = 0.2
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(part)],
        env=os.environ | {"NO_PROXY": "127.0.0.1"},
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(ending)
    assert child.wait(timeout=60) != 0
    left = part.read_bytes()
    assert OLD.startswith(left)
    assert 0 < len(left) < len(OLD)
    server.pause_s = 0.0
    assert get(server, part) == OLD
    assert server.asked[-1]["Range"] == f"bytes={len(left)}-"
