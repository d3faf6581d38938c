"""The only importer of MLflow: one run with its parameters, metrics, artifacts and model.

``import mlflow`` takes seconds, so it happens inside the functions, when a run is really begun.
"""

from segml.tracking.address import check_reachable, store_uri, ui_command, ui_page
from segml.tracking.entities import prefixed
from segml.tracking.errors import DEFAULT_URI
from segml.tracking.models import default_store
from segml.tracking.record import Child, DataSet, Record
from segml.tracking.resend import Sent, resend
from segml.tracking.run import Run
from segml.tracking.unsent import UNSENT, Unsent, taken_up

__all__ = [
    "DEFAULT_URI",
    "UNSENT",
    "Child",
    "DataSet",
    "Record",
    "Run",
    "Sent",
    "Unsent",
    "check_reachable",
    "default_store",
    "prefixed",
    "resend",
    "store_uri",
    "taken_up",
    "ui_command",
    "ui_page",
]
