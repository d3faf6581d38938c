"""The page of a refresh: who moved, what changed, what to do."""

from segml.report.refreshed.page import build_refresh
from segml.report.refreshed.replay import build_replay

__all__ = ["build_refresh", "build_replay"]
