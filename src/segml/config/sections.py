"""The whole configuration: one frozen, typed tree in which every key has a default."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from segml.config.campaign import CampaignConfig
from segml.config.clusters import ClustersConfig
from segml.config.crm import CrmConfig
from segml.config.cross_sell import CrossSellConfig
from segml.config.data import DataConfig
from segml.config.engine import EngineConfig
from segml.config.key_accounts import KeyAccountsConfig
from segml.config.monitor import MonitorConfig
from segml.config.refresh import RefreshConfig
from segml.config.tasks import TasksConfig
from segml.language import N_, Language
from segml.schema import did_you_mean
from segml.schemes import (
    Abc,
    Abcdx,
    AbcXyz,
    BuyingSeason,
    Cohort,
    CompanySize,
    Custom,
    CustomRules,
    Engagement,
    Geography,
    GrowthPotential,
    Health,
    IndustryGroup,
    Lifecycle,
    Need,
    Nested,
    NestedLevels,
    OrderPattern,
    PriceBehaviour,
    ProductUse,
    Renewal,
    Rfm,
    RfmActivity,
    SalesChannel,
    Scheme,
    ShareOfWallet,
    Stage,
    SupplyRole,
    Tier,
    Value,
    Xyz,
)
from segml.schemes.named import ColumnName, check_order
from segml.settings import Positive, PositiveFloat, Section, Share, require_extra


class DemoConfig(Section):
    """Size and seed of the simulated demo data; ``end`` is the first day after them."""

    customers: Positive = 2000  # companies
    days: Annotated[int, Field(ge=1, le=20_000)] = 1096  # length of the log
    end: date = date(2026, 1, 1)
    seed: Annotated[int, Field(ge=0)] = 7  # another one makes another world
    companions: Annotated[int, Field(ge=0, le=200)] = 0  # pairs of articles that are planted to go together

    @model_validator(mode="after")
    def _within_living_memory(self) -> DemoConfig:
        first = date.fromordinal(max(self.end.toordinal() - self.days, 1))
        if first < date(1990, 1, 1) or self.end > date(2090, 1, 1):
            raise ValueError(
                f"the demo data would run from {first} to {self.end}; choose days and end so that they lie within "
                "1990-01-01 and 2090-01-01"
            )
        return self


class FeaturesConfig(Section):
    """Windows and shrinkage of the features."""

    windows_days: tuple[Positive, ...] = (30, 90, 180, 365)  # of revenue and orders
    run_rate_days: Positive = 365  # over which the run rate is taken
    min_exposure_days: Positive = 90  # of it, for newer customers
    gap_prior_orders: PositiveFloat = 3.0  # gaps of the base's mean length that every customer is lent
    intensity_half_life_days: PositiveFloat = 90.0  # after so long an order counts half

    @model_validator(mode="after")
    def _windows_hold_what_others_rest_on(self) -> FeaturesConfig:
        missing = {30, 90, 180, 365} - set(self.windows_days)
        if missing:
            raise ValueError(
                f"windows_days lacks {sorted(missing)}; scores and segments rest on 30, 90, 180 and 365: add windows, "
                "do not take these away"
            )
        return self

    @property
    def longest_days(self) -> int:
        """How far back the longest window of money and orders reaches."""
        return max(*self.windows_days, self.run_rate_days)


class GateConfig(Section):
    """When segments get a caution: stale data, short history, too many, too small or too alike segments."""

    stale_days: Positive = 31  # since the last line, for a caution
    min_history_days: Positive = 365  # between the first line and the as-of date
    max_segments: Positive = 8  # of a scheme that people are to remember
    min_segment_share: Share = 0.01  # of the customers
    min_segment_revenue_share: Share = 0.05  # of the revenue, if the segment is small
    dominant_share: Share = 0.95  # of the customers, in one segment
    max_criteria: Positive = 4  # that a scheme combines
    difference_p_value: Share = 0.05  # above it, segments count as alike


class SegmentsConfig(Section):
    """The rule-based schemes, in the order in which they are applied, and the clusters."""

    lifecycle: Lifecycle = Lifecycle()
    rfm: Rfm = Rfm()
    rfm_activity: RfmActivity = RfmActivity()
    abc: Abc = Abc()
    xyz: Xyz = Xyz()
    abc_xyz: AbcXyz = AbcXyz()
    tier: Tier = Tier()
    abcdx: Abcdx = Abcdx()
    value: Value = Value()
    share_of_wallet: ShareOfWallet = ShareOfWallet()
    company_size: CompanySize = CompanySize()
    growth_potential: GrowthPotential = GrowthPotential()  # reads company_size
    industry_group: IndustryGroup = IndustryGroup()
    geography: Geography = Geography()
    supply_role: SupplyRole = SupplyRole()
    product_use: ProductUse = ProductUse()
    need: Need = Need()
    engagement: Engagement = Engagement()
    price_behaviour: PriceBehaviour = PriceBehaviour()
    order_pattern: OrderPattern = OrderPattern()
    buying_season: BuyingSeason = BuyingSeason()
    sales_channel: SalesChannel = SalesChannel()
    health: Health = Health()
    renewal: Renewal = Renewal()  # reads health
    cohort: Cohort = Cohort()
    custom: dict[ColumnName, CustomRules] = Field(default_factory=dict)  # by the column of their labels, in order
    nested: dict[ColumnName, NestedLevels] = Field(default_factory=dict)  # likewise; applied last
    clusters: ClustersConfig = ClustersConfig()
    gate: GateConfig = GateConfig()
    playbook: str | None = None  # YAML of names and strategies of segments, over the built-in ones
    schemes: tuple[str, ...] | None = None  # beyond the core ones; null: all whose columns are there
    min_customers: Positive = 20  # below it, no scores and no found segments
    interval_resamples: Annotated[int, Field(ge=0)] = 200  # of intervals round the segments' figures; 0: none

    @model_validator(mode="after")
    def _own_schemes_fit_in(self) -> SegmentsConfig:
        check_order(self.own_schemes(), {*type(self).model_fields, *(scheme.name for scheme in self.built_in())})
        return self

    @model_validator(mode="after")
    def _asks_for_schemes_that_there_are(self) -> SegmentsConfig:
        known = [scheme.name for scheme in (*self.built_in(), *self.own_schemes())]
        for name in self.schemes or ():
            if name not in known:
                hint = did_you_mean(name, known) or f"; known: {', '.join(known)}"
                raise ValueError(f"schemes asks for {name!r}, which there is not{hint}")
        return self

    def built_in(self) -> tuple[Scheme, ...]:
        """Return the schemes that need no configuration, in the order in which they are applied."""
        declared = (getattr(self, name) for name in type(self).model_fields)
        return tuple(scheme for scheme in declared if isinstance(scheme, Scheme))

    def own_schemes(self) -> tuple[Scheme, ...]:
        """Return the schemes that the configuration makes up; they are applied after the built-in ones."""
        custom = (Custom(key=name, given=rules) for name, rules in self.custom.items())
        nested = (Nested(key=name, given=levels) for name, levels in self.nested.items())
        return (*custom, *nested)


class LabelsConfig(Section):
    """What counts as stagnation; ``season_adjusted``: against a run rate that moves with the whole base's revenue."""

    stagnation_drop: Annotated[float, Field(gt=0, lt=1)] = 0.5  # at most (1 − this) × run rate is stagnation
    season_adjusted: bool = False


