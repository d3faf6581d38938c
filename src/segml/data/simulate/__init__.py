"""A simulated B2B world with known truth: the embedded default data."""

from segml.data.simulate.world import World, simulate
from segml.data.simulate.write import write

__all__ = ["World", "simulate", "write"]
