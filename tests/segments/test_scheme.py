from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from segml.config import SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.segments import Scheme, month_variation, schemes
from segml.segments.lifecycle import Lifecycle
from segml.segments.scheme import Labels

ALL = schemes(SegmentsConfig())
each_scheme = pytest.mark.parametrize("scheme", ALL, ids=lambda scheme: str(scheme.name))


@pytest.fixture
def features(base: pd.DataFrame, months: pd.DataFrame) -> pd.DataFrame:
    return month_variation(base, months, SegmentsConfig().xyz)


class Size(Scheme):
    """The smallest scheme there can be."""

    name = "size"
    labels = ("small", "large")

    @property
    def requires(self) -> tuple[str, ...]:
        """One column."""
        return ("employees",)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return small or large."""
        return np.where(known["employees"] < 100, "small", "large").astype(object)

    def rules(self) -> dict[str, str]:
        """Return the rules."""
        return {"small": "under 100 employees", "large": "100 employees and more"}


def test_an_unknown_value_gives_not_enough_data(table: Callable[..., pd.DataFrame]) -> None:
    labels = Size().assign(table(employees=[5, np.nan, 100]))
    assert labels.tolist() == ["small", NOT_ENOUGH_DATA, "large"]


def test_no_customers_give_no_labels(table: Callable[..., pd.DataFrame]) -> None:
    assert Size().assign(table(employees=[])).tolist() == []


def test_a_missing_column_is_named_with_the_nearest_one(table: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(DataError, match=r"scheme 'size' lacks columns \['employees'\].*did you mean 'employee'"):
        Size().assign(table(employee=[5]))


def test_a_customer_twice_is_refused(table: Callable[..., pd.DataFrame]) -> None:
    features = table(employees=[5, 6]).assign(customer_id="ACME")
    with pytest.raises(DataError, match="customer 'ACME' comes more than once"):
        Size().assign(features)


def test_two_as_of_dates_are_refused(table: Callable[..., pd.DataFrame]) -> None:
    features = table(employees=[5, 6]).assign(as_of=pd.to_datetime(["2025-01-01", "2025-02-01"]))
    with pytest.raises(DataError, match=r"one as-of date at a time; found 2025-01-01.*2025-02-01"):
        Size().assign(features)


@each_scheme
def test_every_customer_has_one_declared_label(scheme: Scheme, features: pd.DataFrame) -> None:
    features.loc[3, list(scheme.requires)] = np.nan
    labels = scheme.assign(features)
    assert labels.index.equals(features.index)
    assert labels.name == scheme.name
    assert set(labels) <= {*scheme.labels, NOT_ENOUGH_DATA}
    assert labels[3] == NOT_ENOUGH_DATA


@each_scheme
def test_every_label_has_its_rule_in_words(scheme: Scheme) -> None:
    rules = scheme.rules()
    assert tuple(rules) == scheme.labels
    assert all(rules.values())
    assert NOT_ENOUGH_DATA not in scheme.labels


@each_scheme
def test_the_order_of_rows_is_irrelevant_and_the_input_unchanged(scheme: Scheme, features: pd.DataFrame) -> None:
    before = features.copy(deep=True)
    labels = scheme.assign(features)
    pd.testing.assert_frame_equal(features, before)
    shuffled = features.sample(frac=1, random_state=5)
    pd.testing.assert_series_equal(scheme.assign(shuffled).sort_index(), labels)


@each_scheme
def test_one_customer_and_customers_all_alike_get_labels(scheme: Scheme, features: pd.DataFrame) -> None:
    assert len(scheme.assign(features.iloc[:1])) == 1
    alike = pd.concat([features.iloc[:1]] * 5, ignore_index=True).assign(customer_id=list("abcde"))
    assert scheme.assign(alike).nunique() == 1


def test_the_names_of_schemes_are_distinct() -> None:
    assert len({scheme.name for scheme in ALL}) == len(ALL)


def test_a_scheme_takes_its_defaults_without_a_configuration() -> None:
    assert Lifecycle().rules() == ALL[0].rules()
