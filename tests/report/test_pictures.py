from typing import Any

import pytest

from segml import plots
from segml.report.pictures import THEME, picture

NAMES = ["#1f5fa8", "0.123456", "url(#x) id='y'", "<b>"]


@pytest.fixture(scope="module")
def svg() -> str:
    def draw(ax: Any) -> None:
        ax.plot([0, 1], [0.123456, 4], color="#1f5fa8")
        for row, name in enumerate(NAMES):
            ax.text(0.2, row, name)

    return str(picture("names", 'Said "so" & <so>', draw).svg)


def test_names_that_look_like_markup_or_numbers_come_through_unchanged(svg: str) -> None:
    for text in ("#1f5fa8<", ">0.123456<", ">url(#x) id='y'<", ">&lt;b&gt;<"):
        assert text in svg


def test_colours_and_type_come_from_the_page(svg: str) -> None:
    assert "stroke: var(--blue)" in svg
    assert "DejaVu" not in svg
    assert "var(--sans)" in svg


def test_the_caption_is_read_aloud(svg: str) -> None:
    assert 'role="img" aria-label="Said &#34;so&#34; &amp; &lt;so&gt;"' in svg


def test_nothing_of_a_file_is_left(svg: str) -> None:
    assert svg.startswith('<svg viewBox="0 0 331.2 230.4"')
    for rest in ("xmlns", "<?xml", "<!DOCTYPE", "<metadata", "<style", "xlink", "<!--"):
        assert rest not in svg


def test_every_colour_of_the_plots_has_a_name_on_the_page() -> None:
    used = {value for name, value in vars(plots.style).items() if name.isupper() and str(value).startswith("#")}
    assert used - {plots.style.ON_LIGHT, plots.style.ON_DARK} == set(THEME)
