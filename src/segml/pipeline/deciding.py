"""From features at one as-of date to decisions, by what was learnt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import pandas as pd

from segml import features, monitor
from segml.actions import assemble
from segml.churn import (
    ConformalCalls,
    RiskModel,
    assess,
    scored_mask,
)
from segml.config import Config, MonitorConfig
from segml.display import Displayed
from segml.language import speaking
from segml.pipeline.prepared import Prepared
from segml.schema import DataError
from segml.segments import (
    ClusterModel,
    RuleLabels,
    assign_rules,
    label_segments,
)


@dataclass(frozen=True, repr=False)
class Scorer(Displayed):
    """All that scoring needs: what was learnt (None where there was too little), and under which configuration.

    ``calls`` tell will from safe; None where they are not asked for.
    """

    config: Config
    risk: RiskModel | None
    clusters: ClusterModel | None
    trained_at: pd.Timestamp
    calls: ConformalCalls | None = None

    def __repr__(self) -> str:
        return f"Scorer(trained as of {self.trained_at.date()}, {self.config.horizon_days} days ahead)"

    def recalibrated(self, table: pd.DataFrame, config: MonitorConfig | None = None) -> Scorer:
        """Return a copy whose probabilities are moved towards the rates of matured scores of its own.

        Ranking, and who is called will, uncertain or safe, stay; see ``monitor.recalibrated``.

        Parameters
        ----------
        table : matured scores of this model, such as ``Refresh.watch.matured.table``
        config : default that of the model
        """
        if self.risk is None:
            return self
        rule = config if config is not None else self.config.monitor
        calls = self.calls.moved(monitor.level_errors(table, rule)) if self.calls is not None else None
        return replace(self, risk=monitor.recalibrated(self.risk, table, rule), calls=calls)

    def score(self, data: Prepared | HasPrepared) -> pd.DataFrame:
        """Return the decisions about the customers of a data set, or of prepared lines; one row a customer.

        Raises
        ------
        DataError : something else is given
        """
        prepared = getattr(data, "prepared", data)
        if not isinstance(prepared, Prepared):
            raise DataError(
                f"a model scores what segml.prepare returns; found {type(data).__name__}: call "
                "segml.prepare(transactions) first"
            )
        return score(prepared, self).decisions


class HasPrepared(Protocol):
    """Lines that were prepared, and more: a data set, as ``segml.prepare`` returns it, or a training."""

    @property
    def prepared(self) -> Prepared:
        """The lines."""


@dataclass(frozen=True)
class Decided:
    """Decisions at one as-of date, with what they rest on.

    Attributes
    ----------
    features : one row a customer: features, and the described columns
    decisions : one row a customer
    labels : the schemes behind the labels, their rules in words, and which are off
    """

    features: pd.DataFrame
    decisions: pd.DataFrame
    labels: RuleLabels


def score(prepared: Prepared, scorer: Scorer, *, is_strict: bool = True) -> Decided:
    """Return decisions at ``prepared.as_of`` by a trained scorer.

    Parameters
    ----------
    is_strict : False leaves out schemes that the configuration asks for, but whose tables are not at hand
    """
    with speaking(scorer.config.report.language):
        now = features.build(prepared.lines, prepared.as_of, scorer.config.features)
        return decide(now, prepared, scorer, is_strict=is_strict)


def decide(now: pd.DataFrame, prepared: Prepared, scorer: Scorer, *, is_strict: bool = True) -> Decided:
    """Return the decisions about the customers whose features at one as-of date are given."""
    return judge(described(now, prepared, scorer.config), scorer, is_strict=is_strict)


def judge(base: pd.DataFrame, scorer: Scorer, *, is_strict: bool = True) -> Decided:
    """Return the decisions about a base: features at one as-of date, and the described columns beside them."""
    config = scorer.config
    risk = _risk(base, config.segments.lifecycle.assign(base).astype("str"), scorer)
    scores = {name: risk[name] for name in ("p_churn", "p_stagnation")}
    labels = assign_rules(base.assign(**scores), config.segments, is_strict=is_strict)
    decisions = assemble(
        base,
        labels.table.merge(label_segments(base, scorer.clusters), on="customer_id", validate="1:1"),
        risk,
        horizon_days=config.horizon_days,
        config=config.actions,
        lifecycle=config.segments.lifecycle,
    )
    return Decided(base, decisions, labels)


def described(now: pd.DataFrame, prepared: Prepared, config: Config) -> pd.DataFrame:
    """Return the features with the described columns beside them."""
    cards = prepared.customers.customers if prepared.customers is not None else None
    return features.describe(prepared.lines, now, customers=cards, **prepared.extra, xyz=config.segments.xyz)


def _risk(base: pd.DataFrame, lifecycle: pd.Series[str], scorer: Scorer) -> pd.DataFrame:
    """Return the scores, bands, reasons and calls of each customer, on the index of the features."""
    churn, alarm_from = scorer.config.churn, scorer.config.actions.min_p_stagnation
    scored = scored_mask(lifecycle, base["purchase_day_count"], churn)
    risk = assess(scorer.risk, base, lifecycle, scored, churn, alarm_from=alarm_from)
    return risk if scorer.calls is None else risk.join(scorer.calls.predict(risk))
