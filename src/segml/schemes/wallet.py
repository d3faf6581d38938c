"""Share of wallet and growth potential: what a customer could spend, against what it does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from segml.language import N_, _
from segml.schema import NOT_ENOUGH_DATA
from segml.schemes.cuts import told
from segml.schemes.detail import beside
from segml.schemes.scheme import Labels, Rules, Scheme, first_match
from segml.settings import Positive, PositiveFloat, Share


def wallet_share(known: pd.DataFrame) -> pd.Series[float]:
    """Return revenue of the last 365 days over the potential of a year; NaN where no potential above 0 is known.

    >>> wallet_share(pd.DataFrame({"revenue_365d": [30.0, 30.0], "potential": [100.0, 0.0]})).tolist()
    [0.3, nan]
    """
    potential = known["potential"].astype("float64")
    share: pd.Series[float] = known["revenue_365d"] / potential.where(potential > 0)
    return share


class ShareOfWallet(Scheme):
    """Customers by revenue over potential; a share on a line belongs to the higher class."""

    column = "share_of_wallet"
    title = N_("Share of wallet")
    question = N_("How much of what a customer could spend with us does it spend?")
    labels = ("high", "medium", "low")

    medium_from: Share = 0.3
    high_from: Share = 0.7

    @model_validator(mode="after")
    def _ordered(self) -> ShareOfWallet:
        if self.medium_from >= self.high_from:
            raise ValueError(f"medium_from ({self.medium_from}) must lie below high_from ({self.high_from})")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue and potential of a year."""
        return ("revenue_365d", "potential")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the class of each customer; a potential of 0 and less tells nothing."""
        share = wallet_share(known)
        classes = {NOT_ENOUGH_DATA: share.isna(), "high": share >= self.high_from, "medium": share >= self.medium_from}
        return first_match(classes, otherwise="low")

    def details(self, features: pd.DataFrame) -> dict[str, pd.Series[Any]]:
        """Return ``wallet_share``: 0 to 1, and above where the potential is underrated."""
        known = self.known(features)
        return {"wallet_share": beside(features, known, wallet_share(known))}

    def rules(self) -> Rules:
        """Return the classes in words."""
        told = {
            "high": _("revenue of the last 365 days is {high:.0%} of the potential and more"),
            "medium": _("from {medium:.0%} to below {high:.0%}"),
            "low": _("below {medium:.0%}"),
        }
        return {label: text.format(high=self.high_from, medium=self.medium_from) for label, text in told.items()}


class GrowthPotential(Scheme):
    """Who could spend more: the share of wallet, and what similar companies spend.

    Peers are the customers with revenue in the last 365 days of the same industry and company size; of the same
    industry, or all, where fewer than ``min_peers`` are. They spend more where their median lies above the customer's
    own revenue.

    Where the potential is unknown, peers tell alone, and have to say it louder: their median must be ``alone_multiple``
    times the customer's revenue. Without revenue and without a potential nothing can be told.

    Where ``peer_revenue`` is given, the medians of peers are known: by industry and within it by company size
    (``peer_revenue_by_size``), else by industry, else the one of all.
    """

    column = "growth_potential"
    title = N_("Growth potential")
    question = N_("Who could buy more, by the own budget and by what similar companies buy?")
    labels = ("high", "medium", "low")
    learns = ("peer_revenue",)

    low_share_below: Share = 0.3
    high_share_from: Share = 0.7
    min_peers: Positive = 10
    alone_multiple: PositiveFloat = 2.0
    peer_revenue: PositiveFloat | None = None
    peer_revenue_by_industry: dict[str, PositiveFloat] = Field(default_factory=dict)
    peer_revenue_by_size: dict[str, dict[str, PositiveFloat]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered(self) -> GrowthPotential:
        if self.low_share_below >= self.high_share_from:
            raise ValueError(
                f"low_share_below ({self.low_share_below}) must lie below high_share_from ({self.high_share_from})"
            )
        return self

    @model_validator(mode="after")
    def _medians_have_one_of_all(self) -> GrowthPotential:
        if self.peer_revenue is None and (self.peer_revenue_by_industry or self.peer_revenue_by_size):
            raise ValueError("medians by industry or size need peer_revenue, which serves everybody else; give it too")
        return self

    @property
    def requires(self) -> tuple[str, ...]:
        """Revenue of a year."""
        return ("revenue_365d",)

    @property
    def uses(self) -> tuple[str, ...]:
        """The potential, and what makes companies similar."""
        return ("potential", "industry", "company_size")

    def label(self, known: pd.DataFrame) -> Labels:
        """Return the potential of each customer."""
        revenue, share, peers = known["revenue_365d"], wallet_share(known), self.peer_median(known)
        is_alone, spend_more = share.isna(), peers > revenue
        is_low = share < self.low_share_below
        conditions = {
            NOT_ENOUGH_DATA: is_alone & (revenue <= 0),
            "high": np.where(is_alone, spend_more & (peers >= self.alone_multiple * revenue), is_low & spend_more),
            "medium": np.where(is_alone, spend_more, is_low | (spend_more & (share < self.high_share_from))),
        }
        return first_match(conditions, otherwise="low")

    def peer_median(self, known: pd.DataFrame) -> pd.Series[float]:
        """Return the median revenue of each customer's peers, itself among them; NaN where nobody has revenue."""
        by_size, by_industry, of_all = self._medians(known)
        alike = zip(_named(known["industry"]), _named(known["company_size"]), strict=True)
        medians = [by_size.get((industry, size), by_industry.get(industry, of_all)) for industry, size in alike]
        return pd.Series(medians, index=known.index, dtype="float64")

    def learn(self, known: pd.DataFrame) -> dict[str, Any]:
        """Return the median revenues of peers: of all, by industry, by industry and size."""
        by_size, by_industry, of_all = self._medians(known)
        if np.isnan(of_all):
            return {}
        nested: dict[str, dict[str, float]] = {}
        for (industry, size), median in by_size.items():
            nested.setdefault(industry, {})[size] = median
        return {"peer_revenue": of_all, "peer_revenue_by_industry": by_industry, "peer_revenue_by_size": nested}

    def _medians(self, known: pd.DataFrame) -> tuple[dict[tuple[str, str], float], dict[str, float], float]:
        """Return median revenues by industry and size, by industry, and of all (NaN where nobody has revenue)."""
        if self.peer_revenue is not None:
            given = self.peer_revenue_by_size.items()
            by_size = {(industry, size): median for industry, sizes in given for size, median in sizes.items()}
            return by_size, dict(self.peer_revenue_by_industry), self.peer_revenue
        spent = known["revenue_365d"].where(known["revenue_365d"] > 0)
        industry, size = _named(known["industry"]), _named(known["company_size"])
        return self._by(spent, [industry, size]), self._by(spent, [industry]), float(spent.median())

    def _by(self, spent: pd.Series[float], keys: list[pd.Series[Any]]) -> dict[Any, float]:
        """Return the median by group, of groups of enough peers."""
        groups = spent.groupby(keys if len(keys) > 1 else keys[0])
        medians: dict[Any, float] = groups.median()[groups.count() >= self.min_peers].to_dict()
        return medians

    def rules(self) -> Rules:
        """Return the classes in words."""
        classes = {
            "high": _(
                "revenue below {low:.0%} of the potential, and similar companies spend more; potential unknown: "
                "similar companies spend {multiple:g} times as much and more"
            ),
            "medium": _(
                "revenue below {low:.0%} of the potential, or similar companies spend more and it is below "
                "{high:.0%}; potential unknown: similar companies spend more"
            ),
            "low": _("neither"),
        }
        figures = {"low": self.low_share_below, "high": self.high_share_from, "multiple": self.alone_multiple}
        rules = {label: text.format(**figures) for label, text in classes.items()}
        return {**rules, "high": "; ".join([rules["high"], *self._told_medians()])}

    def _told_medians(self) -> list[str]:
        if self.peer_revenue is None:
            return []
        text = _("similar companies' median is {all}, or that of the industry ({n}) and size ({m}) where it is given")
        figures = {"n": len(self.peer_revenue_by_industry), "m": sum(map(len, self.peer_revenue_by_size.values()))}
        return [text.format(all=told(self.peer_revenue), **figures)]


def _named(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return text to group by; what is unknown belongs to no group."""
    named = values.astype("object")
    is_known = named.notna() & (named != NOT_ENOUGH_DATA)
    return named.astype("str").astype("object").where(is_known, None)
