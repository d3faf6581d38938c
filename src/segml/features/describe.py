"""What customers are like, beside what they do: described columns, which no model reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from segml import windows
from segml.features import contracts as contracts_family
from segml.features import firmographics as firmographics_family
from segml.features import preferences as preferences_family
from segml.features import touches as touches_family
from segml.features import usage as usage_family
from segml.features.catalog import described
from segml.features.periods import revenue_variation
from segml.schema import DataError, check_columns
from segml.schemes import Xyz
from segml.schemes.named import RESERVED

_XYZ = Xyz()
NEEDED = ("customer_id", "as_of", "tenure_days", "region")


def describe(
    lines: Any,
    features: pd.DataFrame,
    *,
    customers: pd.DataFrame | None = None,
    usage: Any = None,
    contracts: Any = None,
    touches: Any = None,
    xyz: Xyz = _XYZ,
) -> pd.DataFrame:
    """Return the features with the described columns beside them, in the same order and on the same index.

    All columns of ``catalog.described()`` are there, unknown where no table tells them, and those of a survey. The
    ``region`` of the features takes that of the card where it is unknown. Nothing at or after the as-of date counts,
    but for the tables that bear no time: customers, contracts, and usage with one row a customer, which are as of now.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``)
    features : from ``features.build``, at one as-of date
    customers : one card a customer (``segml.data.Deduplicated.customers``); further columns are a survey's
    usage, contracts, touches : tables under canonical names and with canonical customers (``segml.data.prepare_extra``)
    xyz : the periods over which the variation of revenue is taken

    Raises
    ------
    DataError : columns missing, more than one as-of date, a customer's card repeated, or a survey column with the name
        of a feature or described column
    """
    as_of = _as_of(features)
    refuse_taken_names(firmographics_family.survey_columns(customers), features.columns)
    cards = firmographics_family.firmographics(customers, features)
    families = [
        preferences_family.preferences(lines, as_of).set_index("customer_id"),
        revenue_variation(lines, as_of, xyz).to_frame(),
    ]
    if usage is not None:
        families.append(usage_family.usage(usage, as_of))
    if contracts is not None:
        families.append(contracts_family.contracts(contracts, as_of))
    if touches is not None:
        families.append(touches_family.touches(touches, as_of, features["customer_id"]))
    told = [family.reindex(features["customer_id"].astype("str")).set_axis(features.index) for family in families]
    beside = pd.concat([*told, cards.drop(columns="region")], axis=1)
    survey = firmographics_family.survey_columns(customers)
    return features.assign(region=cards["region"]).join(_complete(beside)[[*_names(), *survey]])


def refuse_taken_names(survey_columns: Iterable[str], taken: Iterable[str]) -> None:
    """Raise ``DataError`` where a survey column bears the name of a feature or described column."""
    clashes = sorted(set(survey_columns) & {*taken, *_names(), *RESERVED})
    if clashes:
        raise DataError(
            f"the customers table has columns {clashes}, which are names of features, described columns or decisions "
            "(docs/features.md); rename them in the source, and under data.survey_columns"
        )


def _names() -> tuple[str, ...]:
    return tuple(column.name for column in described())


def _as_of(features: pd.DataFrame) -> pd.Timestamp:
    check_columns(features.columns, NEEDED, "features lack")
    moments = features["as_of"].unique()
    if len(moments) != 1:
        found = ", ".join(map(str, moments[:3])) or "none"
        raise DataError(f"describe looks back from one as-of date; found {found}: pass the rows of one date")
    return windows.as_timestamp(moments[0])


def _complete(beside: pd.DataFrame) -> pd.DataFrame:
    """Return the columns in their types, those that no table tells among them."""
    absent = [name for name in _names() if name not in beside.columns]
    kinds = {column.name: "str" if column.unit == "text" else "float64" for column in described()}
    return beside.assign(**dict.fromkeys(absent, float("nan"))).astype(kinds)
