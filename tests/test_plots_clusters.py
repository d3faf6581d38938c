"""Pictures of found segments show the numbers they were given: read back from the drawing."""

import io
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

from segml.language import speaking
from segml.plots.clusters import (
    plot_candidates,
    plot_migration,
    plot_projection,
    plot_silhouettes,
    plot_size_against_revenue,
)
from segml.plots.flows import plot_flows
from segml.plots.style import BLUE, GREY, ORANGE, house_style

CANDIDATES = pd.DataFrame(
    {
        "size": [2.0, 3.0, 4.0],
        "agreement": [0.95, 0.93, 0.71],
        "prediction_strength": [0.9, 0.85, 0.4],
        "min_jaccard": [0.92, 0.8, np.nan],
        "min_valley": [np.nan, np.nan, np.nan],
        "next_period_eta2": [0.2, 0.28, 0.29],
        "next_period_error": [0.01, 0.01, 0.01],
    }
)
MARKS: dict[str, Any] = {
    "chosen": 3,
    "thresholds": {"agreement": 0.9, "min_jaccard": 0.75},
    "baselines": {"revenue fifths": 0.258, "RFM segments": 0.256},
}
POINTS = pd.DataFrame({"x": [0.0, 1.0, 2.0, 5.0], "y": [0.0, 1.0, 0.5, 5.0], "segment": [0, 0, 1, -1]})
CENTRES = pd.DataFrame({"segment": [0, 1], "x": [0.5, 2.0], "y": [0.5, 0.5]})
SIZES = pd.DataFrame(
    {"segment": ["small", "key", "lost"], "customer_share": [0.7, 0.1, 0.2], "revenue_share": [0.3, 0.7, np.nan]}
)
MIGRATION = pd.DataFrame(
    {
        "from": pd.array(["key", "key", "small", "small", None], dtype="str"),
        "to": pd.array(["key", "small", "small", None, "small"], dtype="str"),
        "customers": [1200, 30, 500, 7, 40],
    }
)
SILHOUETTES = pd.DataFrame({"segment": ["key", "small", "lone"], "silhouette": [0.42, -0.05, np.nan]})
LONG = "Общество с ограниченной ответственностью «Ромашка» $a_{b$ & <b>сыновья</b> " * 3

project = partial(plot_projection, centres=CENTRES, explained=(0.69, 0.16))
PLOTS: list[tuple[Callable[..., Axes], pd.DataFrame]] = [
    (project, POINTS),
    (plot_size_against_revenue, SIZES),
    (plot_migration, MIGRATION),
    (plot_silhouettes, SILHOUETTES),
    (plot_flows, MIGRATION),
]
IDS = ["projection", "sizes", "migration", "silhouettes", "flows"]
each_plot = pytest.mark.parametrize(("plot", "data"), PLOTS, ids=IDS)


@pytest.fixture
def ax() -> Axes:
    return Figure(layout="constrained").add_subplot()


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def svg(plot: Callable[..., object], data: pd.DataFrame) -> str:
    figure = Figure(layout="constrained")
    with house_style():
        plot(data, figure.add_subplot())
        sheet = io.StringIO()
        figure.savefig(sheet, format="svg", metadata={"Date": None})
    return sheet.getvalue()


def test_candidates_show_each_criterion_over_k_in_a_panel_of_its_own(ax: Axes) -> None:
    panels = plot_candidates(CANDIDATES, ax, **MARKS)
    assert [panel.lines[0].get_ydata().tolist() for panel in panels[:2]] == [  # type: ignore[union-attr]
        [0.95, 0.93, 0.71],
        [0.92, 0.8, pytest.approx(np.nan, nan_ok=True)],
    ]
    assert len(panels) == 4
    assert all(panel.lines[0].get_xdata().tolist() == [2, 3, 4] for panel in panels)  # type: ignore[union-attr]
    assert panels[0].figure.axes == panels


def test_candidates_mark_the_chosen_and_draw_thresholds_and_simple_rules(ax: Axes) -> None:
    agreement, _, strength, eta = plot_candidates(CANDIDATES, ax, **MARKS)
    marks = [line for line in agreement.lines if line.get_color() == ORANGE and line.get_marker() == "o"]
    assert [(*line.get_xdata(), *line.get_ydata()) for line in marks] == [(3, 0.93)]  # type: ignore[misc]
    level = [line.get_ydata()[0] for line in agreement.lines if line.get_color() == GREY]  # type: ignore[index]
    assert level == [0.9]
    assert not [line for line in strength.lines if line.get_color() == GREY]
    legend = eta.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["revenue fifths 0.258", "RFM segments 0.256"]
    band = np.asarray(eta.collections[0].get_paths()[0].vertices)[:, 1]
    assert (band.min(), band.max()) == pytest.approx((0.2 - 0.0196, 0.29 + 0.0196))


