"""``python -m segml.campaign`` as people use it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock

from segml import outputs
from segml.artifacts import STAGING_PREFIX
from segml.campaign import __main__ as campaign
from segml.campaign import files
from support import orders

CUSTOMERS = 80
NAMES = [f"K{number:03}" for number in range(CUSTOMERS)]


def decisions(names: list[str] = NAMES) -> pd.DataFrame:
    number = np.arange(len(names))
    return pd.DataFrame(
        {
            "customer_id": names,
            "as_of": pd.Timestamp("2024-09-01").as_unit("us"),
            "tier": np.where(number % 4 == 0, "key", "small"),
            "risk_band": np.where(number % 2 == 0, "low", "high"),
            "run_rate": number + 1.0,
        }
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with orders of 2024, decisions and settings in it."""
    monkeypatch.chdir(tmp_path)
    table = orders(CUSTOMERS, 330, every=25)
    amount = np.random.default_rng(0).lognormal(4, 0.5, len(table)).round(2)
    table.assign(amount=amount).to_csv("orders.csv", index=False)
    decisions().to_parquet("decisions.parquet", index=False)
    Path("test.yaml").write_text(
        "as_of: 2024-11-20\ndata: {transactions: orders.csv}\ncampaign: {name: autumn, days: 30, min_stratum: 4}\n",
        encoding="utf-8",
    )
    return tmp_path


def run(*words: str) -> int:
    return campaign.main([words[0], "--config", "test.yaml", *words[1:]])


def assign(*more: str, kept: str = "kept.csv", table: str = "decisions.parquet", on: str = "2024-09-05") -> int:
    return run("assign", "--decisions", table, "--assignments", kept, "--as-of", on, *more)


