"""One frozen, typed configuration: built-in defaults, YAML differences, ``--set`` overrides.

Every key has a default; a file or an override holds only what differs. All errors are reported at
once, each with the key, what was found and what was expected.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from segml.schema import ConfigError, did_you_mean

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A group of keys: frozen, strict about types, closed to unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _refuse_repeats(mapping: Mapping[str, str]) -> None:
    for source in sorted(set(mapping.values())):
        users = [name for name, column in mapping.items() if column == source]
        if len(users) > 1:
            raise ValueError(f"the source column {source!r} is mapped twice, to {' and '.join(users)}; keep one")


class TransactionColumns(Section):
    """Which source column holds which canonical column; null means it carries the canonical name, or is absent."""

    customer_id: str | None = None
    order_id: str | None = None
    ordered_at: str | None = None
    amount: str | None = None
    product_id: str | None = None
    category: str | None = None
    quantity: str | None = None
    unit_price: str | None = None
    margin: str | None = None
    cost: str | None = None
    discount: str | None = None
    channel: str | None = None
    region: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> TransactionColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class CustomerColumns(Section):
    """The same for the customers table."""

    customer_id: str | None = None
    name: str | None = None
    tax_id: str | None = None
    industry: str | None = None
    employees: str | None = None
    region: str | None = None
    country: str | None = None
    role: str | None = None
    registered_on: str | None = None
    potential: str | None = None
    cost_to_serve: str | None = None
    is_strategic: str | None = None
    funnel_stage: str | None = None

    @model_validator(mode="after")
    def _each_source_column_once(self) -> CustomerColumns:
        _refuse_repeats(self.model_dump(exclude_none=True))
        return self


class FormatConfig(Section):
    """How text files spell things. Null means: found out from the file where that is certain, else an error."""

    delimiter: str | None = None
    encoding: str | None = None
    decimal: Literal[".", ","] | None = None
    date_format: str | None = None
    timezone: str | None = None
    sheet: str | None = None


# Lines that are no sale, in generic words; a whole product code must match, so that "DELIVERY VAN" stays a product.
NON_PRODUCT_PATTERNS = (
    r"(POSTAGE|SHIPPING|FREIGHT|DELIVERY|CARRIAGE|HANDLING)( (FEE|CHARGE|COST)S?)?",
    r"((BANK|SERVICE|PAYMENT|TRANSACTION) )?(FEE|CHARGE|COMMISSION)S?",
    r"MANUAL( (ADJUSTMENT|CORRECTION|ENTRY))?|ADJUST(MENTS?)?|CORRECTIONS?|ROUNDING",
    r"DISCOUNTS?|REBATES?|DEPOSITS?|PREPAYMENTS?|BAD DEBTS?|WRITE[ -]?OFFS?",
    r"GIFT (VOUCHER|CARD|CERTIFICATE)S?",
    r"ДОСТАВКА( ТОВАРА)?|(ПОЧТОВЫЕ|ТРАНСПОРТНЫЕ) (РАСХОДЫ|УСЛУГИ)|УСЛУГИ (ДОСТАВКИ|БАНКА)",
    r"КОМИССИЯ( БАНКА)?|(РУЧНАЯ )?КОРРЕКТИРОВКА|ОКРУГЛЕНИЕ|СКИДКА|АВАНС|ПРЕДОПЛАТА|ПОДАРОЧН(ЫЙ СЕРТИФИКАТ|АЯ КАРТА)",
)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class CleaningConfig(Section):
    """Which cleaning rules run, and their thresholds.

    ``largest_amount`` is money a line. Patterns are regular expressions that must match the whole product code or
    order number, whatever its case; a list given here replaces the built-in one.
    """

    exact_repeats: bool = True
    missing_customer: bool = True
    bad_date: bool = True
    future_date: bool = True
    bad_amount: bool = True
    bad_quantity: bool = True
    non_product: bool = True
    bad_price: bool = True
    excluded_order: bool = True
    cancellations: bool = True
    earliest_date: date = date(1990, 1, 1)
    largest_amount: Annotated[float, Field(gt=0, le=1e15)] = 1e12
    non_product_patterns: tuple[Pattern, ...] = NON_PRODUCT_PATTERNS
    excluded_order_patterns: tuple[Pattern, ...] = ()
    cancelled_order_pattern: Pattern | None = None


class DataConfig(Section):
    """Where the tables come from and how to read them."""

    transactions: str = "demo"
    customers: str | None = None
    usage: str | None = None
    contracts: str | None = None
    touches: str | None = None
    columns: TransactionColumns = TransactionColumns()
    customer_columns: CustomerColumns = CustomerColumns()
    format: FormatConfig = FormatConfig()
    cleaning: CleaningConfig = CleaningConfig()


class DemoConfig(Section):
    """Size and seed of the simulated demo data; ``end`` is the first day after them."""

    customers: Positive = 2000
    days: Annotated[int, Field(ge=1, le=20_000)] = 1096
    end: date = date(2026, 1, 1)
    seed: Annotated[int, Field(ge=0)] = 7

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

    windows_days: tuple[Positive, ...] = (30, 90, 180, 365)
    run_rate_days: Positive = 365
    min_exposure_days: Positive = 90
    gap_prior_orders: PositiveFloat = 3.0
    intensity_half_life_days: PositiveFloat = 90.0

    @model_validator(mode="after")
    def _windows_hold_what_others_rest_on(self) -> FeaturesConfig:
        missing = {30, 90, 180, 365} - set(self.windows_days)
        if missing:
            raise ValueError(
                f"windows_days lacks {sorted(missing)}; scores and segments rest on 30, 90, 180 and 365: add windows, "
                "do not take these away"
            )
        return self


class LifecycleConfig(Section):
    """Thresholds of the lifecycle stages; a month is a calendar month."""

    new_months: Positive = 6
    inactive_months: Positive = 3
    stagnating_drop: Share = 0.5
    stagnating_window_days: Literal[30, 90, 180] = 90


class RfmConfig(Section):
    """RFM scores: quantile bins (the highest is best), or the given rising cut points, one fewer than bins."""

    bins: Annotated[int, Field(ge=2, le=9)] = 5
    window_days: Positive = 365
    recency_days_cuts: tuple[float, ...] = ()
    order_count_cuts: tuple[float, ...] = ()
    revenue_cuts: tuple[float, ...] = ()

    @model_validator(mode="after")
    def _cuts_rise_and_fit_the_bins(self) -> RfmConfig:
        for name in ("recency_days_cuts", "order_count_cuts", "revenue_cuts"):
            cuts = getattr(self, name)
            if cuts and (len(cuts) != self.bins - 1 or list(cuts) != sorted(set(cuts))):
                raise ValueError(
                    f"{name} must be {self.bins - 1} rising numbers (bins = {self.bins}), or empty for quantiles; "
                    f"found {list(cuts)}"
                )
        return self


class AbcConfig(Section):
    """Cumulative revenue shares at which class A and class B end."""

    a_share: Share = 0.80
    b_share: Share = 0.95
    window_days: Positive = 365

    @model_validator(mode="after")
    def _ordered(self) -> AbcConfig:
        if self.a_share >= self.b_share:
            raise ValueError(f"a_share ({self.a_share}) must lie below b_share ({self.b_share})")
        return self


class XyzConfig(Section):
    """Cut points of the coefficient of variation of revenue per calendar month, empty months counted as zero."""

    x_below: PositiveFloat = 0.5
    y_below: PositiveFloat = 1.0
    months: Positive = 12
    min_months: Positive = 3

    @model_validator(mode="after")
    def _ordered(self) -> XyzConfig:
        if self.x_below >= self.y_below:
            raise ValueError(f"x_below ({self.x_below}) must lie below y_below ({self.y_below})")
        return self


class TierConfig(Section):
    """Key, growing, standard and small accounts; shares are of the base's revenue over ``window_days``."""

    window_days: Positive = 365
    key_revenue_share: Share = 0.60
    key_customer_share_at_most: Share = 0.20
    key_min_revenue: Annotated[float, Field(ge=0)] | None = None
    key_min_years: Annotated[float, Field(ge=0)] = 0.0
    growing_min_growth: Annotated[float, Field(ge=0)] = 0.30
    growing_min_revenue: Annotated[float, Field(ge=0)] | None = None
    growing_min_days: Positive = 90
    small_revenue_share: Share = 0.05


