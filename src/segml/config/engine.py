"""The section that tells where features are computed, and with how much memory."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator

from segml.settings import Section

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B", re.IGNORECASE)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_LEAST = 100_000_000


def size_in_bytes(text: str) -> int:
    """Return a size in bytes; KB, MB, GB and TB are powers of 1000, KiB and so on powers of 1024.

    Raises
    ------
    ValueError : this is no size, or less than 100 MB, with which nothing could be done

    >>> size_in_bytes("1.5GB"), size_in_bytes("512 MiB")
    (1500000000, 536870912)
    """
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is not a size in memory; write it as 4GB or 512MB")
    base = 1024 if found[3] else 1000
    size = int(float(found[1]) * base ** _POWERS[found[2].upper()])
    if size < _LEAST:
        raise ValueError(f"{text!r} is too little memory; give at least {_LEAST // 1_000_000}MB")
    return size


def _checked_size(text: str) -> str:
    size_in_bytes(text)
    return text


class EngineConfig(Section):
    """Where transactions are cleaned and features computed.

    ``memory_limit`` (``4GB``) is for DuckDB; null means 60 % of the memory that is free where features go straight to a
    file, and else what DuckDB allows itself. What does not fit is kept in files in ``scratch``; null means beside the
    output, or the system's folder for temporary files. On Spark ``scratch`` is a folder that the cluster sees.
    ``spark`` is the address of a Spark Connect server (``sc://host:15002``), ``local`` or ``local[4]``; null means
    ``SPARK_REMOTE`` of the environment, else ``local``.
    """

    kind: Literal["duckdb", "spark", "postgres"] = "duckdb"  # where to compute
    memory_limit: Annotated[str, AfterValidator(_checked_size)] | None = None  # as 4GB
    scratch: str | None = None  # folder for temporary files
    spark: str | None = None  # address of a session
