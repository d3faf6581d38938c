"""The documentation: it builds, its links lead somewhere, its code runs, and its commands are those that there are."""

import argparse
import doctest
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

import segml
from doc_pages import (
    DOCS,
    GENERATED,
    PAGES,
    REPOSITORY,
    Page,
    anchors,
    built_pages,
    commands,
    fences,
    links,
    module,
    target,
)
from segml import cli, outputs
from segml.config import Config
from segml.pipeline import Training
from support import orders

EXAMPLES = module("examples")
REFERENCE = module("reference")
RUN_ELSEWHERE = {
    "model.md": "tests/test_serving.py runs it, on a model that it saves",
    "spark.md": "tests/test_spark_scoring.py and tests/features/test_spark_features.py run it, on a session",
    "postgresql.md": "tests/features/test_postgres_features.py runs it, on a server",
}
PAGES_OF_CODE = [
    path
    for path in PAGES
    if path.parent in (DOCS, REPOSITORY)
    and fences(path.read_text("utf-8"), "python")
    and path.name not in RUN_ELSEWHERE
]
by_name = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(REPOSITORY)))


# Sources


@by_name
def test_links_between_files_of_the_repository_lead_to_files_and_headings(path: Path) -> None:
    dead = [
        f"{found.relative_to(REPOSITORY)}#{anchor}"
        for found, anchor in links(path)
        if not found.is_relative_to(GENERATED)
        and (not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)))
    ]
    assert dead == []


@by_name
def test_commands_on_a_page_are_taken_by_their_parsers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[argparse.Namespace] = []
    monkeypatch.setattr(cli, "run", lambda command, arguments: parsed.append(arguments))
    known = REFERENCE.command_names()
    for command in commands(path.read_text(encoding="utf-8")):
        if command.name not in known:
            assert command.name in ("features.docs", "segments.docs"), f"there is no command {command.name}"
        elif command.is_whole:
            REFERENCE.main_of(command.name)(command.words)
        else:
            assert set(command.flags) <= set(re.findall(r"--[\w-]+", "".join(REFERENCE.command_section(command.name))))
    assert [key for arguments in parsed for key in _keys(arguments) if not _is_key(key)] == []


def _keys(arguments: argparse.Namespace) -> list[str]:
    return [override.partition("=")[0] for override in arguments.overrides]


