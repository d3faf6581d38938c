"""A real PostgreSQL server for the tests, on loopback, from the installed programs; the fixture is ``postgres_url``.

The user ``reader`` with an awkward password owns the server. Tests make their tables in a data base of their own
(``new_database``), so that none sees another's.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

USER = "reader"
PASSWORD = "s3cr:t/pass#word"  # as awkward as they come
ENCODED = "s3cr%3At%2Fpass%23word"
OPTIONS = "-c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"


@contextmanager
def running_server() -> Iterator[str]:
    """Yield the address of a fresh server's empty data base; skip the test where the programs are not installed."""
    for driver in ("adbc_driver_postgresql.dbapi", "psycopg"):
        pytest.importorskip(driver, reason=f"a driver of PostgreSQL is not installed ({driver})")
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL server programs here")
    folder = Path(tempfile.mkdtemp(prefix="segml-postgres-"))  # not below pytest's own folder, which only we may enter
    who = _owner()
    os.chown(folder, who.get("user", -1), who.get("group", -1))
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [programs / program, "-D", folder / "data", *arguments]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, **who)

    try:
        login = ("-U", USER, f"--pwfile={folder / 'password'}", "-A", "scram-sha-256")
        run("initdb", *login, "-N", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", f"-p {port} {OPTIONS}", "start")
        try:
            yield f"postgresql://{USER}:{ENCODED}@127.0.0.1:{port}/postgres"
        finally:
            if (folder / "data" / "postmaster.pid").exists():  # else a test has stopped it
                run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def new_database(url: str, name: str) -> str:
    """Return the address of a new, empty data base; its language sorts other than by code points."""
    execute(url, f"create database {name} locale_provider icu icu_locale 'de-DE' template template0")
    return f"{url.rpartition('/')[0]}/{name}"


def as_user(url: str, name: str, password: str = "its-own") -> str:
    """Return the address of the same data base for a new user of no rights but everybody's."""
    execute(url, f"create role {name} login password '{password}'")
    return url.replace(f"{USER}:{ENCODED}", f"{name}:{password}")


def execute(url: str, *statements: str) -> None:
    """Run statements one by one, each for itself."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def stop(url: str) -> None:
    """End the server at once, and every connection with it, as in a power cut; return when it is gone."""
    [[number]] = rows(url, "select split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int")
    [[folder]] = rows(url, "select current_setting('data_directory')")
    os.kill(number, signal.SIGQUIT)
    while Path(folder, "postmaster.pid").exists():
        time.sleep(0.02)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """Return what a query gives."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def ingest(url: str, name: str, table: Any) -> None:
    """Write an Arrow table to the server, in the place of one of that name."""
    from adbc_driver_postgresql import dbapi

    with dbapi.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest(name, table, mode="replace")
        connection.commit()


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _programs() -> Path | None:
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    return folders[-1] if folders else Path(found).resolve().parent if found else None


def _owner() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
