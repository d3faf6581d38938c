"""Imports point down the layers only, and MLflow has one importer."""

import ast
from pathlib import Path

import pytest

import segml

ROOT = Path(segml.__file__).parent

# Lower number = lower room. A room may import rooms with a smaller number, and itself.
LAYERS = {
    "schema": 0,
    "config": 1,
    "windows": 2,
    "data": 3,
    "features": 4,
    "labels": 5,
    "segments": 6,
    "churn": 6,
    "actions": 7,
    "monitor": 7,
    "plots": 7,
    "pipeline": 8,
    "report": 9,
    "tracking": 9,
    "store": 9,
    "serving": 10,
    "serving_entry": 11,
    "artifacts": 10,
    "outputs": 10,
    "summary": 11,
    "session": 12,
    "cli": 10,
    "train": 13,
    "backtest": 13,
    "score": 13,
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
    if room(path) not in {"tracking", "serving", "serving_entry"}:
        assert not {name for name in imported_modules(path) if name.split(".")[0] == "mlflow"}
