"""Which process works on a run: one tag of it, by which the run is found again as well."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROCESS_TAG = "segml.process"
DEAD_STATES = ("Z", "X")
FIRST_NAMESPACE = "pid:[4026531836]"
"""Where Linux numbers the processes that are in no container."""


def process_tag(key: str) -> dict[str, str]:
    """Return the tag that tells which process a run belongs to, and the key by which the run is found again."""
    told = {"host": _host(), "pid": os.getpid(), "start": _start_of(os.getpid()) or "", "key": key}
    return {PROCESS_TAG: json.dumps(told)}


def with_key(key: str) -> str:
    """Return the filter that leaves the run of a key."""
    return f'tags.`{PROCESS_TAG}` LIKE \'%"key": "{key}"%\''


def is_gone(tags: Mapping[str, str]) -> bool:
    """Return whether the process that the tags tell of was one of this host, and has certainly ended."""
    told = _told(tags)
    pid, start = told.get("pid"), told.get("start")
    if told.get("host") != _host() or not isinstance(pid, int) or not start:
        return False
    now = _start_of(pid)
    return now is not None and now != start


def _told(tags: Mapping[str, str]) -> dict[str, Any]:
    try:
        told = json.loads(tags.get(PROCESS_TAG, "{}"))
    except ValueError:  # somebody wrote over it
        return {}
    return told if isinstance(told, dict) else {}


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
