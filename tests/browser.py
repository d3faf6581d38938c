"""Headless Chromium that looks at a real MLflow UI; needs Playwright, and a Chromium of the machine's own."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from playwright.sync_api import Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = {"width": 1600, "height": 1000}
WAIT_MS = 60_000

# The assistant would open by itself and take a third of the page; the menu would be that of generative AI.
AS_FOR_MODELS = """
localStorage.setItem("mlflow.workflowType_v1", '"machine_learning"');
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
"""


def chromium() -> str | None:
    """Return the path of an installed Chromium, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def opened_page(*, height: int = SIZE["height"], width: int = SIZE["width"]) -> Iterator["Page"]:
    """Yield a page of a fresh browser, without what would cover the UI."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(ARGUMENTS))
        try:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.set_default_timeout(WAIT_MS)
            page.add_init_script(AS_FOR_MODELS)
            yield page
        finally:
            browser.close()


def show_columns(
    page: "Page", experiment_id: str, columns: Sequence[str], widths: Mapping[str, int] | None = None
) -> None:
    """Let the runs table show these columns, so wide: as the UI keeps what was chosen under Columns."""
    key = f'MLflowLocalStorage-1.1-ExperimentPage-["{experiment_id}"]-ReactComponentState'
    state = {
        "searchFilter": "",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": list(columns),
        "columnWidths": dict(widths or {}),
    }
    page.add_init_script(f"localStorage.setItem({json.dumps(key)}, {json.dumps(json.dumps(state))});")


def runs_address(server: str, experiment_id: str, *, search: str = "", charts: bool = False) -> str:
    """Return the address of an experiment's runs, as a table or as charts."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"{server}/#/experiments/{experiment_id}/runs?searchFilter={quote(search)}{mode}"


def compare_address(server: str, experiment_id: str, run_ids: Sequence[str]) -> str:
    """Return the address of the page that compares runs."""
    runs, experiments = (quote(json.dumps(list(ids))) for ids in (run_ids, [experiment_id]))
    return f"{server}/#/compare-runs?runs={runs}&experiments={experiments}"


def run_address(server: str, experiment_id: str, run_id: str, *, tab: str = "") -> str:
    """Return the address of a run's page, or of one of its tabs (``model-metrics``, ``artifacts``)."""
    return f"{server}/#/experiments/{experiment_id}/runs/{run_id}{f'/{tab}' if tab else ''}"


def show_whole_description(page: "Page") -> None:
    """Open the description of a run, of which its page shows the beginning."""
    page.get_by_text("Show more", exact=True).first.click()
    page.get_by_text("Show less", exact=True).first.wait_for()
