from dataclasses import replace

import pytest

from segml.report import ReportContent
from segml.report.sections.cohorts import cohorts
from segml.report.sections.products import products
from segml.report.sections.scheme import SchemeSection
from segml.report.sections.segments import off, segments


@pytest.fixture(scope="module")
def schemes(content: ReportContent) -> dict[str, SchemeSection]:
    return {scheme.name: scheme for scheme in segments(content)}


def test_customers_without_a_score_stay_off_the_rfm_map(schemes: dict[str, SchemeSection]) -> None:
    rfm_map = schemes["rfm_segment"].pictures[1].svg
    assert ">5</text>" in rfm_map
    assert ">n</text>" not in rfm_map


def test_customers_without_a_class_stay_off_the_matrix(schemes: dict[str, SchemeSection]) -> None:
    matrix = schemes["xyz"].pictures[1].svg
    assert all(f">{label}</text>" in matrix for label in "ABCXYZ")
    assert "not enough" not in matrix


def test_the_concentration_of_revenue_is_told_in_words(schemes: dict[str, SchemeSection]) -> None:
    assert schemes["tier"].pictures[1].caption == (
        "The largest tenth of customers brings 40% of the revenue of the last 365 days, the largest fifth 80%."
    )


def test_what_is_said_beside_the_figures_leaves_out_what_is_unknown(schemes: dict[str, SchemeSection]) -> None:
    assert schemes["lifecycle"].rows[0]["words"] == [
        "rule of active",
        "mostly tape <wide>",
        "suggested: call <every> week",
    ]


def test_without_clusters_the_section_stands_and_says_so(content: ReportContent) -> None:
    *_, found = segments(replace(content, cluster_means=None))
    assert (found.name, found.rows, found.missing != "") == ("cluster", [], True)


def test_schemes_beyond_the_known_ones_unfold_on_a_click(schemes: dict[str, SchemeSection]) -> None:
    assert [name for name, scheme in schemes.items() if not scheme.is_open] == ["own_needs"]


def test_cautions_stand_beside_their_scheme(schemes: dict[str, SchemeSection]) -> None:
    assert {name: list(scheme.cautions) for name, scheme in schemes.items() if scheme.cautions} == {
        "own_needs": ["one segment holds <all>"]
    }


def test_a_scheme_is_headed_by_its_title_and_question(schemes: dict[str, SchemeSection]) -> None:
    assert (schemes["tier"].title, schemes["tier"].question) == ("Tiers", "How much revenue hangs on an account?")
    assert (schemes["own_needs"].title, schemes["own_needs"].question) == ("Own needs", "")


def test_schemes_that_are_off_are_listed_with_their_reason(content: ReportContent) -> None:
    assert off(content) == [{"name": "company_size", "reason": "the data do not tell <employees>"}]


def test_the_products_of_class_a_are_counted_with_their_money(content: ReportContent) -> None:
    section = products(content)
    assert section.summary == "1 of 3 products are class A and bring 90% of the revenue of the last 365 days."
    assert [(row["product_id"], row["label"], row["category"]) for row in section.rows] == [
        ("P <1>", "AX", "tape"),
        ("P2", "BY", ""),
        ("P3", "C", "glue"),
    ]
    assert len(section.pictures) == 1


def test_without_products_or_with_one_cohort_nothing_is_drawn(content: ReportContent) -> None:
    assert products(replace(content, products=None)).pictures == []
    assert content.products is not None
    assert products(replace(content, products=content.products.iloc[:0])).rows == []
    assert content.cohorts is not None
    assert cohorts(replace(content, cohorts=content.cohorts.iloc[:2])) == []
    assert cohorts(replace(content, cohorts=None)) == []


def test_cohorts_are_drawn_by_retention_and_by_revenue(content: ReportContent) -> None:
    retention, revenue = cohorts(content)
    assert ">50%</text>" in retention.svg
    assert ">40</text>" in revenue.svg