class KMeansConfig(Section):
    """KMeans over log1p, z-score, clip; k is fixed in this release.

    The features were chosen among some forty lists: on real and simulated logs these six come back under resampling
    and tell the next quarter's revenue at least as well as revenue fifths.
    """

    kind: Literal["kmeans"] = "kmeans"
    k: Annotated[int, Field(ge=2, le=50)] = 5
    n_init: Positive = 10
    clip: PositiveFloat = 3.0
    features: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "revenue_365d",
        "order_count_365d",
        "order_count_180d",
        "recency_days",
        "active_month_share",
        "gap_shrunk_days",
    )
    bootstrap: Annotated[int, Field(ge=0)] = 50

    @model_validator(mode="after")
    def _features_are_named_once(self) -> KMeansConfig:
        twice = sorted({name for name in self.features if self.features.count(name) > 1})
        if twice:
            raise ValueError(f"features names {twice} more than once; keep one of each")
        return self


class SegmentsConfig(Section):
    """The rule-based schemes and the clusters."""

    lifecycle: LifecycleConfig = LifecycleConfig()
    rfm: RfmConfig = RfmConfig()
    abc: AbcConfig = AbcConfig()
    xyz: XyzConfig = XyzConfig()
    tier: TierConfig = TierConfig()
    clusters: KMeansConfig = KMeansConfig()
    min_customers: Positive = 20
    interval_resamples: Annotated[int, Field(ge=0)] = 200


