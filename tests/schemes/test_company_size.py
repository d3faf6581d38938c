from collections.abc import Callable

import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import CompanySize

TRUTH = [
    (0.0, "micro"),
    (14.0, "micro"),
    (15.0, "small"),
    (99.0, "small"),
    (100.0, "medium"),
    (249.0, "medium"),
    (250.0, "large"),
    (4570.0, "large"),
    (None, NOT_ENOUGH_DATA),
]


def test_a_head_count_on_a_line_belongs_to_the_larger_size(table: Callable[..., pd.DataFrame]) -> None:
    companies = table(employees=[employees for employees, _ in TRUTH])
    assert CompanySize().assign(companies).tolist() == [size for _, size in TRUTH]


def test_the_lines_are_settings(table: Callable[..., pd.DataFrame]) -> None:
    size = CompanySize(small_from=2, medium_from=3, large_from=4)
    assert size.assign(table(employees=[1.0, 2.0, 3.0, 4.0])).tolist() == ["micro", "small", "medium", "large"]
    assert size.rules()["medium"] == "from 3 to fewer than 4 employees"


def test_lines_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"must rise; found \(15, 100, 100\)"):
        CompanySize(large_from=100)
