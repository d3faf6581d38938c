"""The only importer of MLflow: one run with its parameters, metrics, artifacts and model.

``import mlflow`` takes seconds, so it happens inside the functions, when a run is really begun.
"""

from segml.tracking.address import check_reachable, store_uri, ui_command, ui_page
from segml.tracking.errors import DEFAULT_URI
from segml.tracking.run import Run

__all__ = ["DEFAULT_URI", "Run", "check_reachable", "store_uri", "ui_command", "ui_page"]