class LabelsConfig(Section):
    """What counts as stagnation."""

    stagnation_drop: Annotated[float, Field(gt=0, lt=1)] = 0.5


class BoostingConfig(Section):
    """Regularised histogram gradient boosting."""

    max_leaf_nodes: Annotated[int, Field(ge=2)] = 6
    learning_rate: PositiveFloat = 0.02
    max_iter: Positive = 400
    min_samples_leaf: Positive = 60
    l2_regularization: Annotated[float, Field(ge=0)] = 10.0
    max_features: Annotated[float, Field(gt=0, le=1)] = 0.35


class ChurnConfig(Section):
    """Training snapshots, the model, risk bands.

    Below ``min_snapshots`` training dates, ``min_scored_customers`` to learn from or ``min_class_rows`` rows of the
    rarer outcome the scores come from Pareto/NBD. With less than ``season_min_days`` of history the level of risk
    is that of the latest training date, not of the season.
    """

    spacing_days: Positive = 30
    max_snapshots: Positive = 18
    min_snapshots: Positive = 4
    min_history_days: Positive = 180
    min_scored_customers: Positive = 50
    min_class_rows: Positive = 20
    boosting: BoostingConfig = BoostingConfig()
    logistic_c: PositiveFloat = 0.0005
    season_min_days: Positive = 540
    risk_bands: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.15, 0.35, 0.60)
    bootstrap: Annotated[int, Field(ge=0)] = 500

    @model_validator(mode="after")
    def _bands_rise(self) -> ChurnConfig:
        if list(self.risk_bands) != sorted(set(self.risk_bands)) or len(self.risk_bands) != 3:
            raise ValueError(
                f"risk_bands must be three rising probabilities (low, medium, high, very high); found {self.risk_bands}"
            )
        return self


class BacktestConfig(Section):
    """As-of dates of the out-of-time evaluation; null: the last three dates one horizon apart."""

    as_of: tuple[date, ...] | None = None
    dates: Positive = 3


