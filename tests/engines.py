"""Every engine that features, cleaning and labels run on, one after the other; the fixture is ``engine``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import pytest

from postgres_server import new_database
from sail import sail
from segml.data import connect

__all__ = ["engine"]


@pytest.fixture(scope="module", params=["duckdb", "sail", "postgres"])
def engine(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Yield an Ibis backend of each engine; skip those that are not installed."""
    match request.param:
        case "duckdb":
            yield connect()
        case "sail":
            yield sail()
        case _:
            url = request.getfixturevalue("postgres_url")
            backend = ibis.connect(new_database(url, ibis.util.gen_name("engine")))
            yield backend
            backend.disconnect()
