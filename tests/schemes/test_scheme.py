from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bases import simulated
from segml.config import SegmentsConfig
from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes import Lifecycle, Scheme
from segml.schemes.scheme import FromData, Labels
from segml.segments import schemes

ALL = schemes(SegmentsConfig())
each_scheme = pytest.mark.parametrize("scheme", ALL, ids=lambda scheme: str(scheme.name))


TEXTS = {
    "region": ["North", "South"],
    "industry": ["print", "paper", "glass"],
    "role": ["dealer", "end user", "engineering company"],
    "affinity_category": ["glue", "tape"],
    "top_channel": ["web", "phone"],
    "peak_season": ["winter", "spring", "summer", "autumn"],
    "funnel_stage": ["deal", "lead"],
}
FLAGS = {"is_strategic", "has_contract"}
LARGE = {"employees": 400, "potential": 9000, "cost_to_serve": 200, "days_to_renewal": 120, "decision_days": 90}


def column(name: str, customers: int, rng: np.random.Generator) -> "pd.Series[Any]":
    """Return plausible values of a column that the base does not have: text, yes or no, large numbers, shares."""
    if name in TEXTS:
        return pd.Series(rng.choice(TEXTS[name], customers))
    if name in FLAGS:
        return pd.Series(rng.random(customers) < 0.5)
    return pd.Series(rng.random(customers) * LARGE.get(name, 1.2))


@pytest.fixture(scope="module")
def labelled() -> pd.DataFrame:
    """Return a base with every column that a scheme reads, the labels of the schemes before it included."""
    rng = np.random.default_rng(8)
    frame = simulated(300, seed=1)
    for scheme in ALL:
        absent = [name for name in (*scheme.requires, *scheme.uses) if name not in frame.columns]
        frame = frame.assign(**{name: column(name, len(frame), rng) for name in absent})
        frame = frame.assign(**{scheme.name: scheme.assign(frame), **scheme.details(frame)})
    return frame


@pytest.fixture
def features(labelled: pd.DataFrame) -> pd.DataFrame:
    """Return a copy that a test may change."""
    return labelled.copy()


class Size(Scheme):
    """The smallest scheme there can be."""

    column = "size"
    title = "Size"
    question = "How large is the company?"
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
    needed = [name for name in scheme.requires if name != "as_of"]
    features = features.astype(dict.fromkeys(needed, "object"))
    features.loc[3, needed] = None
    features = features.infer_objects()
    labels = scheme.assign(features)
    declared = scheme.declared(scheme.known(features))
    assert labels.index.equals(features.index)
    assert labels.name == scheme.name
    assert labels.cat.ordered
    assert list(labels.cat.categories) == [*declared, NOT_ENOUGH_DATA]
    assert labels.notna().all()
    assert (labels[3] == NOT_ENOUGH_DATA) == bool(needed)


@each_scheme
def test_every_label_has_its_rule_in_words(scheme: Scheme, features: pd.DataFrame) -> None:
    rules = scheme.declared(scheme.known(features))
    if scheme.labels:
        assert tuple(rules) == tuple(scheme.rules()) == scheme.labels
    assert all(rules.values())
    assert all("{" not in rule for rule in rules.values())
    assert NOT_ENOUGH_DATA not in rules
    assert scheme.title
    assert scheme.question.endswith("?")


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


@each_scheme
def test_nobody_gets_no_label(scheme: Scheme, features: pd.DataFrame) -> None:
    assert scheme.assign(features.iloc[:0]).tolist() == []


class Channel(FromData):
    """The smallest scheme whose labels come from the data."""

    column = "way"
    title = "Way"
    question = "How do they buy?"
    source = "channel"
    at_most: int = 2


def test_labels_from_data_are_the_most_frequent_values_then_by_name(table: Callable[..., pd.DataFrame]) -> None:
    features = table(channel=["web", "fax", "web", "phone", "post", "fax", None])
    scheme = Channel()
    assert scheme.assign(features).tolist() == ["web", "fax", "web", "other", "other", "fax", NOT_ENOUGH_DATA]
    assert list(scheme.declared(scheme.known(features))) == ["fax", "web", "other"]


def test_the_names_of_schemes_are_distinct() -> None:
    assert len({scheme.name for scheme in ALL}) == len(ALL)


def test_a_scheme_takes_its_defaults_without_a_configuration() -> None:
    assert Lifecycle().rules() == ALL[0].rules()