def test_criteria_that_were_not_measured_get_no_panel() -> None:
    assert len(plot_candidates(CANDIDATES[["size", "next_period_eta2"]])) == 1
    assert len(plot_candidates(CANDIDATES.iloc[:1].drop(columns="agreement"))) == 3


def test_panels_need_a_place_in_a_grid() -> None:
    with pytest.raises(ValueError, match="part of a grid"):
        plot_candidates(CANDIDATES, Figure().add_axes((0, 0, 1, 1)))


def test_the_projection_colours_segments_and_leaves_noise_grey(ax: Axes) -> None:
    project(POINTS, ax)
    noise, first, second = ax.collections
    assert [len(points.get_offsets()) for points in (noise, first, second)] == [1, 2, 1]  # type: ignore[arg-type]
    colours = [tuple(points.get_facecolor()[0][:3]) for points in (noise, first, second)]  # type: ignore[index]
    assert len(set(colours)) == 3
    assert all(points.get_rasterized() for points in ax.collections)
    assert [(text.get_text(), *text.xy) for text in ax.texts] == [("0", 0.5, 0.5), ("1", 2.0, 0.5)]  # type: ignore[attr-defined]
    assert ax.get_xlabel() == "first direction, 69% of the variance"
    assert "16%" in ax.get_title("left")
    assert "for looking only" in ax.get_title("left")


def test_fifteen_segments_all_look_different(ax: Axes) -> None:
    many = pd.DataFrame({"x": np.arange(15.0), "y": 0.0, "segment": np.arange(15)})
    plot_projection(many, ax, centres=many, explained=(1.0, 0.0))
    looks = {
        (*np.asarray(dots.get_facecolor())[0].tolist(), len(np.asarray(dots.get_paths()[0].vertices)))
        for dots in ax.collections
    }
    assert len(looks) == 15


def test_sizes_and_revenue_are_a_named_dot_a_segment(ax: Axes) -> None:
    plot_size_against_revenue(SIZES, ax)
    assert ax.collections[0].get_offsets().tolist() == [[0.2, 0.0], [0.7, 0.3], [0.1, 0.7]]  # type: ignore[union-attr]
    assert [(text.get_text(), text.xy) for text in ax.texts] == [  # type: ignore[attr-defined]
        ("lost", (0.2, 0.0)),
        ("small", (0.7, 0.3)),
        ("key", (0.1, 0.7)),
    ]
    assert np.ptp(ax.lines[0].get_xdata() - np.asarray(ax.lines[0].get_ydata())) == 0


def test_names_of_segments_that_lie_together_do_not_cover_each_other(ax: Axes) -> None:
    crowd = pd.DataFrame({"segment": range(15), "customer_share": 1 / 15, "revenue_share": [0.9] + [0.1 / 14] * 14})
    plot_size_against_revenue(crowd, ax)
    heights = [text.get_position()[1] for text in ax.texts]
    assert np.diff(heights).min() > 0.06
    assert (min(heights), max(heights)) >= (0.0, 0.9)
    assert max(heights) <= 1


def test_revenue_below_zero_has_room(ax: Axes) -> None:
    plot_size_against_revenue(SIZES.assign(revenue_share=[1.1, 0.0, -0.1]), ax)
    assert ax.get_ylim()[0] < -0.1


def test_migration_shows_who_went_where_who_came_and_who_is_gone(ax: Axes) -> None:
    plot_migration(MIGRATION, ax)
    drawn = ax.collections[0].get_array()
    assert drawn is not None
    np.testing.assert_array_equal(np.ma.filled(drawn, -1).ravel(), [1200, 30, -1, -1, 500, 7, -1, 40, -1])
    assert texts(ax)[:9] == ["1\u202f200", "30", "", "", "500", "7", "", "40", ""]
    assert texts(ax)[9:] == ["key", "small", "(new)", "key", "small", "(gone)"]


def test_a_segment_called_new_is_not_taken_for_new_customers(ax: Axes) -> None:
    plot_migration(MIGRATION.replace("key", "new"), ax)
    assert texts(ax)[9:] == ["new", "small", "(new)", "new", "small", "(gone)"]


