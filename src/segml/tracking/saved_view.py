"""The view that the UI offers under *Views*: runs with their scores and main settings, instead of no figure at all.

The form is that in which the UI keeps the views that people save; a UI that does not know it shows none.
"""

from __future__ import annotations

import json

VIEW_NAME = "scores"
COLUMNS = (
    "metrics.`churn/roc_auc`",
    "metrics.`stagnation/roc_auc`",
    "metrics.`stagnation/loss_captured_at_10`",
    "metrics.`segments/n_clusters`",
    "params.`churn.model`",
    "params.`horizon_days`",
    "tags.`segml.as_of`",
    "tags.`segml.command`",
    "attributes.`Models`",
)


def saved_view() -> dict[str, str]:
    """Return the tag of an experiment that holds the view."""
    state = json.dumps({"selectedColumns": COLUMNS})
    view = {"name": VIEW_NAME, "createdAt": 0, "updatedAt": 0, "state": state}
    return {"mlflow.sharedViewState.segml": json.dumps(view)}
