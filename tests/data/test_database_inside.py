"""Transactions that stay on a real PostgreSQL server: read, cleaned and told apart there as by DuckDB."""

import sys
import time
from datetime import date, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from postgres_server import ENCODED, PASSWORD, as_user, execute, ingest, new_database, rows
from segml import schema
from segml.config import CleaningConfig, DemoConfig, FormatConfig
from segml.data import cancellations, postgres
from segml.data.clean import clean
from segml.data.digest import digest
from segml.data.engine import connect
from segml.data.prepare import number_lines, prepare, repeats_of, with_repeats
from segml.data.read import read_table
from segml.data.simulate import simulate
from segml.schema import DataError, TableSchema

BERLIN = FormatConfig(timezone="Europe/Berlin")
TODAY = date(2026, 6, 1)
MOMENTS = """
    create table moments (customer_id integer, order_id numeric(10, 2), ordered_at timestamptz, amount numeric,
        product_id uuid, category text, channel char(6), quantity real, margin money, region text);
    insert into moments values
        (1, 7.00, '2010-03-28 00:59:59.5+00', 1.5, null, null, 'web', 1, 12.34, ' north '),
        (2, 7.50, '2010-03-28 01:00:00+00', 'NaN', null, '', null, 'NaN', null, 'nan'),
        (3, null, '2010-10-31 00:30:00+00', 1e20, null, U&' \\00A0glue\\2009', null, 'Infinity', null, null),
        (4, null, '2010-10-31 01:30:00+00', 2, '00000000-0000-0000-0000-00000000000A', null, null, null, null, null),
        (5, null, '1965-06-01 12:00:00.25+00', 3, null, null, null, null, null, null),
        (6, null, 'infinity', 4, null, null, null, null, null, null),
        (7, null, '-infinity', 5, null, null, null, null, null, null),
        (8, null, null, 6, null, null, null, null, null, null);
"""
CLOCKS = {
    "1": datetime(2010, 3, 28, 1, 59, 59, 500_000),
    "2": datetime(2010, 3, 28, 3),  # the clock went forward
    "3": datetime(2010, 10, 31, 2, 30),
    "4": datetime(2010, 10, 31, 2, 30),  # and back: the hour comes twice
    "5": datetime(1965, 6, 1, 13, 0, 0, 250_000),
    "6": None,
    "7": None,
    "8": None,
}


@pytest.fixture(scope="module")
def server(postgres_url: str) -> str:
    url = new_database(postgres_url, "inside")
    execute(url, *filter(str.strip, MOMENTS.split(";\n")))
    ingest(url, "transactions", pa.Table.from_pandas(simulate(DemoConfig(customers=50)).transactions))
    return url


@pytest.fixture
def inside(server: str) -> Any:
    return postgres.connect(server)


def read(source: str, backend: Any, table: TableSchema = schema.TRANSACTIONS) -> Any:
    return read_table(source, table, {}, BERLIN, backend)


