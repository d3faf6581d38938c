"""Which candidate to take: reproducible, large enough, natural where there is nature, and telling the future best."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from segml.clusters.candidates import COLUMNS, KMEANS, RULE

Kind = Literal["natural", "reproducible", "constructed"]
"""Natural: segments stand apart. Reproducible: a continuum that is cut at the same places each time. Constructed: the
places depend on who was drawn. After S. Dolnicar, F. Leisch (2010), Evaluation of structure and reproducibility of
cluster solutions using the bootstrap, Marketing Letters 21."""


@dataclass(frozen=True)
class Thresholds:
    """What a candidate has to reach.

    Set on some seeds of ``experiments/2026-11-clusters/how_many.py`` and confirmed on others. There, any valley from
    0.25 to 0.4, agreement from 0.8 to 0.95 and strength from 0.5 to 0.7 is within one of the truth equally often.

    Attributes
    ----------
    agreement : least mean adjusted Rand index of the clusterings of two samples
    jaccard : least mean likeness of the worst segment to itself in a sample
    strength : least prediction strength
    valley : least depth of the shallowest valley between two segments, for a natural division
    share : least share of all customers in the smallest segment
    noise : most customers that no segment takes
    lead : standard errors by which a division that is only reproducible has to tell more than the best natural one
    """

    agreement: float = 0.9
    jaccard: float = 0.75
    strength: float = 0.7
    valley: float = 0.35
    share: float = 0.02
    noise: float = 0.3
    lead: float = 3.0


@dataclass(frozen=True)
class Verdict:
    """The candidates by what they reached, each a part of the one before; rows of the table.

    Attributes
    ----------
    measured : divisions into at least two segments
    fitting : large enough, with little noise
    reproducible : coming back in each sample
    natural : whose segments stand apart
    """

    measured: pd.DataFrame
    fitting: pd.DataFrame
    reproducible: pd.DataFrame
    natural: pd.DataFrame

    @property
    def is_resampled(self) -> bool:
        """Whether it is known of any which segments come back; if not, none can count as reproducible."""
        return bool(self.measured["agreement"].notna().any())

    @property
    def kind(self) -> Kind:
        """What the best of them are."""
        if len(self.natural):
            return "natural"
        return "reproducible" if len(self.reproducible) else "constructed"

    @property
    def strictest(self) -> pd.DataFrame:
        """The strictest class that is not empty; all, where none fits."""
        classes = (self.natural, self.reproducible, self.fitting)
        return next((rows for rows in classes if len(rows)), self.measured)


@dataclass(frozen=True)
class Choice:
    """The candidate to take.

    Attributes
    ----------
    candidate : its row of the table
    kind : what the candidate is
    verdict : all candidates by what they reached
    by_prediction : whether what they tell of the next period decided
    thresholds : what had to be reached
    rules : rows of simple rules
    """

    candidate: pd.Series
    kind: Kind
    verdict: Verdict
    by_prediction: bool
    thresholds: Thresholds = field(default_factory=Thresholds)
    rules: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def name(self) -> str:
        """The candidate, as the table calls it."""
        return str(self.candidate["candidate"])

    @property
    def is_natural(self) -> bool:
        """Whether the segments are natural clusters; else they are a convenience."""
        return self.kind == "natural"


def choose(table: pd.DataFrame, thresholds: Thresholds | None = None, *, fallback: int = 5) -> Choice:
    """Return the candidate to take, and why.

    Among the natural candidates, else the reproducible: the finest of those that tell about as much of the next period
    as the best one (within one standard error), for detail that comes back costs nothing; where that was not measured,
    the finest. A reproducible one that tells clearly more of the next period than the best natural one is preferred to
    it: few and coarse groups may be all that nature has. Where none is reproducible, nothing bounds their number: of
    those with large enough segments the simplest within one standard error of the best, or else the one nearest to
    ``fallback`` segments. The silhouette never decides.

    Parameters
    ----------
    table : of ``candidates.measure``, with rows of rules or without
    thresholds : what a candidate has to reach
    fallback : number of segments where nothing else says one

    Raises
    ------
    ValueError : columns missing, or no candidate with two segments
    """
    _check(table)
    table = table.reset_index(drop=True)
    limits = thresholds or Thresholds()
    is_rule = table["algorithm"] == RULE
    verdict = judge(table[~is_rule], limits)
    by_prediction = bool(verdict.strictest["next_period_eta2"].notna().any())
    best = _best(verdict, by_prediction, fallback)
    rivals = _far_ahead(verdict, best, limits.lead)
    if len(rivals):
        return Choice(_finest(_about_best(rivals)), "reproducible", verdict, True, limits, table[is_rule])
    return Choice(best, verdict.kind, verdict, by_prediction, limits, table[is_rule])


def judge(candidates: pd.DataFrame, limits: Thresholds) -> Verdict:
    """Return the candidates by what they reached."""
    measured = _distinct(candidates[candidates["n_segments"] >= 2])
    is_fitting = (measured["smallest_share"] >= limits.share) & (measured["noise_share"] <= limits.noise)
    fitting = measured[is_fitting]
    comes_back = (fitting["agreement"] >= limits.agreement) & (fitting["min_jaccard"] >= limits.jaccard)
    reproducible = fitting[comes_back & (fitting["prediction_strength"] >= limits.strength)]
    # One group is a rival too: where the gap knows the candidate, its segments must be tighter than that.
    loose = reproducible["gap"] <= reproducible["gap_at_one"] + reproducible["gap_error"]
    natural = reproducible[(reproducible["min_valley"] >= limits.valley) & ~loose]
    return Verdict(measured, fitting, reproducible, natural)


def _distinct(candidates: pd.DataFrame) -> pd.DataFrame:
    """Return each division once: KMeans finds fewer segments than k where customers have no more different profiles."""
    key = candidates[["algorithm", "size", "n_segments"]]
    key = key.assign(size=key["size"].where(key["algorithm"] != KMEANS, key["n_segments"]))
    return candidates.loc[~key.duplicated()]


def _far_ahead(verdict: Verdict, best: pd.Series, lead: float) -> pd.DataFrame:
    rows = verdict.reproducible
    ahead = rows["next_period_eta2"] - float(best["next_period_eta2"])
    return rows.loc[ahead > lead * rows["next_period_error"]]


def _best(verdict: Verdict, by_prediction: bool, fallback: int) -> pd.Series:
    rows = verdict.strictest
    if verdict.kind != "constructed":
        return _finest(_about_best(rows) if by_prediction else rows)
    if by_prediction:
        rows = _about_best(rows)
        return _first(rows, rows["n_segments"])
    return _first(rows, (rows["n_segments"] - fallback).abs())


def _finest(rows: pd.DataFrame) -> pd.Series:
    return _first(rows, -rows["n_segments"])


def _about_best(rows: pd.DataFrame) -> pd.DataFrame:
    best = _first(rows, -rows["next_period_eta2"])
    error = 0.0 if pd.isna(best["next_period_error"]) else float(best["next_period_error"])
    return rows.loc[rows["next_period_eta2"] >= float(best["next_period_eta2"]) - error]


def _first(rows: pd.DataFrame, least: pd.Series) -> pd.Series:
    """Return the row with the least figure; of equals the one with the fewest segments, then the first."""
    order = pd.DataFrame({"least": least.to_numpy(), "segments": rows["n_segments"].to_numpy()})
    return rows.iloc[int(order.sort_values(["least", "segments"], kind="stable").index[0])]


def _check(table: pd.DataFrame) -> None:
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ValueError(f"the table of candidates lacks {missing}; make it with segml.clusters.candidates.measure")
    if not ((table["algorithm"] != RULE) & (table["n_segments"] >= 2)).any():
        raise ValueError(
            "no candidate has two segments or more: the customers are alike in every feature, or the sizes do not fit"
        )
