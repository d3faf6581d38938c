"""People find, compare and understand runs in the real MLflow UI: seen through a real browser."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import browser
from mlflow_server import MlflowServer
from segml import backtest, train
from support import SMALL

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

EXPERIMENT = "browser"
VARIANTS = {
    "k=2, demo": (train.main, "segments.clusters.kmeans.k=2"),
    "k=3, demo": (train.main, "segments.clusters.kmeans.k=3"),
    "direct, backtest demo": (backtest.main, "churn.model=direct"),
}
"""Runs by the name that they are to get."""

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "mlflow_ui.md"
TEXTS_BESIDE = """link => {
    const middle = element => { const box = element.getBoundingClientRect(); return (box.top + box.bottom) / 2; };
    const leaves = [...document.querySelectorAll("*")].filter(found => !found.children.length && found.textContent);
    const beside = leaves.filter(found => Math.abs(middle(found) - middle(link)) < 8);
    return beside.map(found => found.textContent.trim());
}"""
"""The table is made of columns that scroll apart: a row is what stands at one height, after what is hidden there."""
LEAST_BYTES = 20_000
"""A blank page of this size takes fewer."""


@pytest.fixture(scope="module")
def ui(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A real UI on a store with a few real runs."""
    if browser.chromium() is None:
        pytest.skip(f"no browser is installed; looked for {', '.join(browser.NAMES)}")
    pytest.importorskip("playwright", reason="Playwright is not installed")
    folder = tmp_path_factory.mktemp("ui")
    store = folder / "mlflow.db"
    store.write_bytes(migrated_store.read_bytes())
    base = folder / "base.yaml"
    _write_base(base)
    for command, change in VARIANTS.values():
        overrides = (change, f"tracking.uri=sqlite:///{store}", f"tracking.experiment={EXPERIMENT}")
        words = [word for override in overrides for word in ("--set", override)]
        assert command(["--config", str(base), *words, "--output", str(folder / "out")]) == 0
    server = MlflowServer(f"sqlite:///{store}", folder)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def client(ui: MlflowServer) -> "MlflowClient":
    from mlflow import MlflowClient

    return MlflowClient(ui.uri)


@pytest.fixture(scope="module")
def runs(client: "MlflowClient") -> dict[str, "Run"]:
    """The runs by name, children among them."""
    found = client.search_runs([_experiment(client)])
    return {str(run.info.run_name): run for run in found}


@pytest.fixture(scope="module")
def page(ui: MlflowServer) -> Iterator["Page"]:
    with browser.opened_page() as opened:
        yield opened


def test_runs_are_found_by_name_with_their_settings_and_scores(
    ui: MlflowServer, client: "MlflowClient", runs: dict[str, "Run"], page: "Page", tmp_path: Path
) -> None:
    experiment = _experiment(client)
    browser.show_columns(page, experiment, ("params.`segments.clusters.kmeans.k`", "metrics.`churn/roc_auc`"))
    page.goto(browser.runs_address(ui.uri, experiment))
    for name in VARIANTS:
        page.get_by_text(name, exact=True).first.wait_for()
    score = runs["k=2, demo"].data.metrics["churn/roc_auc"]
    page.get_by_text(str(score)[:7]).first.wait_for()
    _check_picture(page, tmp_path / "runs.png")


def test_the_view_that_every_experiment_has_shows_scores(
    ui: MlflowServer, client: "MlflowClient", runs: dict[str, "Run"], page: "Page"
) -> None:
    page.goto(browser.runs_address(ui.uri, _experiment(client)))
    page.get_by_test_id("saved-views-trigger").click()
    page.get_by_text("scores", exact=True).first.click()
    score = runs["k=2, demo"].data.metrics["stagnation/roc_auc"]
    page.get_by_text(str(score)[:7]).first.wait_for()


def test_a_filter_leaves_the_runs_that_it_names(ui: MlflowServer, client: "MlflowClient", page: "Page") -> None:
    experiment = _experiment(client)
    page.goto(browser.runs_address(ui.uri, experiment, search="params.`segments.clusters.kmeans.k` = '3'"))
    page.get_by_text("k=3, demo", exact=True).first.wait_for()
    page.get_by_text("k=2, demo", exact=True).first.wait_for(state="detached")


