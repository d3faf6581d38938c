import numpy as np
import pandas as pd

from segml.segments.words import PHRASES, Difference, differences, distinct_names, told_features

FEATURES = ["revenue_365d", "order_count_365d", "gap_shrunk_days", "recency_days"]


def test_the_most_telling_come_first_and_one_subject_is_told_once() -> None:
    told = differences(np.array([0.5, 0.8, -0.9, -2.0]), FEATURES, 3)
    assert told == [Difference("very recent", -2.0), Difference("frequent", -0.9), Difference("large revenue", 0.5)]


def test_small_differences_are_not_told() -> None:
    assert differences(np.array([0.29, -0.29, 0.0, 0.0]), FEATURES, 3) == []


def test_equal_differences_are_told_in_the_order_of_the_features() -> None:
    told = differences(np.array([0.5, 0.5, 0.0, -0.5]), FEATURES, 3)
    assert [difference.words for difference in told] == ["large revenue", "frequent", "recent"]


def test_a_feature_without_a_phrase_reads_plainly() -> None:
    assert differences(np.array([0.5]), ["seats_used"], 1)[0].words == "high seats used"


def test_names_that_would_read_alike_tell_more() -> None:
    sizes = np.array([[1.0, 0.9, 0.0, 0.8], [1.1, 0.9, 0.0, -0.8], [0.0, 0.0, 0.0, 0.0]])
    assert distinct_names(sizes, FEATURES) == [
        "large revenue, frequent, long silent",
        "large revenue, frequent, recent",
        "close to the average",
    ]


def test_segments_that_read_alike_even_in_full_are_numbered() -> None:
    sizes = np.array([[1.0, 0.5], [0.9, 0.5], [-1.0, 0.0]])
    assert distinct_names(sizes, FEATURES[:2]) == [
        "large revenue, frequent (1)",
        "large revenue, frequent (2)",
        "small revenue",
    ]


def test_a_single_feature_is_enough_for_names() -> None:
    assert distinct_names(np.array([[1.0], [-1.0]]), ["revenue_365d"]) == ["large revenue", "small revenue"]


def test_features_without_a_phrase_are_left_out_and_the_others_standardised() -> None:
    told = told_features(pd.DataFrame({"region": ["N", "S"], "recency_days": [0, 99], "p": [1, 2]}, index=[7, 8]))
    pd.testing.assert_frame_equal(told, pd.DataFrame({"recency_days": [-1.0, 1.0]}, index=[7, 8]))
    assert told_features(pd.DataFrame({"region": ["N", "S"]})).shape == (2, 0)


def test_every_phrase_reads_differently_at_its_two_ends() -> None:
    assert all(phrase.low != phrase.high for phrase in PHRASES.values())
