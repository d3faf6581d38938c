"""Every word for people is there in every language, with the same figures in it."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from babel.messages.catalog import Catalog, Message

from messages import LOCALES, computed, load, wanted, written
from segml.actions import rules
from segml.churn.phrases import all_well, days, no_clear_sign, phrase
from segml.config import ActionsConfig, from_mapping
from segml.language import N_, _, in_this_language, ngettext, numerals, speaking, spoken
from segml.schemes import Lifecycle, Tier
from segml.segments.words import differences, distinct_names, told_name

NARROW, NO_BREAK = "\u202f", "\u00a0"
FILES = sorted(LOCALES.glob("*.po"))
each_file = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


@pytest.fixture(scope="module")
def template() -> Catalog:
    return wanted()


def translated(catalog: Catalog) -> Iterator[Message]:
    return (message for message in catalog if message.id)


def forms(text: str | tuple[str, ...] | list[str] | None) -> tuple[str, ...]:
    return (text or "",) if isinstance(text, str | None) else tuple(text)


def placeholders(text: str) -> set[str]:
    """Return the names in a text, with the kind of their format: digits may differ between languages."""
    braces = re.findall(r"\{(\w+)(?:![rs])?(?::[^}]*?(\w|%)?)?\}", text)
    return {f"{name}:{kind}" for name, kind in braces} | set(re.findall(r"%\(\w+\)s", text))


@each_file
def test_every_message_is_translated_and_none_is_left_over(path: Path, template: Catalog) -> None:
    known = {message.id for message in translated(load(path))}
    needed = {message.id for message in translated(template)}
    assert needed - known == set(), f"{path.name} lacks messages; run `python tests/messages.py`, then translate them"
    assert known - needed == set(), f"{path.name} holds messages of the past; run `python tests/messages.py`"


@each_file
def test_no_translation_is_empty_unsure_or_short_of_a_plural_form(path: Path) -> None:
    catalog = load(path)
    assert not catalog.obsolete
    for message in translated(catalog):
        assert not message.fuzzy, message.id
        assert all(forms(message.string)), message.id
        if message.pluralizable:
            assert len(forms(message.string)) == catalog.num_plurals == 3, message.id


@each_file
def test_figures_in_a_translation_are_those_of_the_message(path: Path) -> None:
    for message in translated(load(path)):
        expected = placeholders(forms(message.id)[-1])
        for text in forms(message.string):
            assert placeholders(text) == expected, text


@each_file
def test_a_percent_sign_is_doubled_where_templates_need_it(path: Path) -> None:
    for message in translated(load(path)):
        texts = [*forms(message.id), *forms(message.string)]
        if any("%%" in text or "%(" in text for text in texts):
            assert not any(re.search(r"(?<!%)%(?!%|\()", text.replace("%%", "")) for text in texts), texts


def test_messages_come_from_code_templates_and_the_catalogue_of_features() -> None:
    marked = dict(written())
    assert marked["Call list"] in {"report/templates/calls.html.j2", "report/templates/report.html.j2"}
    assert marked["onboard"] == "actions/rules.py"
    assert ("{n:,.0f} day", "{n:,.0f} days") in marked
    assert "time since the last purchase" in {message for message, place in computed()}


def test_english_is_what_the_code_says() -> None:
    assert spoken() == "en"
    assert _("Call list") == "Call list"
    assert ngettext("{n} line", "{n} lines", 1) == "{n} line"
    assert N_("revenue") == "revenue"
    assert numerals("-1,234.5%") == "-1,234.5%"


def test_a_language_ends_with_its_block_even_after_an_error() -> None:
    with pytest.raises(RuntimeError, match="enough"), speaking("ru"):
        assert _("Call list") == "Список звонков"
        with speaking("en"):
            assert _("Call list") == "Call list"
        assert spoken() == "ru"
        raise RuntimeError("enough")
    assert spoken() == "en"


def test_a_message_nobody_translated_stays_and_nothing_stays_nothing() -> None:
    with speaking("ru"):
        assert _("wholly unknown") == "wholly unknown"
        assert _("") == ""


def test_a_function_keeps_the_language_in_which_it_was_made() -> None:
    with speaking("ru"):
        told = in_this_language(lambda text: _(text))
    assert told("revenue") == "выручка"
    assert spoken() == "en"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 дней"),
        (1, "1 день"),
        (2, "2 дня"),
        (4.4, "4 дня"),
        (5, "5 дней"),
        (11, "11 дней"),
        (14, "14 дней"),
        (21, "21 день"),
        (112, "112 дней"),
        (1_001, f"1{NARROW}001 день"),
    ],
)
def test_russian_counts_in_three_forms(count: float, words: str) -> None:
    with speaking("ru"):
        assert days(count) == words


def test_numbers_in_russian_words_are_written_the_russian_way() -> None:
    with speaking("ru"):
        assert Tier(key_min_revenue=3_000_000, key_min_years=2.5).rules()["key"] == (
            f"крупнейшие клиенты, вместе 60{NO_BREAK}% выручки за 365 дн., не более 20{NO_BREAK}% покупателей, "
            f"от 3{NARROW}000{NARROW}000, с нами от 2,5 лет"
        )
        assert _("difference {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}").format(
            gain=-0.1, low=np.float64(-0.25), high=0.05
        ) == (f"разность −0,100, интервал 95{NO_BREAK}% от −0,250 до +0,050")


@pytest.mark.parametrize(
    ("group", "figures", "sentence"),
    [
        ("silence", {"gap_mean_days": 24.4, "recency_days": 61.3}, "заказывает раз в 24 дня, молчит 61 день"),
        ("silence", {"gap_mean_days": np.nan, "recency_days": 62.0}, "покупал лишь в один день, 62 дня назад"),
        (
            "rhythm",
            {"order_count_90d": 2.0, "order_count_365d": 9.0},
            "2 заказа за последние 90 дней, 9 за последние 365",
        ),
        (
            "order value",
            {"order_value_last_to_mean": 0.55},
            f"последний заказ на 45{NO_BREAK}% меньше среднего чека клиента",
        ),
        ("revenue level", {"revenue_365d": 12345.6}, f"выручка 12{NARROW}346 за последние 365 дней"),
        (
            "revenue trend",
            {"revenue_90d_to_run_rate": 0.6},
            f"выручка за последние 90 дней на 40{NO_BREAK}% ниже обычной",
        ),
        ("assortment", {"product_count_365d": 21.0}, "купил 21 товар за последние 365 дней"),
        (
            "assortment",
            {"category_count_365d_to_previous": 0.6},
            f"покупает на 40{NO_BREAK}% меньше товарных групп, чем годом ранее",
        ),
        ("returns", {"return_share_365d": 0.09}, f"вернул 9{NO_BREAK}% покупок за последние 365 дней"),
        ("margin", {"discount_share_365d": 0.3}, f"скидка 30{NO_BREAK}% за последние 365 дней"),
        ("tenure", {"tenure_days": 60.9}, "клиент всего 2 месяца"),
    ],
)
def test_reasons_state_the_same_figures_in_russian(group: str, figures: dict[str, float], sentence: str) -> None:
    with speaking("ru"):
        assert phrase(group, figures) == sentence


def test_good_and_unclear_news_in_russian() -> None:
    figures = {"gap_mean_days": 14.2, "recency_days": 3.0}
    with speaking("ru"):
        assert all_well(figures) == "тревожных признаков нет: заказывает раз в 14 дней, последняя покупка 3 дня назад"
        assert no_clear_sign({"recency_days": 1.0}) == (
            "ни один признак не выделяется: покупал лишь в один день, последняя покупка 1 день назад"
        )


def test_actions_are_identifiers_and_have_names_in_every_language() -> None:
    english = rules(ActionsConfig(), Lifecycle())
    with speaking("ru"):
        russian = rules(ActionsConfig(win_back_steps=("letter", "gift")), Lifecycle(inactive_months=1))
    assert [rule.name for rule in english] == [rule.action for rule in english]
    assert russian[1].action == "win back: letter"
    assert russian[1].name == "вернуть: письмо"
    assert russian[1].when == "неактивен: 1-й месяц после 1 месяца молчания"
    assert russian[2].name == "вернуть: gift"


def test_what_tells_a_segment_apart_is_translated_but_the_name_of_a_cluster_is_not() -> None:
    sizes, features = np.array([[-1.5, 0.9], [1.0, -0.5]]), ["recency_days", "revenue_365d"]
    with speaking("ru"):
        told = [difference.words for difference in differences(sizes[0], features, 2)]
        assert told == ["очень недавние покупки", "большая выручка"]
        assert differences(np.array([0.5]), ["seats_used"], 1)[0].words == "высокий показатель seats used"
        assert distinct_names(sizes, features)[0] == "very recent, large revenue"
        assert told_name("very recent, large revenue (2)") == "очень недавние покупки, большая выручка (2)"
        assert told_name("Наши лучшие, very best") == "Наши лучшие, very best"


def test_a_language_without_translations_is_refused() -> None:
    assert from_mapping({"report": {"language": "ru"}}).report.language == "ru"
    with pytest.raises(ValueError, match=r"report\.language"):
        from_mapping({"report": {"language": "xx"}})
