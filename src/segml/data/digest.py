"""A fingerprint of a whole table, whatever the order of its rows."""

from __future__ import annotations

import hashlib

import pandas as pd
from ibis.expr.types import Table

from segml.data import postgres, spark_tables

DIGEST_LENGTH = 16


def digest(table: Table) -> str:
    """Return 16 hexadecimal digits over all rows and columns; the order of rows does not matter, repeats do.

    On Spark and PostgreSQL they are computed there, by functions of theirs: the same rows have other digits on each.

    >>> from segml.data.engine import to_table
    >>> rows = pd.DataFrame({"customer_id": ["a", "b"], "amount": [1.0, 2.0]})
    >>> digest(to_table(rows)) == digest(to_table(rows[::-1]))
    True
    >>> digest(to_table(rows)) == digest(to_table(rows.assign(amount=[1.0, 2.5])))
    False
    """
    if spark_tables.is_spark(table.get_backend()):
        return spark_tables.digest(table, DIGEST_LENGTH)
    if postgres.is_postgres(table.get_backend()):
        return postgres.digest(table, DIGEST_LENGTH)
    hashes = pd.util.hash_pandas_object(table.to_pyarrow().to_pandas(), index=False)
    words = (str(len(hashes)), str(int(hashes.sum())), ",".join(table.columns))
    return hashlib.sha256("|".join(words).encode()).hexdigest()[:DIGEST_LENGTH]
