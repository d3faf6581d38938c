"""A page in Russian: every word that is not from the data is Russian, numbers and dates included."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from bases import past_of, simulated
from segml.config import ClustersConfig, HdbscanConfig, KMeansConfig, SegmentsConfig
from segml.features import CATALOG
from segml.language import speaking, spoken
from segml.report import ReportContent, build
from segml.report.words import setting
from segml.segments import find_segments

CLUSTER = "крупные"
WORD = re.compile(r"[A-Za-z]{4,}")
NAMES = ("Pareto/NBD", "call_list.csv", "KMeans", "HDBSCAN")
"""What has one name in every language."""


class Texts(HTMLParser):
    """Collects what a page shows or reads aloud."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.is_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.is_style = tag == "style"
        self.found += [value for name, value in attrs if value and name in {"aria-label", "data-label", "title", "alt"}]

    def handle_data(self, data: str) -> None:
        if not self.is_style and data.strip():
            self.found.append(" ".join(data.replace("\u202f", " ").replace("\u00a0", " ").split()))


def in_data(content: ReportContent) -> Iterator[str]:
    """Yield the texts that a page shows as they came."""
    given = {**vars(content), "decisions": content.decisions.drop(columns="action")}
    told = [name for name in given if name.startswith("cluster_") and name != "cluster_means"]
    for name in ("config", "scheme_titles", *told):  # keys and values are told below; titles are messages
        del given[name]
    for text in leaves(given):
        yield from (text, text.replace("_", " "), text.replace("_", " ").capitalize())
    yield from (text for pair in content.config.flat().items() for text in (pair[0], setting(pair[1])))
    yield from (feature.name for feature in CATALOG)


def leaves(value: object) -> Iterator[str]:
    """Yield every text within tables, mappings and sequences."""
    match value:
        case str():
            yield value
        case pd.DataFrame():
            yield from leaves(value.select_dtypes("str").to_numpy().ravel().tolist())
        case Mapping():
            yield from (text for pair in value.items() for text in leaves(pair))
        case list() | tuple():
            yield from (text for item in value for text in leaves(item))


def searched() -> dict[str, Any]:
    """Return what a search for segments shows, told in Russian."""
    clusters = ClustersConfig(kmeans=KMeansConfig(most_k=5), hdbscan=HdbscanConfig(shares=(0.03, 0.08)), bootstrap=4)
    with speaking("ru"):
        found = find_segments(
            simulated(300, seed=1), SegmentsConfig(clusters=clusters, interval_resamples=10), 0, past=past_of(4)
        )
        remarks = found.remarks
    assert found.portrait is not None
    assert found.lasting is not None
    return {
        "cluster_candidates": found.table,
        "cluster_segments": found.portrait.table,
        "cluster_sheet": found.portrait.sheet,
        "cluster_migration": found.lasting.migration,
        "cluster_remarks": remarks,
    }


@pytest.fixture(scope="module")
def russian(content: ReportContent) -> ReportContent:
    report = content.config.report.model_copy(update={"language": "ru", "title": "Customer segments and risk"})
    clusters = {name: CLUSTER for name in content.decisions["cluster_name"].unique() if "large" in name}
    return replace(
        content,
        **searched(),
        config=content.config.model_copy(update={"report": report}),
        decisions=content.decisions.replace({"cluster_name": clusters}),
        profiles=content.profiles.replace({"segment": clusters}),
        cluster_means=pd.DataFrame({"revenue 365d": [1.0, -1.25], "x": [0.5, -0.5]}, index=[CLUSTER, "rare"]),
    )


@pytest.fixture(scope="module")
def html(russian: ReportContent) -> str:
    return build(russian)


@pytest.fixture(scope="module")
def texts(html: str) -> list[str]:
    return Texts(html).found


def test_no_english_is_left_but_data_and_identifiers(texts: list[str], russian: ReportContent) -> None:
    data = sorted({" ".join(text.split()) for text in [*in_data(russian), *NAMES]}, key=len, reverse=True)
    anything = re.compile("|".join(re.escape(text) for text in data if WORD.search(text)))
    english = {text for text in texts if WORD.search(anything.sub("", text))}
    assert english == set()


def test_the_page_says_which_language_it_is_in_and_leaves_it_again(html: str) -> None:
    assert '<html lang="ru">' in html
    assert spoken() == "en"


def test_figures_come_in_the_right_form_of_the_noun(texts: list[str]) -> None:
    page = " ".join(texts)
    for words in (
        "клиентов 5 2 активных, 1 в стагнации",
        "клиента с оценкой риска 3",
        "выручка под риском, на 90 дней вперёд 5,5 тыс. € 49 % от обычной выручки этих клиентов",
        "2 клиента из 3 с оценкой риска",
        "просрочен на 12 дней",
        "Поступило 1 200 строк на сумму 60 000 €. 2 правила убрали 200 из них (17 %); осталось 1 000",
    ):
        assert words in page, words


def test_money_shares_decimals_and_dates_are_written_the_russian_way(texts: list[str]) -> None:
    page = " ".join(texts)
    for words in ("50 тыс. €", "5,5 тыс. €", "−2 000 €", "7,5 %", "12,3", "0,790", "от 0,780 до 0,800", "20 дек. 2025"):
        assert words in page, words


def test_pictures_speak_russian_too(texts: list[str]) -> None:
    for words in (
        "клиенты",
        "выручка",
        "наугад",
        "полное знание",
        "первые 10 % дают 40 %",
        "окт.",
        "выручка за 365 дн.",
        "−1,2",
    ):
        assert words in texts, words
    assert "Oct" not in texts


def test_found_segments_are_told_in_russian(texts: list[str]) -> None:
    page = " ".join(texts)
    for words in (
        "кластеры объясняют",
        "клиентов остались в своём сегменте (изменились сами клиенты)",
        "скорректированный индекс Рэнда",
        "Средний силуэт каждого сегмента",
        "Клиенты на плоскости",
        "KMeans при разных размерах",
        "HDBSCAN при разных размерах",
        "k = 3",
    ):
        assert words in page, words
