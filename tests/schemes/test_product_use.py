from collections.abc import Callable

import pandas as pd
import pytest
from pydantic import ValidationError

from segml.schema import NOT_ENOUGH_DATA
from segml.schemes import ProductUse


def test_a_share_on_a_line_belongs_to_the_higher_class(table: Callable[..., pd.DataFrame]) -> None:
    shares = [0.0, 0.29, 0.3, 0.69, 0.7, 1.0, None]
    labels = ["needs onboarding"] * 2 + ["steady"] * 2 + ["ready for a higher plan"] * 2 + [NOT_ENOUGH_DATA]
    assert ProductUse().assign(table(function_share_90d=shares)).tolist() == labels


def test_lines_that_do_not_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match=r"steady_from .* must lie below ready_from"):
        ProductUse(ready_from=0.3)
