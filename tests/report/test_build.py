import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from segml.actions import call_list
from segml.report import ReportContent, build
from segml.report.sections.calls import calls
from segml.report.sections.came_in import came_in

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Reads a page: its text, its tags, what it links to; complains about tags that do not close."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"style", "title"}:
            self.text += f"{data} "

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def flat(text: str) -> str:
    return " ".join(text.replace("\u202f", " ").split())


def frames(content: ReportContent) -> dict[str, pd.DataFrame]:
    return {name: value for name, value in vars(content).items() if isinstance(value, pd.DataFrame)}


@pytest.fixture(scope="module")
def before(content: ReportContent) -> dict[str, pd.DataFrame]:
    return {name: table.copy() for name, table in frames(content).items()}


@pytest.fixture(scope="module")
def html(content: ReportContent, before: dict[str, pd.DataFrame]) -> str:
    return build(content)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_headline_tells_the_base_its_revenue_and_what_is_at_risk(page: Page) -> None:
    text = flat(page.text)
    for words in (
        "customers 5 2 active, 1 stagnating",
        "revenue of the last 365 days €50 k",
        "customers scored 3",
        "revenue at risk, next 90 days €5.5 k 49% of what these customers usually bring",
        "customers to call first 2 hold 98% of the revenue at risk",
        "As of 1 Jan 2026, looking 90 days ahead · run run-7",
    ):
        assert words in text, words


def test_notices_stand_above_everything_but_the_headline(html: str) -> None:
    assert html.index("Nothing was bought in the &lt;last&gt; month.") < html.index('<section id="call-list"')


def test_the_call_list_ranks_money_and_tells_who_is_overdue(page: Page) -> None:
    text = flat(page.text)
    assert "2 customers of 3 scored" in text
    assert (
        "1. <script>alert(1)</script> key · active customers €5 000 €10 000 50% 10% low 91% 20 Dec 2025 12 days overdue"
        in text
    )
    assert "2. Müller & <Söhne> b · standard · active customers €400 €1 000 40% 20% medium 98% 1 Jan 2026 trend" in text


def test_every_action_shows_its_rule_its_customers_and_their_money(page: Page) -> None:
    assert (
        "write: at risk stagnation at least 35% likely, but too little money for a call 2 €490 offer better terms"
        in flat(page.text)
    )


def test_the_ledger_says_that_it_reconciles(page: Page) -> None:
    text = flat(page.text)
    assert (
        "1 200 lines came in, worth €60 000. 2 rules took 200 of them away (17%); 1 000 were kept, worth €50 000. "
        "Lines and money add up" in text
    )
    assert "exact repeats taken away 150 12% 3 €12 000 the same line <again>" in text
    assert "These rules found nothing: bad date." in text


def test_a_ledger_that_does_not_reconcile_is_called_out(content: ReportContent) -> None:
    ledger = content.ledger.assign(lines=[1_203, 150, 0, 50, 9, 1_000])
    assert came_in(replace(content, ledger=ledger))["gap"] == (
        "The ledger does not add up: 3 lines and €0 are unaccounted for."
    )
    ledger = content.ledger.assign(amount=content.ledger["amount"] + [0, 0, 0, 0, 0, 0.01])
    assert came_in(replace(content, ledger=ledger))["gap"] != ""


def test_each_scheme_has_its_table_known_ones_first_found_segments_last(page: Page) -> None:
    headings = [attributes["id"] for attributes in page.named("h3") if attributes.get("id", "").startswith("segments-")]
    assert headings == [
        f"segments-{name}" for name in ("lifecycle", "tier", "rfm_segment", "abc", "xyz", "own_needs", "cluster")
    ]
    told = "active customers active rule of active mostly tape <wide> suggested: call <every> week"
    assert f"{told} 2 40% €48 000 96% €24 000 €321 12.3 25% 50% €5 400" in flat(page.text)


def test_a_column_of_which_nothing_is_known_is_left_out(page: Page) -> None:
    assert "key rule of key mostly tape <wide> 1 20% €40 000 80% €40 000 €321 12.3 50% €5 400" in flat(page.text)


def test_what_is_unknown_is_a_dash(page: Page) -> None:
    report, _, _ = page.text.partition("What the numbers cannot tell")
    assert not re.search(r"\b(nan|None|NaT)\b", report)


