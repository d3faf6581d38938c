"""What refreshes leave for later ones: a folder that is whole after every refresh, kill or power cut."""

from segml.state.compared import Compared, compared
from segml.state.entry import FORMAT, INDEX, Entry
from segml.state.folder import State, opened
from segml.state.previous import previous_of

__all__ = ["FORMAT", "INDEX", "Compared", "Entry", "State", "compared", "opened", "previous_of"]
