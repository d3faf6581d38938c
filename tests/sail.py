"""A Sail server in the process, once a test session: it speaks Spark Connect, and starts in a second or two."""

from __future__ import annotations

import atexit
import functools
import os
import warnings
from typing import Any

import pytest

__all__ = ["sail"]


def sail() -> Any:
    """Return an Ibis backend on a Sail server, the same one for all tests; skip where its packages are not there."""
    pytest.importorskip("pysail", reason="Sail, an engine that speaks Spark Connect, is not installed (pysail)")
    pytest.importorskip("pyspark", reason="the Spark client is not installed (pyspark)")
    return _backend()


@functools.cache
def _backend() -> Any:
    os.environ.setdefault("RUST_LOG", "error")  # it would tell of every session
    import ibis
    from pysail.spark import SparkConnectServer

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pyspark.sql import SparkSession

        server = SparkConnectServer(ip="127.0.0.1", port=0)
        server.start(background=True)
        _, port = server.listening_address
        spark = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
        atexit.register(server.stop)
        atexit.register(spark.stop)  # runs first
        spark.conf.set("spark.sql.session.timeZone", "UTC")
        return ibis.pyspark.connect(spark)
