"""Virtual environments of peers, made when first needed and kept in a cache folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

PEERS = Path(__file__).parents[1] / "peers"
READY = "ready"


class PeerError(Exception):
    """A peer cannot be installed or run; the message says why."""


def python_of(peer: str, cache: Path) -> Path:
    """Return the interpreter that runs a peer: this one, unless the peer has a file of requirements.

    Raises
    ------
    PeerError : the requirements cannot be installed
    """
    requirements = PEERS / f"{peer}.txt"
    if not requirements.exists():
        return Path(sys.executable)
    folder = cache / f"{peer}-{_digest(requirements)}"
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / READY).exists():
        print(f"installing {requirements.name} into {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
        (folder / READY).touch()
    return python


def variables(python: Path, threads: int) -> dict[str, str]:
    """Return the environment variables of a peer: its number of threads, and no paths of another interpreter."""
    count = str(threads)
    libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    chosen = {**os.environ, **{f"{name}_NUM_THREADS": count for name in libraries}}
    chosen |= {"POLARS_MAX_THREADS": count, "ARROW_IO_THREADS": count}
    if python != Path(sys.executable):
        chosen.pop("PYTHONPATH", None)
    return chosen


def last_words(stderr: str) -> str:
    """Return the last line that is not empty."""
    return next((line.strip() for line in reversed(stderr.splitlines()) if line.strip()), "no message")


def _digest(requirements: Path) -> str:
    return hashlib.sha256((requirements.read_text() + sys.version).encode()).hexdigest()[:12]


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": ""})
    if done.returncode != 0:
        raise PeerError(f"cannot be installed: {last_words(done.stderr or done.stdout)}")
