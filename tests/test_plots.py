"""Every plot shows the numbers it was given: read back from the drawing."""

import io
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from segml import plots

SEGMENTS = pd.DataFrame({"segment": ["key", "small"], "customer_share": [0.1, 0.9], "revenue_share": [0.62, 0.38]})
LEDGER = pd.DataFrame(
    {
        "rule": ["in", "repeats", "two regions", "returns", "kept"],
        "kind": ["in", "taken", "corrected", "taken", "kept"],
        "lines": [1000, 50, 7, 150, 800],
        "amount": [900.0, 100.0, 0.0, -50.0, 850.0],
    }
)
MONTHS = pd.DataFrame({"month": pd.date_range("2025-01-01", periods=3, freq="MS"), "revenue": [10.0, 30.0, 20.0]})
PROFILES = pd.DataFrame(
    [[1.26, -0.04], [-2.5, np.nan]], index=["frequent, large", "rare"], columns=["orders", "revenue"]
)
RFM = pd.DataFrame(
    {"recency": [1, 5, 5], "frequency": [1, 1, 5], "customers": [300, 20, 1200], "revenue_share": [0.05, 0.15, 0.8]}
)
ABC_XYZ = pd.DataFrame(
    {"abc": ["A", "A", "B"], "xyz": ["X", "Z", "X"], "customers": [3, 4, 5], "revenue_share": [0.5, 0.3, 0.2]}
)
RELIABILITY = pd.DataFrame({"predicted": [0.1, 0.5], "observed": [0.2, 0.4], "customers": [1500, 30]})
GAINS = pd.DataFrame(
    {
        "strategy": ["model"] * 3 + ["recency"] * 3 + ["perfect"] * 3,
        "share_of_customers": [0, 0.5, 1] * 3,
        "share_captured": [0, 0.8, 1, 0, 0.6, 1, 0, 1, 1],
    }
)
PROFIT = GAINS.rename(columns={"share_captured": "profit"}).assign(profit=lambda data: 1000 * data["profit"] - 300)
LORENZ = pd.DataFrame({"customer_share": [0.0, 0.1, 0.2, 1.0], "revenue_share": [0.0, 0.64, 0.78, 1.0]})

ALL: list[tuple[Callable[..., Axes], pd.DataFrame]] = [
    (plots.plot_segments, SEGMENTS),
    (plots.plot_ledger, LEDGER),
    (plots.plot_revenue_by_month, MONTHS),
    (plots.plot_profiles, PROFILES),
    (plots.plot_rfm_map, RFM),
    (plots.plot_abc_xyz, ABC_XYZ),
    (plots.plot_reliability, RELIABILITY),
    (plots.plot_gains, GAINS),
    (plots.plot_money, GAINS),
    (plots.plot_profit, PROFIT),
    (plots.plot_lorenz, LORENZ),
]
each_plot = pytest.mark.parametrize(("plot", "data"), ALL, ids=[plot.__name__ for plot, _ in ALL])


@pytest.fixture
def ax() -> Axes:
    return Figure(layout="constrained").add_subplot()


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def widths(ax: Axes) -> list[float]:
    return [bar.get_width() for bar in ax.patches]  # type: ignore[attr-defined]


def svg(plot: Callable[..., Axes], data: pd.DataFrame) -> str:
    figure = Figure(layout="constrained")
    with plots.house_style():
        plot(data, figure.add_subplot())
        sheet = io.StringIO()
        figure.savefig(sheet, format="svg", metadata={"Date": None})
    return sheet.getvalue()


def test_segments_show_both_shares(ax: Axes) -> None:
    plots.plot_segments(SEGMENTS, ax)
    assert widths(ax) == [0.1, 0.9, 0.62, 0.38]
    assert texts(ax) == ["10%", "90%", "62%", "38%"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["key", "small"]


def test_a_segment_whose_returns_outweigh_its_purchases_goes_left_of_zero(ax: Axes) -> None:
    plots.plot_segments(SEGMENTS.assign(revenue_share=[1.05, -0.05]), ax)
    assert widths(ax)[2:] == [1.05, -0.05]
    assert texts(ax)[2:] == ["105%", "−5.0%"]
    assert ax.get_xlim()[0] == -0.05
    assert ax.texts[3].xy == (0.0, 1.18)  # type: ignore[attr-defined]


def test_the_ledger_descends_from_what_came_in_to_what_was_kept(ax: Axes) -> None:
    plots.plot_ledger(LEDGER, ax)
    steps = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]  # type: ignore[attr-defined]
    assert steps == [(0, 1000), (1000, 950), (950, 800), (0, 800)]
    assert texts(ax) == ["1\u202f000", "−50", "−150", "800"]


