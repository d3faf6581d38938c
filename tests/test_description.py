"""A run's description reads as its summary, shows what the run found, and breaks nothing that shows it."""

import re
from dataclasses import replace

import pytest

from segml import description, summary_tables
from segml.language import speaking
from segml.pipeline import Training
from segml.summary_tables import TextTable

TAGS = {"segml.data_digest": "abcd", "segml.git_commit": "0123456789abcdef"}


@pytest.fixture(scope="module")
def text(small_training: Training) -> str:
    return description.markdown(small_training, TAGS)


def _row(*cells: object) -> str:
    """Return how a row of Markdown begins."""
    return "".join(f"| {cell}&emsp; " for cell in cells) + "| "


def test_the_first_sentence_is_the_summary(small_training: Training, text: str) -> None:
    customers = len(small_training.decisions)
    assert text.startswith(f"**{customers} customers on 2026-01-01, ")
    assert "at risk over the next 90 days" in text.splitlines()[0]


def test_data_and_cleaning_are_told_with_their_money(small_training: Training, text: str) -> None:
    ledger = small_training.prepared.ledger
    assert f"Of {ledger.came_in.lines:,} order lines, worth {float(ledger.came_in.amount):,.0f}" in text
    assert f"kept {ledger.kept.lines:,}" in text
    repeats = ledger["exact_repeats"].tally.lines
    assert f"exact repeats {repeats}" in text


def test_stages_scores_and_segments_stand_in_tables(small_training: Training, text: str) -> None:
    metrics = small_training.metrics
    for row in small_training.profiles.query("scheme == 'lifecycle' and customers > 0").to_dict("records"):
        assert _row(row["segment"], f"{row['customers']}", f"{row['revenue_share']:.0%}") in text
    measured = (metrics[f"churn/roc_auc{end}"] for end in ("", "_low", "_high"))
    assert _row("segml", "{:.3f} \\[{:.3f}, {:.3f}\\]".format(*measured)) in text
    assert _row("Pareto/NBD") in text
    assert "#### **Found segments**" in text


def test_every_table_has_cells_as_many_as_its_head(text: str) -> None:
    for table in re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.strip().splitlines()}) == 1


def test_it_says_how_to_do_it_again(text: str) -> None:
    assert "`python -m segml.train --config config.yaml`" in text
    assert "`demo.customers=300`" in text
    assert "data `abcd`, commit `0123456789ab`, segml `" in text


def test_the_same_run_gives_the_same_text_of_bounded_length(small_training: Training, text: str) -> None:
    assert description.markdown(small_training, TAGS) == text
    assert len(text) <= description.LENGTH


def test_what_is_too_long_is_left_out_and_the_origin_stays(small_training: Training) -> None:
    notices = tuple(f"{'long ' * 200}{number}" for number in range(30))
    told = description.markdown(replace(small_training, notices=notices), TAGS)
    assert len(told) <= description.LENGTH
    assert "and 22 more" in told
    assert "#### **To do it again**" in told


def test_names_from_the_data_are_text_and_no_markdown() -> None:
    table = TextTable("Segments", ("name", "customers"), (("a|b *c* [d](http://x)\n# e <b>", "1"),))
    last = description.table(table).splitlines()[-1]
    assert last == _row(r"a\|b \*c\* \[d\](http://x) \# e \<b\>") + "1 |"


def test_a_password_in_the_configuration_does_not_show(small_training: Training) -> None:
    config = small_training.config
    data = config.data.model_copy(update={"transactions": "postgresql://anna:s3cret@db/sales#orders"})
    scorer = replace(small_training.scorer, config=config.model_copy(update={"data": data}))
    assert "s3cret" not in description.markdown(replace(small_training, scorer=scorer), TAGS)


def test_an_evaluation_is_told_by_test_date(small_training: Training) -> None:
    found, prepared = small_training.backtest, small_training.prepared
    told = description.backtest_markdown(found, prepared, small_training.config, {})
    assert told.startswith("**Scores evaluated out of time at 3 dates, 90 days ahead.**")
    for moment in found.by_date["as_of"]:
        assert _row(moment.date()) in told
    assert "`python -m segml.backtest --config config.yaml`" in told


def test_it_speaks_the_language_of_the_report(small_training: Training) -> None:
    config = small_training.config
    report = config.report.model_copy(update={"language": "ru"})
    scorer = replace(small_training.scorer, config=config.model_copy(update={"report": report}))
    told = description.markdown(replace(small_training, scorer=scorer), TAGS)
    assert "Жизненный цикл" in told
    assert "Lifecycle" not in told


def test_unknown_figures_are_dashes_and_a_metric_shows_its_interval() -> None:
    metrics = {"churn/roc_auc": 0.75, "churn/roc_auc_low": 0.7, "churn/roc_auc_high": 0.8, "stagnation/roc_auc": 0.6}
    ranking = summary_tables.ranking(metrics)
    assert ranking.rows[0] == ("segml", "0.750 [0.700, 0.800]", "0.600")
    assert ranking.rows[1][1:] == ("–", "–")
    with speaking("ru"):
        assert summary_tables.ranking(metrics).rows[0][2] == "0,600"
