"""What the page of the refresh gives to cron and to Airflow: which commands run, and what exit codes lead to."""

import argparse
import ast
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doc_pages import DOCS, fences, module
from segml import cli

PAGE = (DOCS / "refresh.md").read_text(encoding="utf-8").partition("\n## Cron\n")[2]
CRON, SCRIPT, DAG = fences(PAGE, "text")[:3]
PYTHON = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$*" in *segml.refresh*) echo told; exit "$CODE" ;; esac
"""
"""Stands for the interpreter: notes what it is to run, and ends a refresh with a code."""
DAY = "2026-04-01"

exit_codes = pytest.mark.parametrize(("code", "trains", "ends_with"), [(0, 0, 0), (10, 1, 0), (2, 0, 2), (130, 0, 130)])


@dataclass(frozen=True)
class Shell:
    """A folder with an interpreter that only takes notes."""

    folder: Path

    def run(self, words: list[str], code: int) -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": f"{self.folder}:{os.defpath}", "CALLS": str(self.folder / "calls"), "CODE": str(code)}
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False, cwd=self.folder)

    @property
    def calls(self) -> list[list[str]]:
        """Return the words of each command that was run, without the interpreter."""
        return [line.split() for line in (self.folder / "calls").read_text().splitlines()]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return Shell(tmp_path)


def dag_values() -> dict[str, Any]:
    """Return the constants of the DAG, and what its tasks are given, by ``task_id``; Airflow is not needed."""
    tree, known = ast.parse(DAG), {}
    for node in tree.body:
        if isinstance(node, ast.Assign):
            known[ast.unparse(node.targets[0])] = ast.literal_eval(node.value)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        given = {word.arg: word.value for word in call.keywords}
        for name in {"bash_command", "python_callable"} & set(given):
            task = ast.literal_eval(given["task_id"])
            known[task] = eval(compile(ast.Expression(given[name]), "DAG", "eval"), dict(known))
    return known


def bash(command: str) -> list[str]:
    """Return a command of the DAG as it is run at a day."""
    values = dag_values()
    return ["bash", "-c", command.replace(values["PYTHON"], "python").replace(values["DAY"], DAY)]


def parsed(words: list[str], monkeypatch: pytest.MonkeyPatch) -> argparse.Namespace:
    """Return the arguments of a command, as its own parser takes them."""
    found: list[argparse.Namespace] = []
    monkeypatch.setattr(cli, "run", lambda command, arguments: found.append(arguments))
    assert words[0] == "-m"
    module("reference").main_of(words[1].removeprefix("segml."))(words[2:])
    return found[0]


def test_the_cron_line_names_five_times_and_the_script() -> None:
    (line,) = (line for line in CRON.splitlines() if not line.startswith("#"))
    times, command = re.fullmatch(r"((?:\S+ ){5})(.*)", line).groups()  # type: ignore[union-attr]
    assert all(re.fullmatch(r"\*|\d+(,\d+)*", time) for time in times.split())
    assert "./refresh.sh >>" in command
    assert "%" not in command  # cron would end the command there
    assert dag_values()["DAY"]
    assert f'schedule="{times.strip()}"' in DAG


@exit_codes
def test_the_script_trains_where_it_is_advised(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, code: int, trains: int, ends_with: int
) -> None:
    script = shell.folder / "refresh.sh"
    script.write_text(SCRIPT)
    assert shell.run(["sh", str(script), DAY], code).returncode == ends_with
    assert [words[1] for words in shell.calls] == ["segml.refresh", *["segml.train"] * trains]
    assert {str(parsed(words, monkeypatch).as_of) for words in shell.calls} == {DAY}


def test_the_script_takes_the_day_of_today(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    script = shell.folder / "refresh.sh"
    script.write_text(SCRIPT)
    shell.run(["sh", str(script)], 0)
    assert parsed(shell.calls[0], monkeypatch).as_of is not None


@exit_codes
def test_the_task_of_airflow_succeeds_with_both_verdicts_and_hands_the_code_over(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, code: int, trains: int, ends_with: int
) -> None:
    values = dag_values()
    done = shell.run(bash(values["refresh"]), code)
    assert done.returncode == ends_with
    assert done.stdout.splitlines()[-1] == str(code)
    assert values["is_retraining_advised"](done.stdout.splitlines()[-1]) is bool(trains)
    assert shell.run(bash(values["train"]), code).returncode == 0
    assert [words[1] for words in shell.calls] == ["segml.refresh", "segml.train"]
    assert {str(parsed(words, monkeypatch).as_of) for words in shell.calls} == {DAY}
