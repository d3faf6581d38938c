"""Tables and queries of a real PostgreSQL server."""

import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from postgres_server import ENCODED, PASSWORD, execute, free_port, ingest, new_database
from segml import schema
from segml.config import FormatConfig
from segml.data.database import redact
from segml.data.engine import connect
from segml.data.read import read_table
from segml.schema import DataError

BACKEND = connect(threads=1)
TABLES = """
    create schema sales;
    create sequence counter;
    create type mood as enum ('good', 'bad');
    create table lines (
        "Customer" numeric(10), ordered_at timestamptz, amount numeric(12, 3), "order" bigint, product uuid,
        category mood, region char(10), margin money, channel text
    );
    insert into lines values
        (7, '2010-12-29 10:00+03', 1234.567, 1, '00000000-0000-0000-0000-000000000001', 'good', 'north', 12.34, ' w '),
        (8, '2010-12-30 10:00+03', -1.234, 2, null, 'bad', null, null, '');
    create table sales."Order Lines" as
        select "Customer"::text as customer_id, ordered_at::date as ordered_at, amount from lines;
    create materialized view recent as select * from lines;
    create table nothing (customer_id text, ordered_at date, amount float8);
"""
COLUMNS = {"customer_id": "Customer", "order_id": "order", "product_id": "product"}


@pytest.fixture(scope="session")
def server(postgres_url: str) -> str:
    """Address of a data base with the test tables, up to the ``#``."""
    url = new_database(postgres_url, "sales")
    execute(url, *filter(str.strip, TABLES.split(";\n")))
    return url


def read(source: str, columns: dict[str, str] | None = None) -> list[dict[str, Any]]:
    table = read_table(source, schema.TRANSACTIONS, columns or {}, FormatConfig(timezone="Europe/Moscow"), BACKEND)
    return sorted(table.to_pyarrow().to_pylist(), key=lambda row: str(row["customer_id"]))


def refusal(source: str, columns: dict[str, str] | None = None) -> str:
    """Return the message of the error, which repeats no password."""
    with pytest.raises(DataError, match=r"[pP]ostgres") as caught:
        read(source, columns)
    for secret in (PASSWORD, ENCODED, "s3cr", "word"):
        assert secret not in str(caught.value).replace("password", "")
    return str(caught.value)


def test_columns_of_every_type_are_read(server: str) -> None:
    first, second = read(f"{server}#lines", COLUMNS)
    assert first == {
        "customer_id": "7",
        "order_id": "1",
        "ordered_at": datetime(2010, 12, 29, 10),
        "amount": 1234.567,  # numeric keeps its point: it is never taken for thousands
        "product_id": "00000000-0000-0000-0000-000000000001",
        "category": "good",
        "margin": 12.34,
        "channel": "w",
        "region": "north",
    }
    assert (second["amount"], second["product_id"], second["margin"], second["channel"]) == (-1.234, None, None, None)


def test_a_query_is_read_without_its_semicolon(server: str) -> None:
    query = """select "Customer" as customer_id, ordered_at, sum(amount) as amount
               from lines where ordered_at < '2010-12-30' group by 1, 2;"""
    assert [(row["customer_id"], row["amount"]) for row in read(f"{server}#{query}")] == [("7", 1234.567)]
    with_clause = "with x as (select 'a' as customer_id, now() as ordered_at, 1 as amount) select*from x -- all of it"
    assert [row["customer_id"] for row in read(f"{server}#{with_clause}")] == ["a"]


def test_names_of_tables_are_exact_and_views_are_tables(server: str) -> None:
    assert [row["ordered_at"] for row in read(f'{server}#sales."Order Lines"')] == [
        datetime(2010, 12, 29),
        datetime(2010, 12, 30),
    ]
    assert len(read(f"{server}#public.recent", COLUMNS)) == 2
    assert "there is no table 'Lines'; found ['public.lines'" in refusal(f"{server}#Lines")
    assert refusal(f"{server}#Lines").endswith("; did you mean 'lines'?")
    assert refusal(f'{server}#sales."Order lines"').endswith("; did you mean 'sales.Order Lines'?")
    assert 'there is no table "o\'clock"' in refusal(f"{server}#o'clock")