def test_two_runs_are_compared_metric_by_metric(
    ui: MlflowServer, client: "MlflowClient", runs: dict[str, "Run"], page: "Page", tmp_path: Path
) -> None:
    compared = [runs["k=2, demo"], runs["k=3, demo"]]
    ids = [run.info.run_id for run in compared]
    page.goto(browser.compare_address(ui.uri, _experiment(client), ids))
    for run in compared:
        page.get_by_text(str(run.info.run_name), exact=True).first.wait_for()
    first = min(compared[0].data.metrics)
    link = page.get_by_role("link", name=first, exact=True).first
    link.scroll_into_view_if_needed()
    shown = [float(text) for text in link.evaluate(TEXTS_BESIDE) if re.fullmatch(r"-?\d+(\.\d+)?", text)]
    assert shown[-2:] == pytest.approx([run.data.metrics[first] for run in compared], abs=6e-4)
    _check_picture(page, tmp_path / "compare.png")


def test_a_run_tells_on_its_page_what_it_found(
    ui: MlflowServer, client: "MlflowClient", runs: dict[str, "Run"], page: "Page", tmp_path: Path
) -> None:
    run = runs["k=3, demo"]
    headline = run.data.tags["mlflow.note.content"].splitlines()[0].strip("*")
    page.goto(browser.run_address(ui.uri, _experiment(client), run.info.run_id))
    page.get_by_text(headline).first.wait_for()
    browser.show_whole_description(page)
    for heading in ("Lifecycle", "Out of time, ROC-AUC [95 % interval]", "Found segments", "To do it again"):
        page.get_by_role("heading", name=heading).wait_for()
    page.get_by_role("cell", name="stagnating").first.wait_for()
    page.get_by_text("kmeans 3, k=3, demo").first.wait_for()
    _check_picture(page, tmp_path / "run.png")


def test_a_chart_of_a_run_is_seen_among_its_artifacts(
    ui: MlflowServer, client: "MlflowClient", runs: dict[str, "Run"], page: "Page"
) -> None:
    run = runs["direct, backtest demo"]
    page.goto(browser.run_address(ui.uri, _experiment(client), run.info.run_id, tab="artifacts"))
    page.get_by_text("charts", exact=True).first.click()
    page.get_by_text("gains_churn.png", exact=True).first.click()
    page.locator("img[src^='blob:'], img[src*='gains_churn']").first.wait_for()


def test_every_filter_of_the_guide_works_and_finds_runs(client: "MlflowClient") -> None:
    filters = re.findall(r"^```sql\n(.*?)\n```", GUIDE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    lines = [line for block in filters for line in block.splitlines()]
    assert len(lines) >= 5
    for line in lines:
        assert client.search_runs([_experiment(client)], filter_string=line), line


def test_every_run_can_be_told_from_the_others(client: "MlflowClient", runs: dict[str, "Run"]) -> None:
    own = [run for run in client.search_runs([_experiment(client)]) if "mlflow.parentRunId" not in run.data.tags]
    assert {run.info.run_name for run in own} == set(VARIANTS)
    for run in own:
        assert len(run.data.params) < 80
        assert all(len(value) <= 250 for value in run.data.params.values())
        assert {"segml.data", "segml.data_digest", "segml.as_of", "segml.command", "segml.changed"} <= set(
            run.data.tags
        )
    assert [name for name in runs if name.startswith("kmeans") and name.endswith(", k=2, demo")]


def _experiment(client: "MlflowClient") -> str:
    found = client.get_experiment_by_name(EXPERIMENT)
    assert found is not None
    return str(found.experiment_id)


def _write_base(path: Path) -> None:
    from segml import config

    settings = config.load(None, [*SMALL, "demo.customers=200"])
    path.write_text(settings.to_yaml(), encoding="utf-8")


def _check_picture(page: "Page", path: Path) -> None:
    """Take a screenshot of the width that is set, and see that it is not blank."""
    page.screenshot(path=path)
    content = path.read_bytes()
    assert struct.unpack(">I", content[16:20])[0] == browser.SIZE["width"]
    assert len(content) > LEAST_BYTES
