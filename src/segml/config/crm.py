"""Configuration of what leaves for a CRM."""

from __future__ import annotations

from typing import Literal

from segml.settings import Section

Format = Literal["csv", "parquet", "jsonl"]


class CrmConfig(Section):
    """Tables of customers and tasks for a CRM, as files, and in a data base where an address is given."""

    formats: tuple[Format, ...] = ("csv", "parquet", "jsonl")  # of the files
    postgres: str | None = None  # postgresql://user@host/database#schema.prefix; null: none
    changes_only: bool = False  # CSV and JSON lines hold what changed since the last export
