import ibis
import pandas as pd
import pyarrow as pa
import pytest

from postgres_server import ingest, new_database
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


def test_an_expression_on_a_server_of_ones_own_sorts_as_all_engines_do(postgres_url: str) -> None:
    url = new_database(postgres_url, "engine_of_ones_own")
    ingest(url, "words", pa.table({"word": ["a", "B", "Ä"]}))
    backend = ibis.connect(url)
    words = backend.table("words")
    assert words.word.max().to_pyarrow().as_py() == "B"
    assert to_table(words.filter(words.word != "Ä")).word.max().to_pyarrow().as_py() == "a"
    assert to_table(words).word.max().to_pyarrow().as_py() == "Ä"
    backend.disconnect()


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(DataError, match="a table is needed: pandas, polars, pyarrow or Ibis; found list"):
        to_table([1, 2])


@pytest.mark.parametrize("values", [["7", 7], [7, "7"], [1.5, "x"], [object(), 1]])
def test_a_column_of_several_types_is_refused(values: list[object]) -> None:
    with pytest.raises(DataError, match=r"the frame cannot be read: .*column order_id.*values of one type"):
        to_table(pd.DataFrame({"order_id": values}))


def test_columns_of_one_name_are_refused() -> None:
    with pytest.raises(DataError, match=r"the frame cannot be read: Duplicate column names.*a name of its own"):
        to_table(pd.DataFrame([[1, 2]], columns=["amount", "amount"]))