class BoostingConfig(Section):
    """Regularised histogram gradient boosting; ``lightgbm`` comes with the extra of that name."""

    library: Literal["sklearn", "lightgbm"] = "sklearn"
    max_leaf_nodes: Annotated[int, Field(ge=2)] = 6  # of a tree
    learning_rate: PositiveFloat = 0.02  # of a tree's say
    max_iter: Positive = 400  # trees
    min_samples_leaf: Positive = 60  # rows in a leaf
    l2_regularization: Annotated[float, Field(ge=0)] = 10.0  # of the leaves' values
    max_features: Annotated[float, Field(gt=0, le=1)] = 0.35  # share of the features that each split may choose from

    @field_validator("library")
    @classmethod
    def _is_installed(cls, library: str) -> str:
        if library == "lightgbm":
            require_extra(library, extra=library)
        return library

    def packages(self) -> tuple[str, ...]:
        """Return the packages that the library takes beside those of every model."""
        return () if self.library == "sklearn" else (self.library,)


class ChurnConfig(Section):
    """Training snapshots, the model, risk bands.

    Below ``min_snapshots`` training dates, ``min_scored_customers`` to learn from or ``min_class_rows`` rows of the
    rarer outcome the scores come from Pareto/NBD. With less than ``season_min_days`` of history the level of risk
    is that of the latest training date, not of the season. ``model`` of churn: ``hazard`` learns the thirds of the
    horizon one by one and so from later dates than ``direct``, which learns the whole horizon at once. With
    ``conformal_error`` decisions call customers will, uncertain or safe; it is the largest share of those to whom it
    happens that may be called safe, and of the others that may be called will. ``prior_shift``: targets whose
    probabilities are moved by one constant in logits, so that at training their mean is the base rate of one year
    before. It is off because it was measured to hurt churn: on Online Retail II its calibration error rose from .064
    to .132 at one date and from .045 to .077 at the other (experiments/prior_shift_*.yaml). By stagnation alone the
    mean may stay above that rate, as stagnation is never less likely than churn.
    """

    model: Literal["hazard", "direct"] = "hazard"
    spacing_days: Positive = 30  # between training dates
    max_snapshots: Positive = 18  # the latest training dates
    min_snapshots: Positive = 4  # below it: Pareto/NBD
    min_history_days: Positive = 180  # before the first training date
    min_scored_customers: Positive = 50  # to learn from, at all dates
    min_class_rows: Positive = 20  # of the rarer outcome
    unscored_stages: tuple[Stage, ...] = ("new", "inactive")  # of the lifecycle: their rule tells enough
    min_purchase_days: Positive = 1  # of a scored customer
    boosting: BoostingConfig = BoostingConfig()
    logistic_c: PositiveFloat = 0.0005  # inverse strength of the ridge
    season_min_days: Positive = 365  # of history
    risk_bands: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.15, 0.35, 0.60)
    conformal_error: Annotated[float, Field(gt=0, lt=0.5)] | None = None  # null: no calls
    prior_shift: tuple[Literal["churn", "stagnation"], ...] = ()  # to the level of last year's season
    bootstrap: Annotated[int, Field(ge=0)] = 500  # redrawn customers for intervals; 0: none

    @model_validator(mode="after")
    def _bands_rise(self) -> ChurnConfig:
        if list(self.risk_bands) != sorted(set(self.risk_bands)) or len(self.risk_bands) != 3:
            raise ValueError(
                f"risk_bands must be three rising probabilities (low, medium, high, very high); found {self.risk_bands}"
            )
        return self