def test_nothing_can_be_written(server: str) -> None:
    query = "with gone as (delete from lines returning *) select * from gone"
    assert "WITH clause containing a data-modifying statement must be" in refusal(f"{server}#{query}")
    query = "select 'a' as customer_id, now() as ordered_at, nextval('counter') as amount"
    assert "cannot execute nextval() in a read-only transaction" in refusal(f"{server}#{query}")


def test_what_the_server_says_is_passed_on(server: str) -> None:
    assert refusal(f"{server}#select nope from lines").endswith('column "nope" does not exist')
    assert "select nope from lines: " in refusal(f"{server}#select nope from lines")
    assert "syntax error" in refusal(f"{server}#select from where")
    assert "has more than one column named 'a'" in refusal(f"{server}#select 1 as a, 2 as a")
    assert "lacks columns ['customer_id', 'ordered_at']" in refusal(f"{server}#select 1 as a")
    assert refusal(f"{server}#nothing").endswith("has no rows")


def test_a_server_that_refuses_is_named_without_the_password(server: str) -> None:
    wrong = server.replace(ENCODED, "wr0ng%20one")
    assert "password authentication failed for user" in refusal(f"{wrong}#lines")
    assert "wr0ng" not in refusal(f"{wrong}#lines")
    assert 'database "nowhere" does not exist' in refusal(server.replace("/sales", "/nowhere") + "#lines")
    assert "onnection refused" in refusal(f"postgresql://reader:{ENCODED}@127.0.0.1:{free_port()}/db#lines")
    option = server.replace(f":{ENCODED}", "") + f"?password={ENCODED}&connect_timeout=3"
    assert len(read(f"{option}#lines", COLUMNS)) == 2
    assert "wr0ng" not in refusal(option.replace(ENCODED, "wr0ng") + "#lines")


@pytest.mark.parametrize(
    "source",
    [
        f"postgresql://reader:{PASSWORD}@host/db#lines",
        "postgresql://reader:12#s3cr@host/db#lines",
        "postgresql://reader:s3cr/12@host/db#lines",
        "postgresql://reader:s3cr@12@host/db#lines",
        "postgresql://reader:s3cr?@host/db#lines",
        f"postgresql://reader:{ENCODED}@host:port/db#lines",
        f"postgresql://reader:{ENCODED}@host/db",
        f"postgresql://reader:{ENCODED}@host/db#",
        f"postgresql://reader:{ENCODED}@host/db#delete from lines",
        f"postgresql://reader:{ENCODED}@host/db#a.b.c",
    ],
)
def test_an_address_that_cannot_be_read_is_explained_and_not_repeated(source: str) -> None:
    assert re.search("address (cannot be read; expected postgresql://|must end in a table)", refusal(source))
    assert not re.search("s3cr|12|pass#|word", redact(source))


def test_words_of_the_server_that_repeat_the_password_are_masked() -> None:
    message = refusal("postgresql://reader:pepper%zz@127.0.0.1/db#lines")
    assert 'invalid percent-encoded token: "***"' in message
    assert "pepper" not in message


def test_without_the_driver_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_manager.dbapi", None)
    assert "needs its driver: pip install 'segml[postgres]'" in refusal("postgresql://host/db#lines")


def test_a_redacted_address_shows_what_is_read_and_no_secret() -> None:
    address = f"postgres://reader:{ENCODED}@[::1]:5432/db?password=x&sslmode=require"
    assert redact(f"{address}#sales.lines") == "postgresql://reader@[::1]:5432/db#sales.lines"
    assert redact(f"{address}#select  *\n from lines where email = 'a@b' and region = 'North' and amount > 0") == (
        "postgresql://reader@[::1]:5432/db#select * from lines where email = 'a@b' and region = 'North'…"
    )


def test_northwind_survives_a_server(server: str, shared_data: Path) -> None:
    columns = {"customer_id": "CustomerID", "order_id": "OrderID", "ordered_at": "OrderDate", "product_id": "ProductID"}
    columns |= {"quantity": "Quantity", "unit_price": "UnitPrice", "category": "CategoryName"}
    path = shared_data / "northwind.parquet"
    ingest(server, "northwind", pq.read_table(path, columns=list(columns.values())))
    tables = [
        read_table(source, schema.TRANSACTIONS, columns, FormatConfig(), BACKEND).to_pyarrow()
        for source in (f"{server}#northwind", path)
    ]
    assert tables[0].equals(tables[1])
