"""Nothing at or after the as-of date, no order of rows, no number of threads and no company of dates matters."""

import ast
import re
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pandas.testing import assert_frame_equal

import segml
from segml import features, labels
from segml.data.engine import connect, to_table

DATES = [pd.Timestamp(moment) for moment in ("2022-09-01", "2023-03-13", "2023-06-12", "2024-01-31 12:34:56")]


@pytest.fixture(scope="module")
def built(random_lines: pd.DataFrame) -> pd.DataFrame:
    return features.build(random_lines, DATES)


def at(built: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    return built[built["as_of"] == as_of].reset_index(drop=True)


def known_before(lines: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The log as it stood on the as-of date: no later line, no trace of a later cancellation."""
    lines = lines[lines["ordered_at"] < as_of]
    return lines.assign(cancelled_at=lines["cancelled_at"].where(lines["cancelled_at"] < as_of))


def test_the_random_lines_show_every_feature(built: pd.DataFrame) -> None:
    assert len(built) > 150
    assert built.notna().any().all()


@pytest.mark.parametrize("as_of", DATES)
def test_the_log_cut_at_the_as_of_date_gives_the_same_features(
    random_lines: pd.DataFrame, built: pd.DataFrame, as_of: pd.Timestamp
) -> None:
    assert_frame_equal(features.build(known_before(random_lines, as_of), as_of), at(built, as_of), check_exact=True)


@pytest.mark.parametrize("as_of", DATES[1:])
def test_no_future_can_change_a_feature(random_lines: pd.DataFrame, built: pd.DataFrame, as_of: pd.Timestamp) -> None:
    past = known_before(random_lines, as_of)
    later = past.assign(ordered_at=as_of + (past["ordered_at"] - past["ordered_at"].min()), region="moved", amount=1e9)
    newcomers = later.assign(customer_id="n" + later["customer_id"])
    returned = later.assign(amount=-1e9)
    at_once = later.assign(ordered_at=as_of)
    rng = np.random.default_rng(3)
    fate = as_of + pd.to_timedelta(rng.integers(0, 9, len(past)) * 86_400, unit="s")  # 0: on the as-of date itself
    regretted = past.assign(cancelled_at=past["cancelled_at"].fillna(pd.Series(fate, index=past.index)))
    other = pd.concat([regretted, later, newcomers, returned, at_once], ignore_index=True)
    assert_frame_equal(features.build(other, as_of), at(built, as_of), check_exact=True)


def test_a_cancellation_before_the_as_of_date_takes_the_line_away(
    random_lines: pd.DataFrame, built: pd.DataFrame
) -> None:
    gone = random_lines["cancelled_at"] < DATES[-1]
    assert_frame_equal(features.build(random_lines[~gone], DATES[-1]), at(built, DATES[-1]), check_exact=True)


def test_dates_built_together_are_the_dates_built_alone(random_lines: pd.DataFrame, built: pd.DataFrame) -> None:
    alone = pd.concat([features.build(random_lines, as_of) for as_of in DATES], ignore_index=True)
    assert_frame_equal(alone, built, check_exact=True)
    shuffled = [DATES[2], DATES[0], DATES[3], DATES[2], DATES[1]]
    assert_frame_equal(features.build(random_lines, shuffled), built, check_exact=True)


def test_the_order_of_rows_changes_nothing(random_lines: pd.DataFrame, built: pd.DataFrame) -> None:
    shuffled = random_lines.sample(frac=1, random_state=1)
    assert_frame_equal(features.build(shuffled, DATES), built, check_exact=True)


def test_chunks_and_containers_change_nothing(random_lines: pd.DataFrame, built: pd.DataFrame) -> None:
    parts = [pa.Table.from_pandas(random_lines.iloc[start : start + 700]) for start in range(0, len(random_lines), 700)]
    chunked = pa.concat_tables(parts[::-1])
    backend = connect()
    united = to_table(parts[0], backend)
    for part in parts[1:]:
        united = united.union(to_table(part, backend))
    for container in (chunked, pl.from_arrow(chunked), united):
        assert_frame_equal(features.build(container, DATES), built, check_exact=True)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_number_of_threads_changes_nothing(
    random_lines: pd.DataFrame, built: pd.DataFrame, threads: int, tmp_path: Path
) -> None:
    path = tmp_path / "lines.parquet"
    random_lines.to_parquet(path, row_group_size=500)  # row groups are what threads share
    assert_frame_equal(features.build(connect(threads).read_parquet(path), DATES), built, check_exact=True)


def test_the_callers_frame_is_not_changed(random_lines: pd.DataFrame) -> None:
    before = random_lines.copy(deep=True)
    features.build(random_lines, DATES[0])
    assert_frame_equal(random_lines, before, check_exact=True)


def test_only_windows_compares_with_the_as_of_date() -> None:
    package = Path(segml.__file__).parent
    for path in [*sorted((package / "features").glob("*.py")), Path(labels.__file__)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                assert not re.search("as_of|known_until|horizon", ast.unparse(node)), f"{path.name}:{node.lineno}"
