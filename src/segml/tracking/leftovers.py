"""Runs that a killed process left RUNNING: known by the tags that every run begins with, and set FAILED.

A number of a process is used again, so its start tells processes apart; what cannot be known is left alone.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from segml.tracking.connection import Connection

HOST_TAG, PID_TAG, START_TAG, ERROR_TAG = "segml.host", "segml.pid", "segml.process_start", "segml.error"
REASON = "the process ended without a word"
DEAD_STATES = ("Z", "X")
FIRST_NAMESPACE = "pid:[4026531836]"
"""Where Linux numbers the processes that are in no container."""


def process_tags() -> dict[str, str]:
    """Return the tags that tell which process a run belongs to."""
    return {HOST_TAG: _host(), PID_TAG: str(os.getpid()), START_TAG: _start_of(os.getpid()) or ""}


def end_leftovers(connection: Connection) -> int:
    """Set our runs FAILED whose process on this host is gone; return how many there were."""
    query = f"attributes.status = 'RUNNING' and tags.`{HOST_TAG}` = '{_host()}'"
    running = connection(lambda client: client.search_runs([connection.experiment_id], query, max_results=1000))
    left = [run.info.run_id for run in running if is_gone(run.data.tags)]
    for run_id in left:
        fail(connection, run_id, REASON)
    return len(left)


def fail(connection: Connection, run_id: str, reason: str) -> None:
    """Set a run FAILED, with the reason as a tag."""
    connection.set_tags(run_id, {ERROR_TAG: reason})
    connection(lambda client: client.set_terminated(run_id, "FAILED"))


def is_gone(tags: Mapping[str, str]) -> bool:
    """Return whether the process that the tags tell of, on this host, has certainly ended."""
    pid, start = tags.get(PID_TAG, ""), tags.get(START_TAG)
    if not pid.isdigit() or not start:
        return False
    now = _start_of(int(pid))
    return now is not None and now != start


def _host() -> str:
    """Return this host's name; a container's processes have numbers of their own, even under its host's name."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return socket.gethostname()
    return socket.gethostname() + (f" {namespace}" if namespace != FIRST_NAMESPACE else "")


def _start_of(pid: int) -> str | None:
    """Return when a process began, in words to compare; empty when it has ended, None when it cannot be known."""
    if Path("/proc/self/stat").exists():
        return _start_on_linux(pid)
    return _start_by_ps(pid) if os.name == "posix" else None


def _start_on_linux(pid: int) -> str:
    """Return the boot and the ticks since: a clock may be set, these stay."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8")[:8]
    return "" if state in DEAD_STATES else f"{boot} {fields[18]}"


def _start_by_ps(pid: int) -> str | None:
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env={"LC_ALL": "C", "TZ": "UTC"})
    except OSError:
        return None
    return answer.stdout.strip()