def shown(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_every_type_reads_alike_inside_and_outside(server: str, inside: Any) -> None:
    there, here = read(f"{server}#moments", inside), read(f"{server}#moments", connect())
    assert there.get_backend() is inside
    assert there.schema() == here.schema()
    pd.testing.assert_frame_equal(shown(there), shown(here))


def test_moments_are_read_by_the_clock_of_the_configuration(server: str, inside: Any) -> None:
    for backend in (inside, connect()):
        found = read(f"{server}#moments", backend).to_pyarrow().to_pylist()
        assert {row["customer_id"]: row["ordered_at"] for row in found} == CLOCKS
        first, second, third, fourth = found[:4]
        assert (first["order_id"], second["order_id"]) == ("7", "7.50")
        assert (first["margin"], first["channel"], first["region"]) == (12.34, "web", "north")
        assert (second["category"], third["category"]) == (None, "glue")
        assert fourth["product_id"] == "00000000-0000-0000-0000-00000000000a"


def test_cleaning_there_gives_the_same_lines_and_the_same_ledger(server: str, inside: Any) -> None:
    cleaned = [
        clean(read(f"{server}#transactions", backend), CleaningConfig(cancelled_order_pattern="C.*"), today=TODAY)
        for backend in (inside, connect())
    ]
    there, here = cleaned
    assert there.lines.get_backend() is inside
    pd.testing.assert_frame_equal(shown(there.lines), shown(here.lines))
    pd.testing.assert_frame_equal(shown(there.taken), shown(here.taken))
    pd.testing.assert_frame_equal(there.ledger.to_frame(), here.ledger.to_frame())
    assert there.notices == here.notices


def test_unusable_moments_and_numbers_are_taken_by_the_same_rules(server: str, inside: Any) -> None:
    for backend in (inside, connect()):
        ledger = clean(read(f"{server}#moments", backend), CleaningConfig(), today=TODAY).ledger
        taken = {row.rule: row.tally.lines for row in ledger.rows if row.kind == "taken" and row.tally.lines}
        assert taken == {"bad_date": 4, "bad_amount": 2}


def test_cards_are_merged_there(server: str, inside: Any) -> None:
    customers = rows(server, "select distinct customer_id from transactions where customer_id is not null order by 1")
    aliases = pd.DataFrame({"customer_id": [customers[0][0]], "canonical_id": [customers[1][0]]})
    found = [
        clean(read(f"{server}#transactions", backend), CleaningConfig(), today=TODAY, aliases=aliases).lines
        for backend in (inside, connect())
    ]
    pd.testing.assert_frame_equal(shown(found[0]), shown(found[1]))


def test_rows_are_told_apart_there(inside: Any) -> None:
    def of(values: str) -> str:
        return digest(inside.sql(f"select * from (values {values}) as given (number, name)"))

    one = of("(1, 'a'), (2, null)")
    assert one == of("(2, null), (1, 'a')")
    assert len({one, of("(1, 'a'), (2, '')"), of("(1, 'a')"), of("(1, 'a'), (1, 'a')")}) == 4


def test_nothing_is_left_behind(server: str) -> None:
    listing = "select relnamespace::regnamespace || '.' || relname from pg_class where relname !~ 'toast' order by 1"
    before = rows(server, listing)
    backend = postgres.connect(server)
    clean(read(f"{server}#transactions", backend), CleaningConfig(), today=TODAY)
    persistent = f"{listing.replace('order by 1', '')} and relpersistence <> 't' order by 1"
    assert rows(server, persistent) == before
    backend.disconnect()
    deadline = time.monotonic() + 10
    while rows(server, listing) != before and time.monotonic() < deadline:
        time.sleep(0.1)  # the server tidies up after the connection is gone
    assert rows(server, listing) == before


def test_a_user_who_may_read_and_create_temporary_tables_needs_no_more(server: str) -> None:
    url = as_user(server, "analyst")
    execute(server, "revoke create on schema public from public", "grant select on transactions to analyst")
    backend = postgres.connect(url)
    assert clean(read(f"{url}#transactions", backend), CleaningConfig(), today=TODAY).ledger.kept.lines > 1000
    with pytest.raises(
        DataError, match=r"postgresql://analyst@[^:]+:\d+/inside.*: permission denied for table moments"
    ):
        read(f"{url}#moments", backend)


def test_a_user_who_may_not_create_temporary_tables_is_told_what_to_grant(postgres_url: str) -> None:
    url = new_database(postgres_url, "closed")
    execute(url, "revoke temporary on database closed from public")
    with pytest.raises(DataError, match=r'may not .* grant temporary on database "closed" to "guest", or set engine'):
        postgres.connect(as_user(url, "guest"))


def test_a_server_that_refuses_is_named_without_the_password(server: str) -> None:
    with pytest.raises(DataError, match=r"^postgresql://reader@[^:]+:\d+/inside: .*password authentication") as caught:
        postgres.connect(server.replace(ENCODED, "wr0ng"))
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(DataError, match=r"^postgresql://reader@127.0.0.1:1/inside: .*refused") as caught:
        postgres.connect(f"postgresql://reader:{ENCODED}@127.0.0.1:1/inside")
    assert not any(secret in str(caught.value) for secret in (PASSWORD, ENCODED))


def test_what_the_server_says_while_it_computes_is_passed_on(server: str, inside: Any) -> None:
    numbers = "generate_series(1, 9000) as n"
    query = f"select n::text as customer_id, now() as ordered_at, 1 / (5000 - n) as amount from {numbers}"
    with pytest.raises(DataError, match=r"^postgresql://reader@[^#]+/inside: division by zero$"):
        clean(read(f"{server}#{query}", inside), CleaningConfig(), today=TODAY)


def test_only_tables_of_the_data_base_that_computes_are_taken(postgres_url: str, inside: Any) -> None:
    with pytest.raises(DataError, match=r"/postgres#x is not the data base that computes .*, inside on 127"):
        read(f"{postgres_url}#x", inside)
    with pytest.raises(DataError, match=r"data.transactions must be its address, as postgresql://"):
        postgres.connect("sales.parquet")


def test_tables_and_columns_that_are_not_there_are_named(server: str, inside: Any) -> None:
    with pytest.raises(DataError, match=r"no table 'Moments'; found .*; did you mean 'moments'\?"):
        read(f"{server}#Moments", inside)
    with pytest.raises(DataError, match=r"has several columns of one name; found \['a', 'a'\]"):
        read(f"{server}#select 1 as a, 2 as a", inside)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("'2010-12-29' as ordered_at, 1 as amount", r"'ordered_at' is of type text; .* \"ordered_at\"::timestamp, …"),
        (
            "20101229 as ordered_at, 1 as amount",
            r"'ordered_at' is of type int4; PostgreSQL itself must hold it as time",
        ),
        ("now() as ordered_at, '1,5' as amount", r"as #select \"amount\"::numeric, …, or set engine.kind: duckdb"),
    ],
)
def test_text_that_must_be_read_first_is_refused(server: str, inside: Any, column: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(f"{server}#select 'a' as customer_id, {column}", inside)


def test_cancellations_meet_their_purchases_without_trying_all_pairs(server: str, inside: Any) -> None:
    numbered = number_lines(read(f"{server}#transactions", inside))
    lines = prepare(with_repeats(numbered, repeats_of(numbered)), None, largest_amount=1e12)
    query = inside.compile(cancellations.pair(lines))
    plan = "\n".join(step for (step,) in inside.con.execute(f"explain {query}").fetchall())
    assert "Hash" in plan
    assert "Nested Loop" not in plan


def test_flags_of_other_tables_are_read_there(server: str, inside: Any) -> None:
    query = "select 'a' as customer_id, now() as due_on, 'да' as is_open"
    for backend in (inside, connect()):
        table = TableSchema("promises", (schema.Column("is_open", "flag", "whether it is open", required=True),))
        [row] = read(f"{server}#{query}", backend, table).to_pyarrow().to_pylist()
        assert row["is_open"] is True


def test_without_the_driver_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DataError, match=r"needs its driver: pip install 'segml\[postgres\]'"):
        postgres.connect("postgresql://host/db")