def test_many_segments_head_their_columns_by_number(ax: Axes) -> None:
    names = [f"segment {letter}" for letter in "abcdefgh"]
    plot_migration(pd.DataFrame({"from": names, "to": names, "customers": 1}), ax)
    assert {"1 segment a", "8 segment h", "1", "8"} <= set(texts(ax))


def test_flows_are_as_wide_as_they_are_many_and_leave_and_arrive_in_order(ax: Axes) -> None:
    plot_flows(MIGRATION, ax)
    ribbons = [np.asarray(patch.get_path().vertices) for patch in ax.patches if isinstance(patch, PathPatch)]
    total = MIGRATION["customers"].sum()
    assert [round(float(band[7][1] - band[0][1]) * total) for band in ribbons] == [1200, 30, 500, 7, 40]
    key, to_small = ribbons[0], ribbons[1]
    assert key[0][1] == 0
    assert to_small[0][1] == pytest.approx(1200 / total), "leaves below those who stayed"
    bars = [patch.get_height() * total for patch in ax.patches if isinstance(patch, Rectangle)]
    assert [round(height) for height in bars] == [1230, 507, 40, 1200, 570, 7]
    assert [text for text in texts(ax) if text[-1].isdigit()] == [
        *("key  1\u202f230", "small  507", "(new)  40"),
        *("key  1\u202f200", "small  570", "(gone)  7"),
    ]


def test_flows_stand_in_the_order_that_is_given(ax: Axes) -> None:
    plot_flows(MIGRATION, ax, order=("small", "absent", "key"))
    assert [text.split()[0] for text in texts(ax) if text[-1].isdigit()] == [
        *("small", "key", "(new)"),
        *("small", "key", "(gone)"),
    ]


def test_flows_of_nothing_are_left_out(ax: Axes) -> None:
    plot_flows(MIGRATION.assign(revenue=[5e6, 0.0, -2.0, 0.0, 1e6]), ax, value="revenue")
    assert [text for text in texts(ax) if "M" in text] == [
        *("key  5.0\u202fM", "(new)  1.0\u202fM"),
        *("key  5.0\u202fM", "small  1.0\u202fM"),
    ]
    assert not plot_flows(MIGRATION.iloc[:0]).patches


def test_silhouettes_are_a_bar_a_segment_and_unknown_ones_blank(ax: Axes) -> None:
    plot_silhouettes(SILHOUETTES, ax)
    np.testing.assert_array_equal([bar.get_width() for bar in ax.patches], [0.42, -0.05, np.nan])  # type: ignore[attr-defined]
    assert texts(ax) == ["0.42", "−0.05"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["key", "small", "lone"]


@each_plot
def test_a_plot_returns_its_axes_and_leaves_its_data_alone(
    ax: Axes, plot: Callable[..., Axes], data: pd.DataFrame
) -> None:
    before = data.copy()
    assert plot(data, ax) is ax
    assert plot(data) is not ax
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(("plot", "data"), [*PLOTS, (partial(plot_candidates, **MARKS), CANDIDATES)])
def test_the_same_data_give_the_same_bytes_whatever_the_callers_settings(
    plot: Callable[..., object], data: pd.DataFrame
) -> None:
    first = svg(plot, data)
    with plt.rc_context({"font.size": 31, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert svg(plot, data) == first


@pytest.mark.parametrize(
    ("plot", "data"),
    [
        (plot_size_against_revenue, SIZES.assign(segment=[LONG, "$\\frac$", "_hidden"])),
        (plot_migration, MIGRATION.replace("key", LONG)),
        (plot_silhouettes, SILHOUETTES.replace("key", LONG)),
        (plot_flows, MIGRATION.replace("key", LONG)),
    ],
)
def test_long_and_odd_names_are_elided_and_leave_room_for_the_picture(
    plot: Callable[..., Axes], data: pd.DataFrame
) -> None:
    figure = Figure(figsize=(4.6, 3), layout="constrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph that is missing, a layout that does not fit
        drawn = plot(data, figure.add_subplot())
        figure.canvas.draw()
    assert drawn.get_position().width > 0.3
    assert "…" in svg(plot, data)
    assert LONG not in svg(plot, data)


def test_words_and_numbers_are_those_of_the_language_spoken(ax: Axes) -> None:
    with speaking("ru"):
        plot_silhouettes(SILHOUETTES, ax)
        panels = plot_candidates(CANDIDATES, **MARKS)
    assert texts(ax) == ["0,42", "−0,05"]
    assert ax.get_xlabel() != "mean silhouette, for information"
    assert all(panel.get_title("left").isascii() is False for panel in panels)
    assert panels[0].lines[0].get_color() == BLUE
