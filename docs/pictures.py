"""Make the pictures that README and the documentation show: runs on demo data in a real MLflow UI, and two reports.

    python docs/pictures.py [--runs FOLDER]

``--runs`` keeps the runs in a folder, for another try at the pictures. It takes Playwright, Chromium and some minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests"))

import browser  # noqa: E402 - found by the path above, as are the other helpers of the tests
from mlflow_server import MlflowServer  # noqa: E402
from segml import refresh, train  # noqa: E402
from segml.monitor.verdict import RETRAIN_ADVISED  # noqa: E402

if TYPE_CHECKING:
    from mlflow.entities import Run
    from playwright.sync_api import Page

EXPERIMENT = "horizons"
SMALL = """\
demo: {customers: 250}
churn: {boosting: {max_iter: 60}, bootstrap: 100, max_snapshots: 6}
segments: {clusters: {bootstrap: 5, candidates: [kmeans], kmeans: {most_k: 5}}, interval_resamples: 50}
"""
TRAININGS = [
    {"horizon_days": str(days), "churn.model": model} for days, model in product((45, 60), ("hazard", "direct"))
]
COLUMNS = (
    "metrics.`churn/roc_auc`",
    "metrics.`stagnation/roc_auc`",
    "metrics.`stagnation/loss_captured_at_10`",
    "metrics.`segments/n_clusters`",
    "params.`churn.model`",
    "params.`horizon_days`",
    "tags.`segml.as_of`",
)
REFRESHED = {"demo.customers": "800", "churn.boosting.max_iter": "60", "segments.clusters.candidates": "[kmeans]"}
TRAINED_AT, REFRESHES = "2025-07-01", ("2025-10-01", "2026-01-01")
COLOURS = 128
REPORT_SIZE = (1200, 1010)
REFRESH_HEIGHT = 800
PAUSE_MS = 2_500
"""For what moves to come to rest, once all of it is there."""


def main() -> None:
    """Make the runs, unless they are there, and then the pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="folder to keep the runs in")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.runs or Path(temporary)).resolve()
        if not (folder / "whole" / "report.html").is_file():
            make_runs(folder)
        if not (folder / REFRESHES[-1] / "refresh.html").is_file():
            make_refreshes(folder)
        picture_report(folder / "whole" / "report.html")
        picture_refresh(folder / REFRESHES[-1] / "refresh.html")
        picture_runs(folder)


def make_runs(folder: Path) -> None:
    """Train every variant on a small world, and train once on the whole demo data, for its report."""
    folder.mkdir(parents=True, exist_ok=True)
    small = folder / "small.yaml"
    small.write_text(SMALL, encoding="utf-8")
    common = {"tracking.uri": f"sqlite:///{folder / 'mlflow.db'}"}
    with contextlib.chdir(folder):  # tags and commands tell relative paths
        for variant in TRAININGS:
            settings = {**common, **variant, "tracking.experiment": EXPERIMENT}
            _train(settings, Path("small"), "--config", small.name)
        _train(common, Path("whole"))


def make_refreshes(folder: Path) -> None:
    """Train on the half year before, then refresh quarter by quarter."""
    folder.mkdir(parents=True, exist_ok=True)
    common = {**REFRESHED, "tracking.uri": f"sqlite:///{folder / 'refreshes.db'}"}
    with contextlib.chdir(folder):
        _train(common, Path("half"), "--as-of", TRAINED_AT)
        for day in REFRESHES:
            settings = _overrides({**common, "refresh.state": "state"})
            words = ["--model", "half/model", "--as-of", day, "--output", day, *settings]
            if refresh.main(words) not in (0, RETRAIN_ADVISED):
                raise SystemExit(f"the refresh of {day} failed")


def picture_report(path: Path) -> None:
    """Picture the top of a report."""
    width, height = REPORT_SIZE
    with browser.opened_page(width=width, height=height) as page:
        page.goto(path.as_uri())
        _take(page, DOCS / "report.png")


def picture_refresh(path: Path) -> None:
    """Picture who moved between the stages of the lifecycle."""
    with browser.opened_page(width=REPORT_SIZE[0], height=REFRESH_HEIGHT) as page:
        page.goto(path.as_uri())
        page.evaluate("document.getElementById('moves-lifecycle').scrollIntoView()")
        _take(page, DOCS / "pictures" / "refresh.png")


def picture_runs(folder: Path) -> None:
    """Picture the pages of the UI that people look at most."""
    from mlflow import MlflowClient

    server = MlflowServer(f"sqlite:///{folder / 'mlflow.db'}", folder)
    server.start()
    try:
        client = MlflowClient(server.uri)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        assert experiment is not None
        number = str(experiment.experiment_id)
        runs = [
            run
            for run in client.search_runs([number], "attributes.status = 'FINISHED'")
            if "mlflow.parentRunId" not in run.data.tags
        ]
        with browser.opened_page() as page:
            _picture_table(page, server.uri, number, runs)
            _picture_comparison(page, server.uri, number, runs)
            _picture_run(page, server.uri, number, runs)
            _picture_charts(page, server.uri, number)
    finally:
        server.kill()


def _picture_table(page: Page, server: str, experiment: str, runs: list[Run]) -> None:
    browser.show_columns(page, experiment, COLUMNS, {"attributes.`Run Name`": 300})
    page.goto(browser.runs_address(server, experiment))
    for run in runs:
        page.get_by_text(str(run.info.run_name), exact=True).first.wait_for()
    _take(page, DOCS / "pictures" / "mlflow_runs.png")


def _picture_comparison(page: Page, server: str, experiment: str, runs: list[Run]) -> None:
    ids = [run.info.run_id for run in runs]
    page.goto(browser.compare_address(server, experiment, ids))
    page.get_by_text("Run details").wait_for()
    _take(page, DOCS / "pictures" / "mlflow_parallel.png")
    page.goto(browser.compare_address(server, experiment, ids[:3]))
    page.get_by_text("Visualizations", exact=True).click()
    page.get_by_text("Show diff only", exact=True).first.click()
    page.get_by_text("Show diff only", exact=True).nth(1).scroll_into_view_if_needed()
    _take(page, DOCS / "pictures" / "mlflow_compare.png")


def _picture_run(page: Page, server: str, experiment: str, runs: list[Run]) -> None:
    page.goto(browser.run_address(server, experiment, runs[0].info.run_id))
    browser.show_whole_description(page)
    _take(page, DOCS / "pictures" / "mlflow_run.png")


def _picture_charts(page: Page, server: str, experiment: str) -> None:
    page.goto(browser.runs_address(server, experiment, charts=True))
    page.get_by_placeholder("Search metric charts").fill("roc_auc$")
    page.get_by_text("baseline/pareto_nbd_churn").first.wait_for()
    _take(page, DOCS / "pictures" / "mlflow_charts.png")


def _train(settings: Mapping[str, str], output: Path, *more: str) -> None:
    if train.main([*more, *_overrides(settings), "--output", str(output)]):
        raise SystemExit(f"{settings} failed")


def _overrides(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def _take(page: Page, path: Path) -> None:
    """Write a screenshot, in as few colours as leave it sharp."""
    from PIL import Image

    page.wait_for_timeout(PAUSE_MS)
    path.parent.mkdir(exist_ok=True)
    page.screenshot(path=path)
    with Image.open(path) as taken:
        small = taken.convert("RGB").quantize(COLOURS)
    small.save(path, optimize=True)
    print(f"{path.relative_to(DOCS.parent)}: {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
