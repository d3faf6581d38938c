"""Fixtures that every test may use."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before scikit-learn is imported: threads fight on small data
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real data sets: SEGML_TEST_DATA, else shared/data beside the checkout."""
    folder = Path(os.environ.get("SEGML_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "online_retail_ii.parquet").is_file():
        pytest.skip("real data sets are not there; point SEGML_TEST_DATA at a folder with online_retail_ii.parquet")
    return folder
