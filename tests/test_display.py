"""Cards: the same in HTML and in text, with nothing in them that runs."""

import re
from dataclasses import replace
from decimal import Decimal

import pandas as pd
import pytest

from segml import views
from segml.data import Ledger, LedgerRow
from segml.data.ledger import Tally
from segml.display import Card, Displayed, Grid, Link, Says, card, to_html, to_text
from segml.language import speaking
from segml.pipeline import Training

EVIL = "<script>alert('x')</script> & \"Co\""


def ledger() -> Ledger:
    """Three lines came in, one was taken: 30 = 20 + 10 in money."""
    return Ledger(
        (
            LedgerRow("in", "in", "all lines of the source", Tally(3, 2, Decimal(30))),
            LedgerRow("bad_price", "taken", "the unit price is zero", Tally(1, 1, Decimal(10))),
            LedgerRow("bad_date", "taken", "the date is empty"),
            LedgerRow("kept", "kept", "lines that stand", Tally(2, 1, Decimal(20))),
        ),
        switched_off=("exact_repeats",),
    )


def test_a_card_in_text_aligns_names_to_the_left_and_figures_to_the_right() -> None:
    grid = Grid("Sizes", ("who", "lines"), (("small", "5"), ("large", "1,000")), more="and 3 more rows")
    shown = to_text(Card("Card", (grid, Says(("Mind this.",), are_notices=True))))
    assert shown == (
        "Card\n\nSizes\n  who    lines\n  small      5\n  large  1,000\nand 3 more rows\n\nnote: Mind this."
    )


def test_a_card_in_html_has_a_row_a_row_and_says_what_is_not_shown() -> None:
    grid = Grid("Sizes", ("who", "lines"), (("all", "1,005"), ("a", "5")), totals=(0,), more="and 3 more rows")
    page = to_html(Card("Card", (grid,)))
    assert page.count("<tr") == 3
    assert '<tr class="total"><td style="text-align:left">all</td><td style="text-align:right">1,005</td></tr>' in page
    assert '<p class="more">and 3 more rows</p>' in page


def test_a_table_without_names_of_columns_has_no_head() -> None:
    facts = Card("Facts", (Grid("", ("", ""), (("lines", "5"),)),))
    assert "<thead" not in to_html(facts)
    assert to_text(facts) == "Facts\n\n  lines  5"


def test_values_are_escaped_and_nothing_runs() -> None:
    grid = Grid(EVIL, (EVIL, EVIL), ((EVIL, EVIL),), more=EVIL)
    page = to_html(Card(EVIL, (grid, Says((EVIL,)), Link(EVIL, f"https://host/{EVIL}"), Link(EVIL, "javascript:x()"))))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 11
    assert re.findall(r'href="([^"]*)"', page) == [
        "https://host/&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt; &amp; &quot;Co&quot;"
    ]


def test_a_page_needs_nothing_from_elsewhere() -> None:
    page = to_html(Card("Card", (Grid("", ("a",), (("b",),)),)))
    assert not re.search(r"https?:|url\(|@import|src=|on\w+=", page)


def test_long_cells_are_cut_in_text_and_whole_in_html() -> None:
    shown = Card("Card", (Grid("", ("a",), (("x" * 200,),)),))
    assert to_text(shown).endswith(f"  {'x' * 63}…")
    assert "x" * 200 in to_html(shown)


def test_a_name_of_several_lines_stays_in_its_row() -> None:
    assert to_text(Card("Card", (Grid("", ("who",), (("a\r\nb\tc",),)),))).endswith("  a b c")


def test_an_object_without_a_card_shows_its_repr() -> None:
    class Plain(Displayed):
        def __repr__(self) -> str:
            return "Plain()"

    assert str(Plain()) == "Plain()"
    assert Plain()._repr_html_() is None


def test_the_ledger_shows_each_entry_and_that_it_reconciles() -> None:
    shown = str(ledger()).splitlines()
    assert shown[3].split() == ["in", "3", "100%", "2", "30", "all", "lines", "of", "the", "source"]
    assert shown[4].split()[:7] == ["−", "bad", "price", "1", "33%", "1", "10"]
    assert shown[5].split()[:5] == ["kept", "2", "67%", "1", "20"]
    assert shown[-3:] == [
        "Lines and money add up: in = kept + taken away (−); what is corrected (~) is kept.",
        "Found nothing to take: bad date.",
        "Switched off: exact repeats.",
    ]
    assert repr(ledger()) == "Ledger(2 of 3 lines kept, reconciles)"


def test_a_ledger_that_does_not_reconcile_says_so() -> None:
    broken = Ledger((*ledger().rows[:2], LedgerRow("kept", "kept", "lines that stand", Tally(1, 1, Decimal(20)))))
    assert "The ledger does not reconcile: 1 line" in str(broken)


def test_the_ledger_speaks_the_language_spoken() -> None:
    with speaking("ru"):
        assert "Журнал очистки" in str(ledger())


PARTS = ("prepared", "backtest", "found", "segmentation", "scorer")


@pytest.mark.parametrize("part", [*PARTS, "training"])
def test_what_training_gives_is_shown_in_html_and_text_alike(small_training: Training, part: str) -> None:
    shown = small_training if part == "training" else getattr(small_training, part)
    told = card(shown)
    assert told is not None
    words = re.sub(r"<style>.*?</style>|<[^>]+>", " ", str(shown._repr_html_()))
    for grid in (each for each in told.parts if isinstance(each, Grid)):
        assert {value for row in grid.rows for value in row if value.isalnum()} <= set(words.split()) | {""}
        assert all(len(row) == len(grid.columns) for row in grid.rows)
    assert str(shown) == to_text(told)
    assert len(repr(shown)) < 100
    assert shown._repr_html_() == shown._repr_html_()


def test_a_long_table_says_how_many_rows_it_does_not_show(small_training: Training) -> None:
    found = small_training.found
    long = replace(found, table=pd.concat([found.table] * 3))
    assert f"and {len(long.table) - views.MOST_ROWS} more rows" in str(long)
    assert "more row" not in str(found)


def test_scores_stand_beside_their_baselines_with_intervals(small_training: Training) -> None:
    shown = str(small_training.backtest)
    assert re.search(r"segml +0\.\d{3} \[0\.\d{3}, [01]\.\d{3}\] +0\.\d{3} \[", shown)
    assert re.search(r"Pareto/NBD +0\.\d{3} \[", shown)


def test_the_calls_of_a_training_are_its_first_ones(small_training: Training) -> None:
    shown = str(small_training)
    assert f"Call first (of {len(small_training.call_list())})" in shown
    assert small_training.call_list()["customer_id"].iloc[0] in shown
