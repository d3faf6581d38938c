"""What a refresh compares with, read before there is any work to lose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from segml.pipeline import Memory, Past
from segml.state.folder import State
from segml.state.previous import check_earlier, previous_of


@dataclass(frozen=True)
class Compared:
    """What a refresh compares with.

    Attributes
    ----------
    state : what earlier refreshes left; None where there was none
    file : the last decisions, for the first refresh; None where none were given
    told : what the file tells; None where it is not known to be needed
    """

    state: State | None
    file: Path | None
    told: Memory | None

    def past(self, as_of: pd.Timestamp, say: Callable[[str], None]) -> Past:
        """Return what earlier refreshes left; before the first, what the file tells.

        Raises
        ------
        StateError : there is a refresh after the date
        DataError : the decisions of the file are not earlier than the date, or cannot be read
        """
        past = self.state.past(as_of) if self.state is not None else Past()
        if self.file is None:
            return past
        if past.last is not None:
            say(f"there was a refresh of {past.last.as_of.date()}; {self.file} is not used")
            return past
        told = self.told if self.told is not None else previous_of(self.file)
        check_earlier(told.as_of, as_of, self.file)
        return Past((told,))


def compared(state: State | None, file: Path | None, as_of: pd.Timestamp | None) -> Compared:
    """Read what a refresh compares with, so that what is wrong with it is told at once.

    Parameters
    ----------
    state : what earlier refreshes left; None where there was none
    file : the last decisions; read where no refresh takes their place
    as_of : of the refresh; None where only the data tell it

    Raises
    ------
    StateError, ModelError : the state is not whole, cannot be read here, or goes beyond the date
    DataError : the file holds no decisions to compare with
    """
    if state is not None:
        state.make_ready(as_of)
    is_needed = file is not None and not _refreshes(state, as_of)
    return Compared(state, file, previous_of(file, as_of) if file is not None and is_needed else None)


def _refreshes(state: State | None, as_of: pd.Timestamp | None) -> bool:
    """Tell whether there may be a refresh to compare with."""
    if state is None:
        return False
    return bool(state.entries if as_of is None else state.before(as_of))
