"""What the refresh page is made of: parts with sentences, tables and pictures."""

from __future__ import annotations

from dataclasses import dataclass

from segml.display import Grid
from segml.report.pictures import Picture


@dataclass(frozen=True)
class Part:
    """A section of the page.

    Attributes
    ----------
    key : its anchor
    title : its heading
    lead : sentences that stand first
    alarms : sentences that stand out
    pictures, tables : what is shown
    notes : sentences below, in small type
    parts : sections within
    """

    key: str
    title: str
    lead: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    tables: tuple[Grid, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.lead or self.alarms or self.pictures or self.tables or self.parts)
