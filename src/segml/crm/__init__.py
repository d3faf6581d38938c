"""Out to the CRM: one row a customer and one row a task, as files and as tables of PostgreSQL."""

from segml.crm.changes import TableChanges, changes
from segml.crm.files import PREFIX, read_files, write_files
from segml.crm.postgres import check, preview, upsert
from segml.crm.rows import rows
from segml.crm.schema import CRM_SCHEMA, CUSTOMERS, SHAPES, TASKS, Export
from segml.crm.words import figures

__all__ = [
    "CRM_SCHEMA",
    "CUSTOMERS",
    "PREFIX",
    "SHAPES",
    "TASKS",
    "Export",
    "TableChanges",
    "changes",
    "check",
    "figures",
    "preview",
    "read_files",
    "rows",
    "upsert",
    "write_files",
]