class ActionsConfig(Section):
    """Thresholds of the actions; the call list takes at most ``call_list_share`` of the scored customers."""

    call_list_share: Share = 0.10
    min_p_stagnation: Share = 0.20  # of a call; a higher one hits more often and reaches less of the money lost
    write_min_p_stagnation: Share = 0.35
    reorder_lead_days: Annotated[int, Field(ge=0)] = 5
    upgrade_growth: Annotated[float, Field(ge=0)] = 0.30
    win_back_steps: tuple[str, ...] = ("letter", "call", "last offer")  # one a month, from the day of inactivity on


class ReportConfig(Section):
    """What the report shows."""

    title: str = "Customer segments and risk"
    call_list_rows: Positive = 25
    currency: str = ""


class TrackingConfig(Section):
    """MLflow. A null URI means the environment's MLFLOW_TRACKING_URI, else ``sqlite:///mlflow.db``."""

    uri: str | None = None
    experiment: Annotated[str, Field(min_length=1)] = "segml"
    run_name: str | None = None
    register_model: bool = True
    timeout_s: Positive = 15


class Config(Section):
    """The whole configuration."""

    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    as_of: date | None = None
    horizon_days: Annotated[int, Field(ge=7, le=730)] = 90
    threads: Positive | None = None
    output: str = "outputs"
    data: DataConfig = DataConfig()
    demo: DemoConfig = DemoConfig()
    features: FeaturesConfig = FeaturesConfig()
    segments: SegmentsConfig = SegmentsConfig()
    labels: LabelsConfig = LabelsConfig()
    churn: ChurnConfig = ChurnConfig()
    backtest: BacktestConfig = BacktestConfig()
    actions: ActionsConfig = ActionsConfig()
    report: ReportConfig = ReportConfig()
    tracking: TrackingConfig = TrackingConfig()

    def shown(self) -> dict[str, Any]:
        """Return the full configuration as nested plain values that may be stored and shown: passwords are masked."""
        masked: dict[str, Any] = _mask(self.model_dump(mode="json"))
        return masked

    def flat(self) -> dict[str, Any]:
        """Return every key in dotted form with its plain value, in order; passwords are masked."""
        return dict(_flatten(self.shown()))

    def to_yaml(self) -> str:
        """Return the full configuration as YAML that ``load`` reads back to an equal one, but for masked passwords."""
        return yaml.safe_dump(self.shown(), sort_keys=False, allow_unicode=True)


def without_secrets(text: str) -> str:
    """Return an address without the password in it.

    >>> without_secrets("postgresql://anna:s3cret@db/sales"), without_secrets("host=db password=s3cret")
    ('postgresql://anna:…@db/sales', 'host=db password=…')
    """
    text = re.sub(r"(://[^:/@\s]*):[^/\s]*@", r"\1:…@", text)
    return re.sub(r"(?i)\b(password|pwd|token|secret)=[^&;\s]+", r"\1=…", text)


def _mask(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask(item) for key, item in value.items()}
    return without_secrets(value) if isinstance(value, str) else value


def load(path: str | Path | None = None, overrides: Sequence[str] = ()) -> Config:
    """Return the configuration of a YAML file with overrides, over the built-in defaults.

    Parameters
    ----------
    path : file of differences from the defaults, or None
    overrides : ``"dotted.key=YAML value"``, applied in order after the file

    Raises
    ------
    ConfigError : with all errors found, one a line
    """
    values = _read_file(Path(path)) if path is not None else {}
    for override in overrides:
        _apply(values, override)
    return from_mapping(values, source=str(path) if path is not None else "--set")


def from_mapping(values: Mapping[str, Any], source: str = "the configuration") -> Config:
    """Return the configuration with these nested differences; raise ``ConfigError`` with all errors."""
    try:
        return Config.model_validate_json(json.dumps(values, default=_iso))
    except ValidationError as error:
        problems = [_explain(problem) for problem in error.errors()]
        count = f"{len(problems)} error{'s' if len(problems) > 1 else ''} in {source}"
        raise ConfigError("\n".join([count, *(f"  {problem}" for problem in problems)])) from None


