"""Texts as they compare, on every engine: whether a text is left as it is must not depend on the short cut for most."""

import re
from itertools import product
from typing import Any

import pandas as pd
import pytest

from engines import engine
from segml.data import to_table
from segml.data.functions import perhaps_repeated
from segml.data.prepare import customer_key, number_lines, repeats_of, trimmed

__all__ = ["engine"]

AROUND = ("", " ", "\t", "\n", "\r", "\x0b", "\f", "\u00a0", " \u00a0\t")
TEXTS = ("", "nan", "NULL", "None", "<NA>", "n/a", "#N/A", "a", "nano", "none!", "a b", "a\u00a0b", "\x1fa", "a\x1f")
NUMBERS = ("7.0", "12345.0", ".0", "7.00", "A.0", "-7.0", "7.0.0")
CELLS = [before + text + after for before, text, after in product(AROUND, (*TEXTS, *NUMBERS), AROUND)]


def as_it_compares(cell: str) -> str | None:
    text = cell.replace("\u00a0", " ").strip(" \t\n\r\x0b\f")
    return None if re.fullmatch("nan|null|none|<na>|#?n/a|", text, re.IGNORECASE) else text


def as_a_customer(cell: str) -> str | None:
    text = as_it_compares(cell)
    return text[:-2] if text is not None and re.fullmatch(r"[0-9]+\.0", text) else text


def test_texts_lose_what_is_around_them_and_none_is_none(engine: Any) -> None:
    rows = to_table(pd.DataFrame({"customer_id": CELLS, "place": range(len(CELLS))}), engine)
    told = rows.select("place", text=trimmed(rows, "customer_id"), customer=customer_key(rows)).order_by("place")
    found = told.to_pyarrow()
    assert found["text"].to_pylist() == [as_it_compares(cell) for cell in CELLS]
    assert found["customer"].to_pylist() == [as_a_customer(cell) for cell in CELLS]


ROWS: dict[str, list[Any]] = {
    "customer_id": ["a", "b", "a", "a", None, None, "c", "c"],
    "ordered_at": [pd.Timestamp("2024-01-01")] * 6 + [None, None],
    "amount": [1.0, 1.0, 1.0, 2.0, 0.0, -0.0, 5.0, 5.0],
    "region": ["x", "x", "x", "x", None, None, None, "y"],
}


@pytest.mark.parametrize("engine", ["duckdb", "postgres"], indirect=True)
def test_repeats_are_the_later_ones_of_equal_lines(engine: Any) -> None:
    """The third line equals the first; nothing equals nothing, and zero minus zero."""
    numbered = engine.create_table("repeats", number_lines(to_table(pd.DataFrame(ROWS), engine)), temp=True)
    assert sorted(repeats_of(numbered).to_pyarrow()["line_number"].to_pylist()) == [3, 6]
    perhaps = perhaps_repeated(numbered, list(ROWS)).to_pyarrow()["line_number"].to_pylist()
    assert sorted(perhaps) == ([1, 3, 5, 6] if engine.name == "duckdb" else list(range(1, 9)))
