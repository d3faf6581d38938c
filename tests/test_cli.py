import argparse
import os
import signal

import duckdb
import pytest

from segml import cli, summary
from segml.schema import DataError


def arguments(**values: object) -> argparse.Namespace:
    return argparse.Namespace(**{"debug": False, "config": None, "overrides": [], **values})


def test_success_is_zero() -> None:
    assert cli.run(lambda _: None, arguments()) == 0


def test_bad_input_is_two_and_one_message_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def command(_: argparse.Namespace) -> None:
        raise DataError("found this; expected that")

    assert cli.run(command, arguments()) == 2
    assert capsys.readouterr() == ("", "segml: error: found this; expected that\n")


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    def command(_: argparse.Namespace) -> None:
        raise DataError("found this")

    assert cli.run(command, arguments(debug=True)) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_bug_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(lambda _: [][0], arguments()) == 1
    assert "a bug in segml" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "words"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "SIGTERM")])
def test_a_stop_signal_unwinds_and_is_130(
    number: signal.Signals, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def command(_: argparse.Namespace) -> None:
        try:
            os.kill(os.getpid(), number)
            signal.pause()
        finally:
            cleaned.append(True)

    assert cli.run(command, arguments()) == 130
    assert cleaned == [True]
    assert words in capsys.readouterr().err


def test_a_stop_that_native_code_turns_into_its_own_error_is_still_a_stop() -> None:
    def command(_: argparse.Namespace) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    assert cli.run(command, arguments()) == 130


def test_a_stop_that_arrives_where_python_swallows_it_stops_at_the_next_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Finalized:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            sum(range(1000))  # the handler runs here, and what it raises goes nowhere

    reached = []

    def command(_: argparse.Namespace) -> None:
        with cli.Stages(quiet=True) as stages:
            stages("one")
            Finalized()
            reached.append("one")
            stages.detail("half")
            reached.append("half")

    assert cli.run(command, arguments()) == 130
    assert reached == ["one"]
    assert capsys.readouterr().err == "segml: stopped by SIGTERM\n"
    assert cli.run(lambda _: cli.stop_if_asked(), arguments()) == 0


def test_arguments_win_over_the_file_and_overrides() -> None:
    loaded = cli.load_config(arguments(as_of=cli.iso_date("2011-03-13"), output="a: b", overrides=["output=x"]))
    assert (str(loaded.as_of), loaded.output) == ("2011-03-13", "a: b")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("https://anna:s3cret@host/2025/sales.parquet?X-Amz-Signature=s3cret", "sales.parquet"),
        ("postgresql://anna:s3cret@db/sales?sslpassword=s3cret#public.orders", "sales#public.orders"),
    ],
)
def test_a_run_is_named_after_its_data_without_secrets(source: str, name: str) -> None:
    found, tags = summary.identity(cli.load_config(arguments(overrides=[f"data.transactions={source}"])), None)
    assert (found, tags["segml.data"]) == (name, name)


def test_the_engine_ends_with_the_block() -> None:
    settings = cli.load_config(arguments(overrides=["demo.customers=20", "demo.days=400"]))
    with cli.Stages(quiet=True) as stages, cli.open_data(settings, stages) as prepared:
        backend = prepared.lines.get_backend()
        assert prepared.lines.count().to_pyarrow().as_py() > 0
    with pytest.raises(duckdb.ConnectionException, match="already closed"):
        backend.raw_sql("SELECT 1")


def test_a_date_argument_is_iso() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"'13\.03\.2011' is not a date of the form YYYY-MM-DD"):
        cli.iso_date("13.03.2011")


def test_stages_are_timed_and_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with cli.Stages() as stages:
        stages("features")
        stages.detail("1 of 2")
        stages("scores")
    assert list(stages.seconds) == ["features", "scores"]
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "features" in shown.err


def test_a_failing_stage_is_not_reported_as_done() -> None:
    with pytest.raises(RuntimeError, match="boom"), cli.Stages() as stages:
        stages("features")
        raise RuntimeError("boom")
    assert stages.seconds == {}