def _is_key(key: str) -> bool:
    """Tell whether a configuration takes the key; what the user names (a folder, a scheme) is a part of it."""
    return any(known == key or known.startswith(f"{key}.") or key.startswith(f"{known}.") for known in Config().flat())


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What pages take for granted: a small demo as ``data``, its ``features``, a frame of ``orders``."""
    known: dict[str, Any] = EXAMPLES.shared_names()
    data = known["data"]
    described = segml.pipeline.described(data.features(), data.prepared, data.config)
    foreign = orders(12, 720).rename(columns={"customer_id": "client", "ordered_at": "day", "amount": "sum"})
    return {**known, "features": described, "orders": foreign}


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES_OF_CODE, ids=lambda path: path.name)
def test_code_on_a_page_runs_and_prints_what_stands_below_it(path: Path, names: dict[str, Any]) -> None:
    for example in EXAMPLES.run(path.read_text(encoding="utf-8"), names):
        if example.shown is not None:
            assert example.printed == example.shown, f"python docs/examples.py {path.relative_to(REPOSITORY)}"


# The reference


def test_every_key_of_the_configuration_stands_in_the_reference() -> None:
    page = module("keys").page()
    for key, value in Config().flat().items():
        section, _, name = key.rpartition(".")
        part = page.split(f"({module('keys').anchor(section)})=")[1].split("\n(config-")[0]
        assert f"| `{name}` |" in part, key
        assert value is not False or f"| `{name}` | true or false | `false` |" in part, key


def test_a_key_tells_what_it_takes_its_default_and_its_comment() -> None:
    page = module("keys").page()
    assert "| `horizon_days` | whole number ≥ 7, ≤ 730 | `90` | that scores and labels look ahead |" in page
    assert "| `tax_id` | text, or null | `null` | tax number; cards that share it are one customer |" in page
    assert "| `kind` | `duckdb` or `spark` or `postgres` | `duckdb` |" in page
    assert "| `conformal_error` | number > 0, < 0.5, or null | `null` |" in page
    assert "| `prior_shift` | list of `churn` or `stagnation` | `[]` | to the level of last year's season |" in page
    assert "| `win_back_steps` | list of text | `[letter, call, last offer]` | one a month, from" in page


def test_every_command_stands_in_the_reference_with_its_options() -> None:
    page = REFERENCE.commands()
    names = REFERENCE.command_names()
    assert names[0] == "train"
    assert {"backtest", "score", "features", "data"} <= set(names)
    for name in names:
        assert f"## `python -m segml.{name}`\n\n```text\nusage: python -m segml.{name} " in page
    assert "### `python -m segml.data check`" in page
    assert "--taken FILE.parquet" in page


def test_every_public_module_has_a_page_of_its_public_names() -> None:
    for name in REFERENCE.MODULES:
        page, found = REFERENCE.module(name), sys.modules[name]
        for public in REFERENCE.public_names(found):
            is_told = rf"^( {{3}}~?[\w.]*|\.\. auto\w+:: ){public}$"
            assert inspect.ismodule(getattr(found, public)) or re.search(is_told, page, re.MULTILINE), (
                f"{name}.{public}"
            )


def test_the_page_of_a_run_names_every_file_and_metric(small_training: Training) -> None:
    page = (DOCS / "run.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`([^`]+)`", page))
    assert {*outputs.FILES, *outputs.BACKTEST_FILES, "model"} <= told
    families = tuple(name.partition("…")[0] for name in told if name.endswith(("…", "…_s")))
    short = {re.sub(r"_(low|high)$", "", name) for name in small_training.metrics}
    paired = {name for name in short if "/roc_auc_minus_" in name}
    assert {name for name in short - paired - told if not name.startswith(families)} == set()


@pytest.mark.parametrize("name", ["docstrings", "keys", "mirror"])
def test_examples_in_the_extensions_of_the_site_hold(name: str) -> None:
    found = doctest.testmod(module(name))
    assert found.failed == 0


def test_links_of_a_page_that_moves_into_the_site_move_with_it() -> None:
    mirror = module("mirror")
    copies = mirror.mirrored()
    text = "[a](../README.md#x) [b](../docs/spark.md) [c](results/none.md) [d](https://host/a.md) ![p](plots/m.png)"
    moved = mirror.rewritten(text, REPOSITORY / "experiments", GENERATED / "experiments", copies)
    assert moved == (
        "[a](../README.md#x) [b](../../spark.md) {download}`c <../../../experiments/results/none.md>` "
        "[d](https://host/a.md) ![p](../../../experiments/plots/m.png)"
    )


# The built site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built once for all workers with warnings as errors."""
    for package in ("sphinx", "furo", "myst_nb"):
        pytest.importorskip(package)
    shared = tmp_path_factory.getbasetemp()
    folder = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "site"
    with FileLock(f"{folder}.lock"):
        if not (folder / "index.html").is_file():
            words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-E", "-q", str(DOCS), str(folder)]
            environment = {**os.environ, "HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
            done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False, timeout=900)
            assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return built_pages(site)


@pytest.mark.slow
def test_every_link_of_the_site_leads_to_a_file_and_an_anchor(pages: dict[Path, Page]) -> None:
    dead = [
        f"{path.name}: {link}" for path, page in pages.items() for link in page.links if _is_dead(link, path, pages)
    ]
    assert dead == []


def _is_dead(link: str, path: Path, pages: dict[Path, Page]) -> bool:
    found = target(link, path)
    if found is None:
        return False
    file, anchor = found
    return not file.is_file() or bool(anchor and file in pages and anchor not in pages[file].ids)


@pytest.mark.slow
def test_every_page_can_be_reached_from_the_first(site: Path, pages: dict[Path, Page]) -> None:
    seen, waiting = set[Path](), [site / "index.html"]
    while waiting:
        path = waiting.pop()
        if path in seen or path not in pages:
            continue
        seen.add(path)
        waiting += [found[0] for link in pages[path].links if (found := target(link, path))]
    extra = {"404.html", "search.html", "genindex.html", "py-modindex.html"}
    assert {str(path.relative_to(site)) for path in set(pages) - seen} - extra == set()


@pytest.mark.slow
def test_no_page_loads_anything_from_a_network(site: Path, pages: dict[Path, Page]) -> None:
    remote: Callable[[str], bool] = lambda address: bool(re.match(r"(https?:)?//", address))  # noqa: E731
    assert {address for page in pages.values() for address in page.loaded if remote(address)} == set()
    assert [address for path, page in pages.items() for address in page.loaded if _is_missing(address, path)] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?https?://", sheet.read_text(encoding="utf-8")), sheet.name


def _is_missing(address: str, path: Path) -> bool:
    found = target(address, path)
    return found is not None and not address.startswith("data:") and not found[0].is_file()
