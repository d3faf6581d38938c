from dataclasses import replace

import pytest

from segml.report import ReportContent
from segml.report.sections.segments import SchemeSection, segments


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
    assert schemes["lifecycle"].rows[0]["words"] == ["rule of active", "mostly tape <wide>"]


def test_found_segments_say_how_far_to_trust_them(content: ReportContent) -> None:
    metrics = {
        "segments/min_jaccard": 0.9,
        "segments/next_period_eta2": 0.247,
        "segments/revenue_fifths_eta2": 0.258,
    }
    *_, found = segments(replace(content, metrics=metrics))
    stable, told = found.remarks
    assert "similarity of 0.90" in stable
    assert told.endswith("the found segments 0.247, plain fifths by revenue 0.258. Best: plain fifths by revenue.")


def test_without_clusters_the_section_stands_and_says_so(content: ReportContent) -> None:
    *_, found = segments(replace(content, cluster_means=None))
    assert (found.name, found.rows, found.missing != "") == ("cluster", [], True)
