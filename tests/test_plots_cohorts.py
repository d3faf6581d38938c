"""The cohort heat map shows the numbers it was given: read back from the drawing."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segml import plots

COHORTS = pd.DataFrame(
    {
        "cohort": ["2024-Q3", "2024-Q3", "2024-Q3", "2024-Q4", "2024-Q4"],
        "age": [0, 1, 2, 0, 1],
        "customers": [1200, 1200, 1200, 30, 30],
        "retention": [1.0, 0.42, 0.05, 1.0, 0.0],
        "revenue_per_customer": [95.0, 12_300.0, 0.0, 50.0, -5.0],
        "order_value": [100.0, 50.0, 30.0, 50.0, np.nan],
    }
)


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        ("retention", ["100%", "42%", "5.0%", "100%", "0%", ""]),
        ("revenue_per_customer", ["95", "12\u202fk", "0", "50", "−5", ""]),
        ("order_value", ["100", "50", "30", "50", "", ""]),
    ],
)
def test_cohorts_show_their_figures_sizes_and_ages(value: plots.CohortValue, cells: list[str]) -> None:
    ax = plots.plot_cohorts(COHORTS, value=value)
    written = [text.get_text() for text in ax.texts]
    assert written == [*cells, "2024-Q3 (1\u202f200)", "2024-Q4 (30)", "0", "1", "2"]


def test_the_first_age_does_not_pale_the_rest() -> None:
    ax = plots.plot_cohorts(COHORTS)
    assert ax.collections[0].norm.vmax == 0.42


def test_one_cohort_of_one_age_can_be_drawn_and_the_data_stay() -> None:
    data = COHORTS.iloc[:1].copy()
    plots.plot_cohorts(data)
    pd.testing.assert_frame_equal(data, COHORTS.iloc[:1])