def looking_back_from(config: Config, as_of: str | date | None) -> Config:
    """Return the configuration with another as-of date; None means midnight after the last transaction."""
    values = config.model_dump(mode="json")
    return from_mapping({**values, "as_of": as_of}, source="the as-of date")


def with_test_dates(config: Config, dates: Sequence[date]) -> Config:
    """Return the configuration with these test dates."""
    return config.model_copy(update={"backtest": config.backtest.model_copy(update={"as_of": tuple(dates)})})


def learnt_under(config: Config, learnt: Config) -> Config:
    """Return the data, as-of date and threads of one configuration with everything else of that of a trained model."""
    return learnt.model_copy(update={name: getattr(config, name) for name in ("data", "demo", "as_of", "threads")})


class _StrictLoader(yaml.SafeLoader):
    """YAML without surprises: a key given twice is an error."""


def _construct_mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        if not isinstance(key, str):
            raise ConfigError(f"line {line}: the key {key_node.value!r} is read by YAML as {key!r}; put it in quotes")
        if key in mapping:
            raise ConfigError(f"line {line}: the key {key!r} is given twice; keep one")
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def _parse_yaml(text: str, source: str) -> Any:
    try:
        return yaml.load(text, Loader=_StrictLoader)
    except ConfigError as error:
        raise ConfigError(f"{source}, {error}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{source} is not valid YAML: {' '.join(str(error).split())}") from None


def _read_file(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"config file {path} does not exist; give the path of a YAML file to --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {path} cannot be read as UTF-8 text: {error}") from None
    values = _parse_yaml(text, str(path))
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold keys and values; found {type(values).__name__}")
    return values


def _apply(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {override!r} is not of the form KEY=VALUE, as in --set horizon_days=60")
    *parents, leaf = key.strip().split(".")
    section = values
    for parent in parents:
        if not isinstance(section.get(parent), dict):
            section[parent] = {}
        section = section[parent]
    section[leaf] = _parse_yaml(text, f"--set {key}")


def _iso(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise ConfigError(f"a value of type {type(value).__name__} cannot stand in a configuration: {value!r}")


def _flatten(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _explain(problem: Any) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    found = problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"{key}: unknown key{_nearest_key(problem['loc'])}"
        case "value_error":
            return f"{key}: {problem['ctx']['error']}" if key else str(problem["ctx"]["error"])
        case _:
            return f"{key}: {problem['msg'].replace('Input', 'this', 1)}; found {found!r}{_yaml_trap(problem)}"


def _yaml_trap(problem: Any) -> str:
    found, kind = problem["input"], problem["type"]
    if isinstance(found, bool) and kind not in ("bool_type", "bool_parsing"):
        return " (YAML reads yes, no, on and off as true and false; write a number, or put text in quotes)"
    if isinstance(found, str) and kind in ("float_type", "int_type", "finite_number"):
        return _number_hint(found)
    if not isinstance(found, str) and kind == "string_type":
        return " (put it in quotes)"
    return ""


def _number_hint(text: str) -> str:
    try:
        return f" (YAML reads this as text; write {float(text):g})"
    except ValueError:
        return ""


def _nearest_key(location: tuple[Any, ...]) -> str:
    *parents, leaf = [str(part) for part in location]
    section: Any = Config
    for parent in parents:
        section = _model_of(section.model_fields[parent].annotation) if parent in section.model_fields else None
        if section is None:
            return ""
    here = did_you_mean(leaf, section.model_fields)
    if here:
        return here
    elsewhere = [key for key in Config().flat() if key.rpartition(".")[2] == leaf]
    return f"; did you mean {elsewhere[0]!r}?" if elsewhere else f"; known here: {', '.join(section.model_fields)}"


def _model_of(annotation: Any) -> type[BaseModel] | None:
    candidates = [annotation, *get_args(annotation)]
    return next((a for a in candidates if isinstance(a, type) and issubclass(a, BaseModel)), None)
