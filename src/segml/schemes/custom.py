"""Custom schemes: labels and the conditions behind them, written in the configuration."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import AfterValidator, Field, model_validator

from segml.language import _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.expression import Expression
from segml.schemes.named import Named, NamedSection
from segml.schemes.scheme import Labels, Rules, check_snapshot

LABEL_LENGTH = 60


def _checked_label(label: str) -> str:
    if not label.strip() or label != label.strip() or len(label) > LABEL_LENGTH or not label.isprintable():
        raise ValueError(f"the label {label!r} must be one line of 1 to {LABEL_LENGTH} characters, no blanks around it")
    if label == NOT_ENOUGH_DATA:
        raise ValueError(f"the label {label!r} is given where a rule rests on an unknown value; choose another")
    return label


def _checked_rule(text: str) -> str:
    return Expression(text).text


Label = Annotated[str, AfterValidator(_checked_label)]
Rule = Annotated[str, AfterValidator(_checked_rule)]


class CustomRules(NamedSection):
    """Labels in order, each with its condition (see ``Expression``); the first that holds wins."""

    rules: Annotated[dict[Label, Rule], Field(min_length=1)]
    otherwise: Label

    @model_validator(mode="after")
    def _otherwise_is_a_label_of_its_own(self) -> CustomRules:
        if self.otherwise in self.rules:
            raise ValueError(f"otherwise is {self.otherwise!r}, which has a rule already; choose another label")
        return self


class Custom(Named):
    """A scheme of named conditions over features and labels.

    A customer gets the label of the first rule that is true. Where a rule before it is unknown, nobody can tell which
    of the two it should be: "not enough data".

    >>> size = CustomRules(rules={"large": "employees >= 250", "small": "employees < 15"}, otherwise="medium")
    >>> Custom(key="size", given=size).assign(pd.DataFrame({"employees": [300, 100, np.nan]})).tolist()
    ['large', 'medium', 'not enough data']
    """

    judges_unknown = True

    given: CustomRules

    @property
    def labels(self) -> tuple[str, ...]:  # type: ignore[override]
        """The labels of the rules in order, the one of everyone else last."""
        return (*self.given.rules, self.given.otherwise)

    @property
    def requires(self) -> tuple[str, ...]:
        """The names in the rules; single values may be unknown."""
        return tuple(dict.fromkeys(name for rule in self._conditions() for name in rule.names))

    def known(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return all customers, numbered by their place: the rules decide what an unknown value means.

        Raises
        ------
        DataError : a name is not a column, customers repeated, or more than one as-of date
        """
        check_snapshot(features, (), f"scheme {self.name!r}")
        for condition in self._conditions():
            condition.check_names(features.columns)
        return features.reset_index(drop=True)

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the label of the first rule that is true, if none before it is unknown."""
        truths = [condition.evaluate(known) for condition in self._conditions()]
        conditions = [mask.to_numpy() for truth in truths for mask in (truth.isna(), truth.fillna(False).astype(bool))]
        choices = [choice for label in self.given.rules for choice in (NOT_ENOUGH_DATA, label)]
        return np.select(conditions, choices, self.given.otherwise).astype(object)

    def rules(self) -> Rules:
        """Return the conditions as they are written."""
        return {**self.given.rules, self.given.otherwise: _("everyone else")}

    def _conditions(self) -> list[Expression]:
        return [Expression(rule) for rule in self.given.rules.values()]
