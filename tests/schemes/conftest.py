"""Hand-made and simulated features of customers."""

from bases import base, months, next_base, table

__all__ = ["base", "months", "next_base", "table"]
