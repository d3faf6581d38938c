"""The picture of importance shows the numbers it was given."""

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from segml import plots
from segml.language import speaking

DATA = pd.DataFrame(
    {
        "group": ["rhythm", "rhythm", "silence"],
        "target": ["churn", "stagnation", "churn"],
        "auc_drop": [0.16, 0.07, -0.01],
        "auc_drop_low": [0.15, 0.06, -0.02],
        "auc_drop_high": [0.17, 0.08, 0.01],
    }
)


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_bars_and_intervals_are_those_of_the_table() -> None:
    before = DATA.copy()
    ax = plots.plot_importance(DATA)
    assert [bar.get_width() for bar in ax.patches] == [0.16, -0.01, 0.07]  # type: ignore[attr-defined]
    ends = np.concatenate([np.asarray(line.get_segments())[:, :, 0] for line in ax.collections])  # type: ignore[attr-defined]
    assert ends.tolist() == [[0.15, 0.17], [-0.02, 0.01], [0.06, 0.08]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["rhythm", "silence"]
    pd.testing.assert_frame_equal(DATA, before)


def test_a_target_alone_has_the_rows_and_the_legend_to_itself() -> None:
    ax = plots.plot_importance(DATA[DATA["target"] == "stagnation"])
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["stagnation"]
    assert [bar.get_y() + bar.get_height() / 2 for bar in ax.patches] == [0]  # type: ignore[attr-defined]


def test_groups_are_named_in_the_language_spoken() -> None:
    with speaking("ru"):
        ax = plots.plot_importance(DATA)
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert "rhythm" not in names
    assert len(set(names)) == 2
    ax.figure.canvas.draw()
    assert "0,05" in [label.get_text() for label in ax.get_xticklabels()]