def test_taking_returns_away_raises_the_money(ax: Axes) -> None:
    plots.plot_ledger(LEDGER, ax, value="amount")
    assert widths(ax) == [900, -100, 50, 850]
    assert texts(ax) == ["900", "−100", "+50", "850"]


def test_months_show_their_revenue(ax: Axes) -> None:
    plots.plot_revenue_by_month(MONTHS, ax)
    assert [bar.get_height() for bar in ax.patches] == [10, 30, 20]  # type: ignore[attr-defined]
    assert all(bar.get_width() == 22 for bar in ax.patches)  # type: ignore[attr-defined]


def test_profiles_show_segments_as_columns_and_unknown_as_blank(ax: Axes) -> None:
    plots.plot_profiles(PROFILES, ax)
    drawn = ax.collections[0].get_array()
    assert drawn is not None
    np.testing.assert_array_equal(np.ma.filled(drawn, np.nan).ravel(), [1.26, -2.5, -0.04, np.nan])
    assert texts(ax)[:4] == ["+1.3", "−2.5", "0.0", ""]
    assert {"orders", "revenue", "rare", "frequent, large"} <= set(texts(ax))


def test_the_rfm_map_has_the_best_corner_top_right(ax: Axes) -> None:
    plots.plot_rfm_map(RFM, ax)
    drawn = ax.collections[0].get_array()
    assert drawn is not None
    np.testing.assert_array_equal(np.ma.filled(drawn, -1).ravel(), [0.15, 0.8, 0.05, -1])
    assert texts(ax)[:8] == ["20", "1\u202f200", "300", "", "15%", "80%", "5.0%", ""]
    assert ax.get_ylim() == (2, 0)


def test_abc_xyz_shows_customers_and_revenue_of_each_cell(ax: Axes) -> None:
    plots.plot_abc_xyz(ABC_XYZ, ax)
    assert texts(ax)[:8] == ["3", "4", "5", "", "50%", "30%", "20%", ""]
    assert texts(ax)[8:] == ["A", "B", "X", "Z"]


def test_writing_on_cells_is_light_on_dark_and_dark_on_light(ax: Axes) -> None:
    plots.plot_rfm_map(RFM, ax)
    colour = {text.get_text(): text.get_color() for text in ax.texts}
    assert colour["1\u202f200"] == "#fdfdfe"
    assert colour["300"] == "#101820"


def test_reliability_shows_points_as_large_as_their_bins_beside_the_diagonal(ax: Axes) -> None:
    plots.plot_reliability(RELIABILITY, ax)
    diagonal, curve = ax.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [0.5, 0.5]]  # type: ignore[union-attr]
    assert curve.get_xydata().tolist() == [[0.1, 0.2], [0.5, 0.4]]  # type: ignore[union-attr]
    large, small = np.asarray(ax.collections[0].get_sizes())  # type: ignore[attr-defined]
    assert large > 5 * small
    assert ax.get_title("right") == "customers a point: 30–1\u202f500"


@pytest.mark.parametrize(
    ("highest", "ticks"),
    [
        (0.03, ["0%", "2%", "4%", "6%", "8%", "10%"]),
        (0.3, ["0%", "10%", "20%", "30%"]),
        (0.41, ["0%", "10%", "20%", "30%", "40%", "50%"]),
        (1.0, ["0%", "20%", "40%", "60%", "80%", "100%"]),
    ],
)
def test_reliability_ends_at_the_highest_share_rounded_up_to_a_tenth(
    ax: Axes, highest: float, ticks: list[str]
) -> None:
    plots.plot_reliability(pd.DataFrame({"predicted": [0.01], "observed": [highest], "customers": [7]}), ax)
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    assert [label.get_text() for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high] == ticks
    assert [label.get_text() for label in ax.get_yticklabels()][: len(ticks) - 1] == ticks[1:]
    assert ax.get_title("right") == "customers a point: 7"


