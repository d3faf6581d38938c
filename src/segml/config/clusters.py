"""Sections that tell how segments are found: by which clusterer, on which features, and how many there may be."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from segml.settings import Positive, PositiveFloat, Section, Share

Clusterer = Literal["kmeans", "hdbscan"]
MOST_CATEGORIES = 3
LEAST_CLUSTER = 5
"""Customers a segment, at the least, where the number or size of segments follows from that of customers."""


class _Inputs(Section):
    """What a clusterer reads, and how it is scaled: power, z-score, clip.

    ``weights: revenue`` weighs each feature by its past rank correlation with later revenue, where history reaches
    back for it.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)]  # columns that are read
    categories: Annotated[tuple[str, ...], Field(max_length=MOST_CATEGORIES)] = ()  # described columns beside them
    power: Literal["log", "yeo-johnson"] = "log"  # before the z-score
    clip: PositiveFloat = 3.0  # in standard deviations
    weights: Literal["none", "revenue"] = "revenue"

    @model_validator(mode="after")
    def _each_column_is_named_once(self) -> Self:
        names = (*self.features, *self.categories)
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"features and categories name {twice} more than once; keep one of each")
        return self


class KMeansConfig(_Inputs):
    """KMeans; where ``k`` is null, it is chosen from ``least_k`` to ``most_k``.

    Of ten lists of features these six tell most of the next quarter's revenue over three logs, and come back best under
    resampling and a quarter later; see ``experiments/2026-11-clusters``.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "revenue_365d",
        "order_count_365d",
        "order_count_180d",
        "recency_days",
        "active_month_share",
        "gap_shrunk_days",
    )
    kind: ClassVar[Clusterer] = "kmeans"
    k: Annotated[int, Field(ge=2, le=50)] | None = None  # number of segments; null: chosen
    least_k: Annotated[int, Field(ge=2, le=50)] = 2  # that is tried
    most_k: Annotated[int, Field(ge=2, le=50)] = 10  # that is tried
    n_init: Positive = 10  # starts

    @model_validator(mode="after")
    def _range_of_k_rises(self) -> Self:
        if self.least_k > self.most_k:
            raise ValueError(f"least_k = {self.least_k} is above most_k = {self.most_k}; swap them")
        return self

    def sizes(self, customers: int) -> tuple[int, ...]:
        """Return the numbers of segments to try on so many customers."""
        if self.k is not None:
            return (self.k,)
        most = max(self.least_k, min(self.most_k, customers // LEAST_CLUSTER))
        return tuple(range(self.least_k, most + 1))


class HdbscanConfig(_Inputs):
    """HDBSCAN on few features; where ``min_cluster_size`` is null, it is chosen among ``shares`` of the customers.

    No whole numbers among the features, nor two that make one together (revenue and value of an order make orders):
    each of their values would be a dense group. Customers who bought on one day only are set apart by rule, or they
    would be the densest group there is. Of more than ``sample_size`` customers a sample is fitted. On no features does
    it tell as much of real logs as KMeans; see ``experiments/2026-11-clusters``.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1, max_length=6)] = ("revenue_365d", "recency_days")
    weights: Literal["none", "revenue"] = "none"
    kind: ClassVar[Clusterer] = "hdbscan"
    min_cluster_size: Annotated[int, Field(ge=2)] | None = None  # null: chosen among shares
    shares: Annotated[tuple[Share, ...], Field(min_length=1)] = (0.01, 0.015, 0.02, 0.03, 0.05, 0.08)
    min_samples: Positive = 10  # neighbours that make a point dense
    sample_size: Positive = 20_000  # customers fitted at the most

    def sizes(self, customers: int) -> tuple[int, ...]:
        """Return the sizes of the smallest cluster to try on so many customers, counted among those fitted."""
        if self.min_cluster_size is not None:
            return (self.min_cluster_size,)
        fitted = min(customers, self.sample_size)
        return tuple(sorted({max(LEAST_CLUSTER, round(share * fitted)) for share in self.shares}))


class ClustersConfig(Section):
    """Found segments: ``kind`` labels the customers; all of ``candidates`` are measured and compared.

    ``bootstrap`` customers are drawn anew so many times to see which segments come back (0: not measured);
    ``min_share`` of the customers is the least that a segment of the chosen clustering holds.
    """

    kind: Clusterer = "kmeans"  # labels the customers
    candidates: tuple[Clusterer, ...] = ("kmeans", "hdbscan")  # measured and compared
    kmeans: KMeansConfig = KMeansConfig()
    hdbscan: HdbscanConfig = HdbscanConfig()
    bootstrap: Annotated[int, Field(ge=0)] = 20  # samples; 0: not measured
    min_share: Share = 0.02  # of the customers, in the smallest segment

    @model_validator(mode="after")
    def _samples_have_another_to_agree_with(self) -> Self:
        if self.bootstrap == 1:
            raise ValueError("bootstrap = 1 leaves no other sample to agree with; set 2 or more, or 0 to leave it out")
        return self

    @property
    def chosen(self) -> KMeansConfig | HdbscanConfig:
        """The section of the clusterer that labels the customers."""
        section: KMeansConfig | HdbscanConfig = getattr(self, self.kind)
        return section

    @property
    def compared(self) -> tuple[KMeansConfig | HdbscanConfig, ...]:
        """The sections of all clusterers to measure, the one that labels the customers first."""
        others = (name for name in dict.fromkeys(self.candidates) if name != self.kind)
        return (self.chosen, *(getattr(self, name) for name in others))