@pytest.mark.parametrize("kept", ["kept.csv", "kept.parquet"])
def test_plan_assign_and_measure(folder: Path, capsys: pytest.CaptureFixture[str], kept: str) -> None:
    assert run("plan", "--decisions", "decisions.parquet", "--effect", "0.1", "--json") == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["promises"][0].startswith("With 80 customers, 40 of them treated, you can see an effect of ±")
    assert {row["segment"] for row in planned["table"]} == {"all", "key", "small"}

    assert assign("--json", kept=kept) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["customers"], told["treated"], told["seed"]) == (80, 40, 0)
    assert {row["column"] for row in told["balance"]} == {"run_rate"}

    assert run("measure", "--assignments", kept, "--output", "effect", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["finding"][0].startswith("Revenue a customer within 30 days: ")
    assert found["table"][0]["treated"] == 40
    assert sorted(path.name for path in (folder / "effect").iterdir()) == ["effect.csv", "effect.md", "effect.png"]
    page = (folder / "effect" / "effect.md").read_text("utf-8")
    assert page.startswith("# autumn\n")
    assert "| all customers | 40 | 40 |" in page


def test_text_for_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("plan", "--decisions", "decisions.parquet") == 0
    out, err = capsys.readouterr()
    assert "points on the share that buys within 30 days" in out
    assert "measuring the past" in err
    assert assign() == 0
    assert "80 customers, 40 treated, 80 added now; seed 0" in capsys.readouterr().out
    assert run("measure", "--assignments", "kept.csv", "--set", "report.language=ru") == 0
    assert "Выручка на клиента" in capsys.readouterr().out


def test_a_refresh_moves_nobody_and_a_repeated_call_leaves_the_file_as_it_was(folder: Path) -> None:
    assert assign() == 0
    first = Path("kept.csv").read_bytes()
    assert assign(on="2024-10-05") == 0
    assert Path("kept.csv").read_bytes() == first
    decisions([*NAMES[10:], "new 1", "new 2"]).sample(frac=1, random_state=1).to_parquet("later.parquet", index=False)
    assert assign(table="later.parquet", on="2024-10-05") == 0
    lines = Path("kept.csv").read_bytes().splitlines()
    assert lines[: CUSTOMERS + 1] == first.splitlines()
    assert len(lines) == CUSTOMERS + 3


def test_numbers_that_look_like_formulas_come_back_as_they_were(folder: Path) -> None:
    odd = ["=1+1", "-7", "+49", "@x", "007", "'quoted", *NAMES[6:]]
    outputs.write_csv(decisions(odd), Path("odd.csv"))
    assert assign(table="odd.csv") == 0
    assert set(files.read_kept(Path("kept.csv"))["customer_id"]) == set(odd)
    assert "'=1+1" in Path("kept.csv").read_text("utf-8")


def test_several_campaigns_share_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert assign("--set", 'campaign.where=tier == "key"') == 0
    capsys.readouterr()
    assert assign("--set", "campaign.name=winter", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["customers"] == 60
    assert told["notices"] == ["20 customers are left out: they are in another campaign that runs at the same time"]
    assert set(files.read_kept(Path("kept.csv"))["campaign"]) == {"autumn", "winter"}


def test_a_campaign_by_touches(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arms = np.where(np.arange(CUSTOMERS) % 2, "treatment", "control")
    touches = pd.DataFrame(
        {"customer_id": NAMES, "touched_at": "2024-09-05", "campaign": "autumn", "arm": arms, "responded": False}
    )
    touches.to_csv("touches.csv", index=False)
    measured = ("--touches", "--decisions", "decisions.parquet", "--set", "campaign.outcome=orders", "--json")
    assert run("measure", *measured, "--set", "data.touches=touches.csv") == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["segment"] for row in found["table"]] == ["all", "key", "small"][: len(found["table"])]
    assert found["outcome"] == "orders"
    assert run("measure", "--touches") == 2
    assert "--touches needs a table of touches; set data.touches" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("plan", "--decisions", "no.parquet"), "there is no file no.parquet of decisions"),
        (("plan", "--decisions", "orders.xlsx"), "must end in .parquet or .csv; found '.xlsx'"),
        (("plan", "--decisions", "orders.csv"), "decisions lack columns"),
        (("plan", "--decisions", "broken.parquet"), "broken.parquet cannot be read"),
        (("plan", "--decisions", "empty.csv"), "holds no customer"),
        (("plan", "--decisions", "twice.csv"), "customer_id 'K000' more than once"),
        (("measure", "--assignments", "kept.csv"), "nobody is assigned to the campaign 'autumn'; there are: none"),
        (("measure", "--assignments", "orders.csv"), "assignments in orders.csv lack columns"),
        (("plan", "--decisions", "twice.csv", "--set", "campaign.where=tier =="), "campaign.where"),
        (("plan", "--decisions", "twice.csv", "--set", "campaign.strata=[tier, tier]"), "names a column twice: tier"),
    ],
)
def test_bad_input_is_one_message_and_code_two(
    folder: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    Path("broken.parquet").write_bytes(b"PAR1 not")
    decisions().iloc[:0].to_csv("empty.csv", index=False)
    pd.concat([decisions(), decisions().iloc[:1]]).to_csv("twice.csv", index=False)
    assert run(*words) == 2
    assert message in capsys.readouterr().err


def test_a_test_that_runs_is_not_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert assign(on="2024-11-01") == 0
    assert run("measure", "--assignments", "kept.csv", "--output", "effect") == 2
    assert "the test is not over: its window runs to 2024-12-01" in capsys.readouterr().err
    assert list((folder / "effect").iterdir()) == []


def test_two_at_once_lose_nobody(folder: Path) -> None:
    processes = []
    for part in range(2):
        decisions(NAMES[part * 20 : part * 20 + 20]).to_parquet(f"part{part}.parquet", index=False)
        words = ["assign", "--config", "test.yaml", "--decisions", f"part{part}.parquet", "--assignments", "kept.csv"]
        processes.append(subprocess.Popen([sys.executable, "-m", "segml.campaign", *words], stdout=subprocess.DEVNULL))
    assert [process.wait(600) for process in processes] == [0, 0]
    assert len(files.read_kept(Path("kept.csv"))) == 40
    assert not list(folder.glob(f"{STAGING_PREFIX}*"))


def test_a_file_in_use_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "WAIT_S", 0.1)
    with FileLock(folder / ".kept.csv.lock"):
        assert assign() == 2
    assert "another process is assigning to kept.csv" in capsys.readouterr().err
    assert not Path("kept.csv").exists()
