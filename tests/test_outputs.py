"""Every promised file is written, and a spreadsheet runs nothing that stands in the data."""

import json
import os
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from segml import config, outputs, summary
from segml.pipeline import Training


@pytest.fixture(scope="module")
def folder(small_training: Training, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("outputs")
    outputs.write(small_training, path, run_id="0123", data_digest="abcd")
    return path


def test_every_promised_file_is_there_and_nothing_else(folder: Path) -> None:
    assert sorted(os.listdir(folder)) == sorted(outputs.FILES)


def test_tables_read_back_as_they_were(small_training: Training, folder: Path) -> None:
    decisions = pd.read_parquet(folder / outputs.DECISIONS)
    assert_frame_equal(decisions, small_training.decided.decisions, check_dtype=False)
    assert_frame_equal(pd.read_parquet(folder / outputs.BACKTEST), small_training.backtest.table, check_dtype=False)


def test_the_configuration_reads_back_as_it_was(small_config: config.Config, folder: Path) -> None:
    assert config.load(folder / outputs.CONFIG) == small_config


def test_the_ledger_reconciles_in_the_file_too(folder: Path) -> None:
    quality = json.loads((folder / outputs.QUALITY).read_text(encoding="utf-8"))
    totals = quality["totals"]
    assert quality["reconciles"]
    assert totals["in"]["lines"] == totals["kept"]["lines"] + totals["taken"]["lines"]
    cents = {name: round(100 * total["amount"]) for name, total in totals.items()}
    assert cents["in"] == cents["kept"] + cents["taken"]


def test_profiles_add_up_to_the_base(small_training: Training, folder: Path) -> None:
    profiles = pd.read_csv(folder / outputs.PROFILES)
    assert set(profiles.groupby("scheme")["customers"].sum()) == {len(small_training.decided.decisions)}


def test_the_report_names_the_run_and_the_data(folder: Path) -> None:
    page = (folder / outputs.REPORT).read_text(encoding="utf-8")
    assert "0123" in page
    assert "abcd" in page


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", " =1+1", "＝1+1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(cell: str, tmp_path: Path) -> None:
    table = pd.DataFrame({"customer_id": [cell, "ООО Клей"], "amount": [-1.5, 2.0]})
    outputs.write_csv(table, tmp_path / "t.csv")
    read = pd.read_csv(tmp_path / "t.csv", dtype={"customer_id": "str"}, encoding="utf-8-sig")
    assert read["customer_id"].tolist() == [f"'{cell}", "ООО Клей"]
    assert read["amount"].tolist() == [-1.5, 2.0]


def test_a_run_is_named_after_its_data_and_keeps_no_password() -> None:
    settings = config.load(None, ["data.transactions=postgresql://anna:s3cret@db/sales#public.orders"])
    name, tags = summary.identity(settings, "run.yaml")
    assert "s3cret" not in name + str(tags)
    assert tags["segml.config_file"] == "run.yaml"
    assert summary.identity(config.load(None, ["data.transactions=logs/orders.csv"]), None)[0] == "orders.csv"
