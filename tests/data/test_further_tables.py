"""Reading the tables beside the transactions: mappings, survey columns, the two forms of usage."""

from pathlib import Path

import pandas as pd
import pytest

from segml.config import Config, from_mapping
from segml.data import connect, deduplicate, load_tables
from segml.schema import ConfigError, DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files = {
        "orders": "customer_id,ordered_at,amount\n7,2024-01-01,5\n",
        "cards": "Kunde,Mood,Score\n7,good,9\n8,,x\n",
        "usage": "Kunde,logins\n7,3\n",
        "contracts": "Kunde,until\n7,2025-01-01\n",
        "touches": "Kunde,sent\n7,2024-01-01\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return tmp_path


def config(folder: Path, **changes: object) -> Config:
    data = {
        "transactions": str(folder / "orders.csv"),
        "customers": str(folder / "cards.csv"),
        "usage": str(folder / "usage.csv"),
        "contracts": str(folder / "contracts.csv"),
        "touches": str(folder / "touches.csv"),
        "customer_columns": {"customer_id": "Kunde"},
        "usage_columns": {"customer_id": "Kunde"},
        "contract_columns": {"customer_id": "Kunde", "renews_on": "until"},
        "touch_columns": {"customer_id": "Kunde", "touched_at": "sent"},
        "survey_columns": {"Mood": "text", "Score": "number"},
    }
    return from_mapping({"data": data | changes})


def test_every_table_is_read_by_its_mapping(folder: Path) -> None:
    extra = load_tables(config(folder), connect()).extra
    columns = {name: tuple(column for column in table.columns if "__" not in column) for name, table in extra.items()}
    assert columns == {
        "customers": ("customer_id", "Mood", "Score"),
        "usage": ("customer_id", "logins"),
        "contracts": ("customer_id", "renews_on"),
        "touches": ("customer_id", "touched_at"),
    }


def test_survey_columns_come_through_deduplication_in_their_kinds(folder: Path) -> None:
    result = deduplicate(load_tables(config(folder), connect()).extra["customers"])
    assert result.customers["Score"].fillna(-1).tolist() == [9.0, -1.0]
    assert result.customers["Mood"].fillna("?").tolist() == ["good", "?"]
    assert "Score cannot be read" in result.notices[0]


def test_a_survey_column_that_is_not_there_is_an_error_with_the_nearest_name(folder: Path) -> None:
    with pytest.raises(DataError, match=r"data.survey_columns names 'mood', which is not there; .*did you mean 'Mood'"):
        load_tables(config(folder, survey_columns={"mood": "text"}), connect())


def test_survey_columns_are_not_the_tables_own(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"survey_columns names \['industry'\], which the customers table has of its"):
        config(folder, survey_columns={"industry": "text"})
    with pytest.raises(ConfigError, match=r"survey_columns are read from the customers table: set data.customers"):
        config(folder, customers=None)
    with pytest.raises(ConfigError, match=r"survey_columns\.Mood"):
        config(folder, survey_columns={"Mood": "date"})


def test_usage_needs_a_time_or_a_figure(folder: Path) -> None:
    pd.DataFrame({"customer_id": ["7"], "seats_total": [3]}).to_csv(folder / "usage.csv", index=False)
    with pytest.raises(DataError, match=r"needs 'used_at' \(one row a use\), or one of \['share_of_features', "):
        load_tables(config(folder, usage_columns={}), connect())


@pytest.mark.parametrize("key", ["usage_columns", "contract_columns", "touch_columns"])
def test_a_source_column_is_mapped_once(key: str, folder: Path) -> None:
    second = {"usage_columns": "logins", "contract_columns": "renews_on", "touch_columns": "touched_at"}[key]
    with pytest.raises(ConfigError, match="'Kunde' is mapped twice"):
        config(folder, **{key: {"customer_id": "Kunde", second: "Kunde"}})
    with pytest.raises(DataError, match=rf"data\.{key} takes 'customer_id' from 'Who', which is not there"):
        load_tables(config(folder, **{key: {"customer_id": "Who"}}), connect())
