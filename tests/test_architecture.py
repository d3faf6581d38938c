"""Imports point down the layers only, and MLflow has one importer."""

import ast
from pathlib import Path

import pytest

import segml

ROOT = Path(segml.__file__).parent

# Lower number = lower room. A room may import rooms with a smaller number, and itself.
LAYERS = {
    "schema": 0,
    "nearest": 1,
    "calm": 1,
    "stopping": 1,
    "settings": 2,
    "display": 2,
    "progress": 3,
    "language": 1,
    "windows": 2,
    "schemes": 3,
    "config": 4,
    "data": 5,
    "features": 6,
    "labels": 7,
    "clusters": 7,
    "segments": 8,
    "churn": 8,
    "actions": 9,
    "campaigns": 9,
    "monitor": 9,
    "promotion": 9,
    "plots": 9,
    "pipeline": 10,
    "report": 11,
    "charts": 11,
    "summary_tables": 11,
    "description": 12,
    "views": 12,
    "tracking": 11,
    "store": 11,
    "serving_model": 12,
    "serving": 14,
    "artifacts": 1,
    "outputs": 12,
    "cli": 12,
    "serving_entry": 15,
    "spark_scoring": 16,
    "summary": 15,
    "crm": 13,
    "records": 16,
    "contest": 16,
    "dataset": 16,
    "refresh_outputs": 15,
    "replay_outputs": 16,
    "promises": 16,
    "state": 16,
    "session": 17,
    "results": 17,
    "train": 18,
    "backtest": 18,
    "score": 18,
    "upload": 18,
    "refresh": 18,
    "replay": 18,
    "registry": 18,
    "experiment": 18,
    "campaign": 18,
}
SHELLS = {"__main__"}


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "__main__" if parts[-1] == "__main__" else parts[0]


def imported_modules(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write absolute imports"
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def segml_rooms(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported_modules(path) if name.startswith("segml.")} & set(LAYERS)


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = room(path)
    if own in SHELLS:
        return
    assert own in LAYERS, f"{own} has no layer; add it to LAYERS and to CONTRIBUTING.md"
    upward = {other for other in segml_rooms(path) if other != own and LAYERS[other] >= LAYERS[own]}
    assert not upward, f"{own} imports {sorted(upward)}, which are not below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_tracking_and_serving_import_mlflow(path: Path) -> None:
    if room(path) not in {"tracking", "serving", "serving_model", "serving_entry", "promises"}:
        assert not {name for name in imported_modules(path) if name.split(".")[0] == "mlflow"}