class BacktestConfig(Section):
    """As-of dates of the out-of-time evaluation; null: the last three dates one horizon apart."""

    as_of: tuple[date, ...] | None = None  # test dates
    dates: Positive = 3  # how many, where they are not named


class ActionsConfig(Section):
    """Thresholds of the actions; the call list takes at most ``call_list_share`` of the scored customers.

    Without ``contact_cost`` (money a contact costs) no profit is counted. ``success_rate`` is the share of the
    threatened money that a contact saves; ``margin_rate`` what is left of it after the cost of goods, null: all of it,
    unless the data tell margins. ``value`` is what revenue at risk is counted in.
    """

    call_list_share: Share = 0.10  # of the scored customers
    value: Literal["revenue", "margin"] = "revenue"  # what revenue at risk is counted in
    contact_cost: Annotated[float, Field(gt=0)] | None = None  # money
    success_rate: Share = 0.2  # of the threatened money that a contact saves
    margin_rate: Annotated[float, Field(gt=0, le=1)] | None = None  # of saved revenue, after the cost of goods
    silent_by: Literal["category", "region", "product_id"] = "category"  # what may go silent while a customer buys on
    silent_gaps: PositiveFloat = 3.0  # so many usual gaps without it
    min_p_stagnation: Share = 0.20  # of a call; a higher one hits more often and reaches less of the money lost
    write_min_p_stagnation: Share = 0.35  # of a letter
    reorder_lead_days: Annotated[int, Field(ge=0)] = 5  # before the expected order
    upgrade_growth: Annotated[float, Field(ge=0)] = 0.30  # of revenue, from which more is offered
    # one a month, from the day of inactivity on
    win_back_steps: tuple[str, ...] = (N_("letter"), N_("call"), N_("last offer"))


class ReportConfig(Section):
    """What the report shows."""

    language: Language = "en"  # of report, profiles, reasons and notices
    title: str = N_("Customer segments and risk")  # of the report
    call_list_rows: Positive = 25  # shown; call_list.csv holds all
    currency: str = ""  # written behind money


