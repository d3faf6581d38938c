import pandas as pd
import pyarrow as pa
import pytest

from segml.data import to_table
from segml.schema import DataError


def test_a_column_of_nothing_but_none_is_carried_over() -> None:
    table = to_table(pd.DataFrame({"customer_id": ["a", "b"], "margin": [None, None]}))
    assert table.to_pyarrow().to_pydict() == {"customer_id": ["a", "b"], "margin": [None, None]}


def test_the_frame_may_be_of_several_kinds() -> None:
    arrow = pa.table({"amount": [1.0, 2.0]})
    kept = to_table(arrow)
    assert to_table(kept) is kept
    assert kept.to_pyarrow().to_pydict() == to_table(arrow.to_pandas()).to_pyarrow().to_pydict()


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(DataError, match="a table is needed: pandas, polars, pyarrow or Ibis; found list"):
        to_table([1, 2])
