"""Will the segments be there next time? What one horizon did to customers, and to the model that groups them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from segml.clusters import KMeansSegments, Movement, Refit, movement, refit
from segml.language import _
from segml.segments.found import ClusterModel
from segml.segments.past import Earlier

MIN_SEGMENTS = 2
"""Fewer are no segments."""


@dataclass(frozen=True)
class Continuity:
    """The same way to cluster, learnt one horizon ago, against the customers of today.

    Attributes
    ----------
    names : of the frozen model's segments, by number
    moved : customers between the segments of the frozen model: the customers changed
    refitted : that model brought up to date from its previous centres: the model changed; None but for KMeans
    updates : ``before, after, customers``: customers of today by their segment (name) of the frozen model and of the
        refitted one; no rows without a refit
    """

    names: Mapping[int, str]
    moved: Movement
    refitted: Refit | None
    updates: pd.DataFrame

    @property
    def migration(self) -> pd.DataFrame:
        """``from, to`` (names; null for customers who were not there then, or are not now), ``customers``, …"""
        flows = self.moved.migration
        return flows.assign(**{end: flows[end].map(self.names) for end in ("from", "to")})

    @property
    def metrics(self) -> dict[str, float]:
        """Share of customers that kept their segment, and agreement of the model with its refit."""
        kept = self.moved.share_kept
        told = {} if math.isnan(kept) else {"segments/kept_share": kept}
        if self.refitted is None:
            return told
        return {**told, "segments/refit_agreement": self.refitted.agreement.ari}

    @property
    def remark(self) -> str:
        """Both in words."""
        if math.isnan(self.moved.share_kept):
            kept = _("None of today's customers was there one horizon ago.")
        else:
            text = _("Over the last horizon {share:.0%} of customers kept their segment (the customers changed).")
            kept = text.format(share=self.moved.share_kept)
        if self.refitted is None:
            return kept
        again = _(
            "The model of one horizon ago, brought up to date, gives {share:.0%} of today's customers the same segment "
            "as it did before (the model changed; adjusted Rand index {ari:.2f})."
        )
        agreement = self.refitted.agreement
        return f"{kept} {again.format(share=agreement.share, ari=agreement.ari)}"


def continuity(way: ClusterModel, before: Earlier, customers: pd.DataFrame) -> Continuity | None:
    """Return what one horizon did; None where the way finds no segments one horizon ago.

    Parameters
    ----------
    way : unfitted
    before : the base one horizon before the as-of date
    customers : the base at the as-of date
    """
    frozen = way.fit(before.features)
    if frozen.n_clusters_ < MIN_SEGMENTS:
        return None
    frozen = frozen.describe(before.features)
    names = dict(zip(frozen.numbers_, frozen.segment_names_, strict=True))
    inputs, clusterer = frozen.inputs(customers), frozen.clusterer_
    refitted = refit(clusterer, inputs) if isinstance(clusterer, KMeansSegments) else None
    updates = _updates(clusterer.predict(inputs), refitted.model.labels_, names) if refitted else _updates([], [], {})
    return Continuity(names, movement(frozen, before.features, customers), refitted, updates)


def _updates(before: ArrayLike, after: ArrayLike, names: Mapping[int, str]) -> pd.DataFrame:
    labels = pd.DataFrame({"before": np.asarray(before), "after": np.asarray(after)})
    named = pd.DataFrame({end: labels[end].add(1).map(names).astype("str") for end in labels})
    return pd.DataFrame(named.groupby(["before", "after"]).size().rename("customers").reset_index())