@pytest.mark.parametrize("plot", [plots.plot_gains, plots.plot_money])
def test_curves_show_each_strategy_the_model_boldest(ax: Axes, plot: Callable[..., Axes]) -> None:
    plot(GAINS, ax)
    shown: dict[Any, list[float]] = {line.get_label(): list(np.asarray(line.get_ydata())) for line in ax.lines}
    assert shown == {
        "model": [0, 0.8, 1],
        "days since last purchase": [0, 0.6, 1],
        "perfect knowledge": [0, 1, 1],
        "at random": [0, 1],
    }
    boldest, *others = [line.get_linewidth() for line in ax.lines]
    assert boldest > max(others)


def test_the_concentration_of_revenue_names_the_top_tenth_and_fifth(ax: Axes) -> None:
    plots.plot_lorenz(LORENZ, ax)
    assert texts(ax) == ["top 10% bring 64%", "top 20% bring 78%"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), LORENZ["revenue_share"])


@each_plot
def test_a_plot_returns_its_axes_and_makes_some_where_none_are_given(
    ax: Axes, plot: Callable[..., Axes], data: pd.DataFrame
) -> None:
    assert plot(data, ax) is ax
    assert plot(data) is not ax


@each_plot
def test_a_plot_leaves_its_data_and_the_callers_settings_alone(plot: Callable[..., Axes], data: pd.DataFrame) -> None:
    before = data.copy()
    with plt.rc_context({"font.size": 31}):
        plot(data)
        assert plt.rcParams["font.size"] == 31
    pd.testing.assert_frame_equal(data, before)


@each_plot
def test_the_same_data_give_the_same_bytes_whatever_the_callers_settings(
    plot: Callable[..., Axes], data: pd.DataFrame
) -> None:
    first = svg(plot, data)
    with plt.rc_context({"font.size": 31, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert svg(plot, data) == first


LONG = "Общество с ограниченной ответственностью «Ромашка» $a_{b$ & <b>сыновья</b> " * 3


@pytest.mark.parametrize(
    ("plot", "data"),
    [
        (plots.plot_segments, SEGMENTS.assign(segment=[LONG, "_hidden $"])),
        (plots.plot_ledger, LEDGER.assign(rule=LONG)),
        (plots.plot_profiles, PROFILES.set_axis([LONG, "$\\frac$"]).rename(columns={"orders": LONG})),
        (plots.plot_abc_xyz, ABC_XYZ.replace({"xyz": {"Z": LONG}})),
        (plots.plot_gains, GAINS.replace({"strategy": {"recency": LONG}})),
    ],
)
def test_long_cyrillic_and_odd_names_are_elided_and_leave_room_for_the_picture(
    plot: Callable[..., Axes], data: pd.DataFrame
) -> None:
    figure = Figure(figsize=(4.6, 3), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that is missing, a layout that does not fit
        ax = plot(data, figure.add_subplot())
        figure.canvas.draw()
    assert ax.get_position().width > 0.35
    assert "…" in svg(plot, data)
    assert LONG not in svg(plot, data)


def test_the_profit_curve_shows_its_figures_and_the_list_that_was_chosen(ax: Axes) -> None:
    plots.plot_profit(PROFIT, ax, chosen=(0.4, 450.0))
    drawn = {line.get_label(): list(map(float, line.get_ydata())) for line in ax.lines}  # type: ignore[arg-type]
    assert drawn["model"] == [-300, 500, 700]
    assert drawn["perfect knowledge"] == [-300, 700, 700]
    mark = ax.lines[-1]
    assert ([*mark.get_xdata()], [*mark.get_ydata()]) == ([0.4], [450.0])  # type: ignore[misc]


def test_areas_by_date_are_drawn_at_their_dates_with_their_intervals() -> None:
    dates = pd.to_datetime(["2025-01-01", "2025-04-01"])
    data = pd.DataFrame(
        {
            "as_of": [*dates, *dates],
            "strategy": ["model", "model", "recency", "recency"],
            "roc_auc": [0.8, 0.7, 0.6, np.nan],
            "roc_auc_low": [0.75, 0.6, 0.5, np.nan],
            "roc_auc_high": [0.85, 0.8, 0.7, np.nan],
        }
    )
    ax = plots.plot_areas_by_date(data)
    model = ax.lines[0]
    assert [*model.get_ydata()] == [0.8, 0.7]  # type: ignore[misc]
    assert np.round(np.asarray(model.get_xdata(), float)).tolist() == [0, 1]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["2025-01-01", "2025-04-01"]
    drawn = ax.collections[0].get_segments()  # type: ignore[attr-defined]
    assert [tuple(segment[:, 1]) for segment in drawn] == [(0.75, 0.85), (0.6, 0.8)]
    plt.close("all")
