"""Where transactions come from: readers, cleaning with its ledger, public data sets, the simulator."""

from segml.data.catalog import PUBLIC
from segml.data.clean import Cleaned, clean
from segml.data.customers import Deduplicated, deduplicate
from segml.data.digest import digest
from segml.data.engine import connect, to_table
from segml.data.extra import prepare_extra
from segml.data.frames import WHERE as GIVEN
from segml.data.ledger import Ledger, LedgerRow
from segml.data.load import DEMO, Tables, connect_engine, explaining, load_tables, opened_engine
from segml.data.read import read_table, read_transactions

__all__ = [
    "DEMO",
    "GIVEN",
    "PUBLIC",
    "Cleaned",
    "Deduplicated",
    "Ledger",
    "LedgerRow",
    "Tables",
    "clean",
    "connect",
    "connect_engine",
    "deduplicate",
    "digest",
    "explaining",
    "load_tables",
    "opened_engine",
    "prepare_extra",
    "read_table",
    "read_transactions",
    "to_table",
]