def test_risk_names_every_contender_with_its_interval(page: Page) -> None:
    text = flat(page.text)
    assert "model 0.790 0.780 to 0.800 0.710 0.700 to 0.720" in text
    assert "Pareto/NBD 0.770 0.760 to 0.780 0.660 0.650 to 0.670" in text
    assert "days since last purchase 0.590 0.580 to 0.600" in text


def test_bands_show_what_happened_and_an_edge_belongs_above(page: Page) -> None:
    text = flat(page.text)
    assert "low under 15% 2 7.5% 0% 0%" in text
    assert "medium 15% to 35% 2 18% 50% 100%" in text
    assert "high 35% to 60% 2 38% 50% 50%" in text
    assert "very high 60% and more 2 80% 100% 100%" in text


def test_names_from_the_data_are_text_and_never_markup(html: str, page: Page) -> None:
    assert page.named("script") == page.named("b") == page.named("i") == []
    for name in ("<script>alert(1)</script>", "Müller & <Söhne>", 'the "large" & <b>loyal</b>', "tape <wide>"):
        assert name in page.text
    assert "&amp;amp;" not in html
    assert "&amp;lt;" not in html


def test_the_page_asks_nobody_for_anything(html: str, page: Page) -> None:
    assert not page.named("link")
    assert not page.named("img")
    assert not [attributes for _, attributes in page.tags if "src" in attributes]
    targets = [attributes["href"] for _, attributes in page.tags if "href" in attributes]
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"https?://|//[a-z]|@import|url\((?!#)", html.replace("postgresql://", ""))


def test_names_on_the_page_are_unique_and_links_lead_somewhere(page: Page) -> None:
    names = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(names) == len(set(names))
    assert {attributes["href"][1:] for _, attributes in page.tags if "href" in attributes} <= set(names)
    clips = [attributes["clip-path"] for _, attributes in page.tags if "clip-path" in attributes]
    assert clips
    assert {clip.removeprefix("url(#").removesuffix(")") for clip in clips} <= set(names)


def test_every_picture_is_described_and_every_column_has_a_heading(page: Page) -> None:
    drawings = page.named("svg")
    assert len(drawings) == 22
    assert all(drawing["role"] == "img" and len(drawing["aria-label"]) > 20 for drawing in drawings)
    assert all(heading["scope"] in {"col", "row"} for heading in page.named("th"))
    assert page.named("html")[0]["lang"] == "en"


def test_the_same_content_gives_the_same_small_page(content: ReportContent, html: str) -> None:
    assert build(content) == html
    assert len(html.encode()) < 500_000


def test_content_stays_unchanged(html: str, content: ReportContent, before: dict[str, pd.DataFrame]) -> None:
    for name, table in frames(content).items():
        pd.testing.assert_frame_equal(table, before[name])


def test_passwords_of_addresses_stay_out(html: str) -> None:
    assert "postgresql://anna:…@db/sales" in html
    assert "s3cret" not in html


def test_without_scores_and_clusters_each_section_says_why(content: ReportContent) -> None:
    thin = ReportContent(
        as_of=content.as_of,
        config=content.config,
        decisions=content.decisions.assign(p_churn=np.nan, p_stagnation=np.nan, revenue_at_risk=0.0),
        features=content.features,
        ledger=content.ledger,
        profiles=content.profiles[content.profiles["scheme"] == "lifecycle"],
        notices=("No scores: the history is shorter than two horizons.",),
    )
    text = flat(Page(build(thin)).text)
    assert "customers scored none see the notices" in text
    assert "Nobody was scored, so there is no call list; see the notices." in text
    assert "No segments were searched for, or found; see the notices." in text
    assert "The scores could not be checked against the past; see the notices." in text


def test_nobody_at_risk_enough_is_no_empty_table(content: ReportContent) -> None:
    section = calls(content, call_list(content.decisions, content.config.actions).iloc[:0])
    assert section["summary"] == "None of 3 scored customers is at risk enough to be called."
    assert section["rows"] == []


def test_a_base_without_revenue_or_lines_still_makes_a_page(content: ReportContent) -> None:
    empty = replace(
        content,
        features=content.features.assign(revenue_365d=0.0),
        decisions=content.decisions.assign(run_rate=0.0, revenue_at_risk=0.0),
        ledger=content.ledger.assign(lines=0, customers=0, amount=0.0),
        gains=content.gains.iloc[:0] if content.gains is not None else None,
        backtest=None,
        revenue_by_month=None,
    )
    assert "0 lines came in, worth €0. None was taken away" in flat(Page(build(empty)).text)
