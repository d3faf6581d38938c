"""How the flow tells which of its stages begins."""

from __future__ import annotations

from collections.abc import Callable

Stage = Callable[[str], None]