class TrackingConfig(Section):
    """MLflow. A null URI means the environment's MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db``."""

    uri: str | None = None
    experiment: Annotated[str, Field(min_length=1)] = "segml"  # in MLflow
    run_name: str | None = None  # null: the name of the data
    register_model: bool = True  # as a new version
    model_name: Annotated[str, Field(pattern=r"^[\w-][\w. -]*$")] = "segml"  # in the registry
    timeout_s: Positive = 15  # for an answer of the store
    retry_s: Annotated[int, Field(ge=0)] = 60  # how long to wait for a store that went away


class PromotionConfig(Section):
    """When a newly trained model becomes champion; ``automatic: false`` leaves that to ``segml.registry promote``.

    ``bootstrap`` customers are redrawn for the interval of the difference to the champion. ``stability_tolerance`` is
    the drop of ``segments/min_jaccard`` that passes for chance (experiments/segment_stability.yaml). At least
    ``min_common_share`` of the customers that either model scores must be scored by both.
    """

    automatic: bool = True
    bootstrap: Annotated[int, Field(ge=100)] = 1000  # redrawn customers
    stability_tolerance: Share = 0.05
    min_common_share: Share = 0.5


class Config(Section):
    """The whole configuration."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0  # of everything drawn at random
    as_of: date | None = None  # null: midnight after the last line
    horizon_days: Annotated[int, Field(ge=7, le=730)] = 90  # that scores and labels look ahead
    threads: Positive | None = None  # null: all
    output: str = "outputs"  # folder for what a run leaves
    data: DataConfig = DataConfig()
    engine: EngineConfig = EngineConfig()
    demo: DemoConfig = DemoConfig()
    features: FeaturesConfig = FeaturesConfig()
    segments: SegmentsConfig = SegmentsConfig()
    labels: LabelsConfig = LabelsConfig()
    churn: ChurnConfig = ChurnConfig()
    backtest: BacktestConfig = BacktestConfig()
    actions: ActionsConfig = ActionsConfig()
    tasks: TasksConfig = TasksConfig()
    campaign: CampaignConfig = CampaignConfig()
    report: ReportConfig = ReportConfig()
    tracking: TrackingConfig = TrackingConfig()
    promotion: PromotionConfig = PromotionConfig()
    cross_sell: CrossSellConfig = CrossSellConfig()
    key_accounts: KeyAccountsConfig = KeyAccountsConfig()
    refresh: RefreshConfig = RefreshConfig()
    crm: CrmConfig = CrmConfig()
    monitor: MonitorConfig = MonitorConfig()

    def shown(self) -> dict[str, Any]:
        """Return the full configuration as nested plain values that may be stored and shown: passwords are masked."""
        masked: dict[str, Any] = _mask(self.model_dump(mode="json"))
        return masked

    def flat(self) -> dict[str, Any]:
        """Return every key in dotted form with its plain value, in order; passwords are masked.

        What the user names (custom schemes, their labels) is part of a value, not of a key.
        """
        return dict(_flatten(self, self.shown()))

    def to_yaml(self) -> str:
        """Return the full configuration as YAML that ``load`` reads back to an equal one, but for masked passwords."""
        return yaml.safe_dump(self.shown(), sort_keys=False, allow_unicode=True)


_PASSWORD = re.compile(r"(://[^:/@\s]*):(?:[^/\s]*|(?!\d+/)[^@\s]*)@")
_TOKEN = re.compile(r"(https?://)[^:/?#@\s]+@", re.IGNORECASE)
"""A web server's user may be a token, unlike a data base's."""
_SECRET_OPTION = re.compile(
    r"([\w-]*(?:password|pwd|token|signature|credential)|[\w-]*secret[\w-]*|x-(?:amz|goog)-[\w-]+|\b(?:sig|key))"
    r"=(?!=)[^&;\s]+",
    re.IGNORECASE,
)


def without_secrets(text: str) -> str:
    """Return an address without the password, token or signature in it.

    >>> without_secrets("postgresql://anna:s3cret@db/sales"), without_secrets("host=db password=s3cret")
    ('postgresql://anna:…@db/sales', 'host=db password=…')
    >>> without_secrets("https://t0ken@host/a.csv"), without_secrets("s3://b/a?X-Amz-Signature=abc&versionId=1")
    ('https://…@host/a.csv', 's3://b/a?X-Amz-Signature=…&versionId=1')
    """
    return _SECRET_OPTION.sub(r"\1=…", _TOKEN.sub(r"\1…@", _PASSWORD.sub(r"\1:…@", text)))


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    return without_secrets(value) if isinstance(value, str) else value


def _flatten(section: Section, shown: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            yield from _flatten(value, shown[name], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", shown[name]
