"""One offline HTML page for a run."""

from segml.report.build import build
from segml.report.content import ReportContent

__all__ = ["ReportContent", "build"]
