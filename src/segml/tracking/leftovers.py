"""Runs that a killed process left RUNNING: known by the tag that every run begins with, and set FAILED.

A number of a process is used again, so its start tells processes apart; what cannot be known is left alone.
"""

from __future__ import annotations

from segml.tracking.connection import Connection
from segml.tracking.process import is_gone

ERROR_TAG = "segml.error"
REASON = "the process ended without a word"


def end_leftovers(connection: Connection) -> int:
    """Set our runs FAILED whose process on this host is gone; return how many there were."""
    query = "attributes.status = 'RUNNING'"
    running = connection(lambda client: client.search_runs([connection.experiment_id], query, max_results=1000))
    left = [run.info.run_id for run in running if is_gone(run.data.tags)]
    for run_id in left:
        fail(connection, run_id, REASON)
    return len(left)


def fail(connection: Connection, run_id: str, reason: str) -> None:
    """Set a run FAILED, with the reason as a tag."""
    connection.set_tags(run_id, {ERROR_TAG: reason})
    connection(lambda client: client.set_terminated(run_id, "FAILED"))
