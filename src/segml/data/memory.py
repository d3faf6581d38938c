"""How much memory there is, and how much of it a data base in this process may take."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from segml.config import size_in_bytes
from segml.data.engine import connect
from segml.data.scratch import claim

FREE_SHARE = 0.6
"""How much of the free memory is taken where no limit is given."""

PROCESS_BYTES = 350_000_000
"""What the process needs beside the data base: 220 MB for Python with its libraries, the rest for rows on their way."""

_CGROUPS = (
    ("memory.max", "memory.current", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "total_inactive_file"),
)
"""Files of the second and first version of control groups: limit, usage, and what of it is cache to be given back."""


def connect_within(limit: str | None, folder: str | None, threads: int | None = None) -> Any:
    """Return a backend that, with this process, keeps to a limit of memory; None leaves it what DuckDB takes by itself.

    What does not fit is kept in a folder of its own in ``folder``, or where the system has temporary files, which
    vanishes with the backend.
    """
    claimed = claim(Path(folder) if folder is not None else None)
    memory = for_database(limit_in_bytes(limit)) if limit is not None else None
    backend = connect(threads, memory_bytes=memory, spill=claimed.folder / "spill")
    weakref.finalize(backend, claimed.release)
    return backend


def limit_in_bytes(limit: str | None) -> int:
    """Return a memory limit as people write it (``4GB``) in bytes; None means 60 % of the memory that is free.

    Raises
    ------
    ValueError : the text is no size
    """
    return size_in_bytes(limit) if limit is not None else int(FREE_SHARE * free_bytes())


def for_database(limit: int) -> int:
    """Return what of a limit in bytes is left to the data base; the process itself needs the rest.

    >>> for_database(1_000_000_000)
    650000000
    """
    return max(limit - PROCESS_BYTES, limit // 3)


def free_bytes(root: Path = Path("/")) -> int:
    """Return the bytes of memory that could still be taken, by this machine and by the container's limit.

    Where the system does not tell (outside Linux), it is what DuckDB would allow itself: 80 % of all memory.
    """
    rooms = [room for room in (_available(root), *_rooms_of_groups(root)) if room is not None]
    return min(rooms) if rooms else _default_of_duckdb()


@contextmanager
def bounded(backend: Any, memory_bytes: int, spill: Path) -> Iterator[None]:
    """Let a DuckDB backend take no more than this for a while, and keep the rest in files; a lower limit stays.

    Rows may meanwhile come out of the data base in another order than they went in.
    """
    before = {name: _setting(backend, name) for name in ("memory_limit", "preserve_insertion_order")}
    if memory_bytes < _size(before["memory_limit"]):
        _set(backend, "memory_limit", f"{memory_bytes}B")
    _set(backend, "preserve_insertion_order", "false")
    _keep_in(backend, spill)
    try:
        yield
    finally:
        _set(backend, "memory_limit", _as_shown(before["memory_limit"]))
        _set(backend, "preserve_insertion_order", before["preserve_insertion_order"])


def _available(root: Path) -> int | None:
    for line in _text(root / "proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _rooms_of_groups(root: Path) -> list[int | None]:
    return [_room_of_group(root / "sys/fs/cgroup", *names) for names in _CGROUPS]


def _room_of_group(folder: Path, limit_name: str, usage_name: str, cache_name: str) -> int | None:
    limit, usage = _text(folder / limit_name).strip(), _text(folder / usage_name).strip()
    if not (limit.isdigit() and usage.isdigit()):
        return None
    figures = (line.split() for line in _text((folder / usage_name).with_name("memory.stat")).splitlines())
    cache = next((int(value) for name, value in figures if name == cache_name), 0)
    return max(int(limit) - int(usage) + cache, 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""


def _default_of_duckdb() -> int:
    with duckdb.connect() as connection:
        found = connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert found is not None
    return _size(found[0])


def _size(text: str) -> int:
    """Return DuckDB's rendering of a size in bytes; what is smaller than segml accepts counts as nothing."""
    try:
        return size_in_bytes(text)
    except ValueError:
        return 0


def _as_shown(text: str) -> str:
    """Return a size that DuckDB shows as this one: it shows one decimal, and cuts off the others.

    >>> _as_shown("18.7 GiB")
    '18.75 GiB'
    """
    number, unit = text.split()
    return f"{float(number) + 0.05:.2f} {unit}"


def _setting(backend: Any, name: str) -> str:
    return str(backend.raw_sql(f"SELECT current_setting('{name}')").fetchone()[0])


def _set(backend: Any, name: str, value: str) -> None:
    quoted = value.replace("'", "''")
    backend.raw_sql(f"SET {name} = '{quoted}'")


def _keep_in(backend: Any, spill: Path) -> None:
    """Name the folder for what does not fit; one that holds something already cannot be left."""
    try:
        _set(backend, "temp_directory", str(spill))
    except duckdb.Error:
        return
