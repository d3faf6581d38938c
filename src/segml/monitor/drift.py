"""Drift of features and scores: what changed in the base since one or several earlier moments, beyond chance.

Most customers are there at both moments, and stay much as they are. So two bases differ less by chance than two
independent samples do, for which the tests are made: false alarms are rarer than stated, never more frequent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, false_discovery_control, ks_2samp

from segml.config import MonitorConfig
from segml.features import CATALOG
from segml.language import N_, _, ngettext
from segml.monitor import psi
from segml.schema import DataError, check_columns

BANDS = (N_("stable"), N_("moderate"), N_("large"))
"""How far a feature drifted, the least first."""

DRIFT_COLUMNS = [
    "reference",
    "feature",
    "kind",
    "band",
    "psi",
    "psi_chance_95",
    "distance",
    "p",
    "p_adjusted",
    "median_then",
    "median_now",
    "null_then",
    "null_now",
    "customers_then",
    "customers_now",
    "importance",
]
"""Columns of ``drift``, in order."""


def drift(
    now: pd.DataFrame,
    references: Mapping[str, pd.DataFrame],
    columns: Sequence[str],
    config: MonitorConfig | None = None,
    *,
    importance: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Return how far each feature or score moved since each reference: one row a reference and feature.

    Columns:

    - ``reference``, ``feature``, ``kind`` (number or category)
    - ``band``: stable; moderate or large where the index exceeds ``psi_moderate`` or ``psi_large``, exceeds
      ``psi_chance_95``, and ``p_adjusted`` is at most ``false_discovery``
    - ``psi``: population stability index over quantile bins of the reference, unknown values a bin of their own;
      ``psi_chance_95``: what it stays below with a probability of 95 % without any change
    - ``distance``: of numbers that of Kolmogorov and Smirnov, unknown values below all others; of categories the total
      variation, half the sum of the differences of shares; 0 to 1
    - ``p``: of the two-sample Kolmogorov-Smirnov test, or the chi-square test of the categories; ``p_adjusted`` after
      Benjamini and Hochberg, over the features of a reference
    - ``median_then``, ``median_now`` (NaN of categories), ``null_then``, ``null_now`` (shares), ``customers_then``,
      ``customers_now``, ``importance`` (NaN where it is not given)

    The furthest drift comes first, within a band the most important feature.

    Parameters
    ----------
    now : one row a customer
    references : name -> an earlier base: that of the last refresh, of the same season last year, of the training
    columns : what to compare; one that a reference lacks has no row there
    config : bins and bounds; default ``MonitorConfig()``
    importance : feature -> what the scores rest on it, see ``feature_importance``

    Raises
    ------
    DataError : columns missing now, or a table without customers
    """
    config = config if config is not None else MonitorConfig()
    check_columns(now.columns, columns, "the base now lacks")
    for name, table in {"now": now, **references}.items():
        if table.empty:
            raise DataError(f"drift needs customers; the base {name!r} has none")
    parts = [_against(name, then, now, columns, config) for name, then in references.items()]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=DRIFT_COLUMNS)
    found["importance"] = found["feature"].map(dict(importance or {})).astype("float64")
    return _furthest_first(found, list(references))[DRIFT_COLUMNS]


def feature_importance(groups: pd.DataFrame, columns: Sequence[str]) -> dict[str, float]:
    """Return what the scores rest on each feature: its group's importance, dealt out equally in the group.

    Parameters
    ----------
    groups : ``group``, ``target``, ``auc_drop``, as ``churn.importance`` returns them; a negative drop counts as none
    columns : the features of the model
    """
    drops = groups["auc_drop"].clip(lower=0).groupby(groups["group"]).mean()
    group_of = {feature.name: feature.group for feature in CATALOG if feature.name in set(columns)}
    sizes = pd.Series(group_of).value_counts()
    return {name: float(drops[group] / sizes[group]) for name, group in group_of.items() if group in drops.index}


def lasting(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a feature: its row against the reference from which it drifted least.

    A season shows against the last refresh and not against the same season last year; what shows against every
    reference is more than a season.

    Parameters
    ----------
    table : as ``drift`` returns it
    """
    mildest = table.assign(place=_places(table["band"])).sort_values(["place", "psi", "reference"], kind="stable")
    return _furthest_first(mildest.drop_duplicates("feature"), [])[list(table.columns)]


def share_drifted(table: pd.DataFrame) -> float:
    """Return the share of the importance that lies on features with a large drift; NaN where none is known.

    Parameters
    ----------
    table : one row a feature, as ``lasting`` returns it
    """
    weights = table["importance"].fillna(0.0)
    total = weights.sum()
    return float(weights[table["band"] == "large"].sum() / total) if total > 0 else float("nan")


def told(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what a table of drift says, one sentence a reference, in the language spoken."""
    return tuple(_told_of(str(name), part) for name, part in table.groupby("reference", sort=False))


def _told_of(reference: str, part: pd.DataFrame) -> str:
    drifted = part[part["band"] != "stable"]
    if drifted.empty:
        calm = ngettext(
            "Against {reference}: the {n} column compared drifted no further than chance and the bounds allow.",
            "Against {reference}: none of the {n} columns compared drifted further than chance and the bounds allow.",
            len(part),
        )
        return calm.format(reference=_(reference), n=len(part))
    words = _("Against {reference}: {drifted} of {n} columns drifted, {large} of them far; the furthest: {names}.")
    names = ", ".join(f"{row['feature']} ({_(str(row['band']))})" for row in drifted.head(3).to_dict("records"))
    large = int((drifted["band"] == "large").sum())
    return words.format(reference=_(reference), drifted=len(drifted), n=len(part), large=large, names=names)


def _against(
    name: str, then: pd.DataFrame, now: pd.DataFrame, columns: Sequence[str], config: MonitorConfig
) -> pd.DataFrame:
    """Return the rows of one reference, bands included."""
    rows = [_compared(column, then[column], now[column], config.psi_bins) for column in columns if column in then]
    found = pd.DataFrame(rows, columns=[column for column in DRIFT_COLUMNS if column not in {"reference", "band"}])
    found["p_adjusted"] = false_discovery_control(found["p"].to_numpy(dtype=float)) if len(found) else np.nan
    return found.assign(reference=name, band=_bands(found, config))


def _compared(feature: str, then: pd.Series[Any], now: pd.Series[Any], bins: int) -> dict[str, object]:
    """Return what one column says of two bases, but for what takes the other columns."""
    is_number = all(pd.api.types.is_numeric_dtype(one) for one in (then, now))
    binned, distance, p = _numbers(then, now, bins) if is_number else _categories(then, now)
    return {
        "feature": feature,
        "kind": "number" if is_number else "category",
        "psi": psi.index(binned),
        "psi_chance_95": psi.chance(binned),
        "distance": distance,
        "p": p,
        "median_then": float(then.median()) if is_number else np.nan,
        "median_now": float(now.median()) if is_number else np.nan,
        "null_then": float(then.isna().mean()),
        "null_now": float(now.isna().mean()),
        "customers_then": len(then),
        "customers_now": len(now),
    }


def _numbers(then: pd.Series[Any], now: pd.Series[Any], bins: int) -> tuple[psi.Binned, float, float]:
    before, after = (one.to_numpy(dtype=np.float64, na_value=np.nan) for one in (then, now))
    unknown_lowest = [np.where(np.isnan(one), -np.inf, one) for one in (before, after)]
    test = ks_2samp(*unknown_lowest, method="asymp")
    return psi.number_bins(before, after, bins), float(test.statistic), float(test.pvalue)


def _categories(then: pd.Series[Any], now: pd.Series[Any]) -> tuple[psi.Binned, float, float]:
    binned = psi.category_bins(then, now)
    distance = np.abs(binned.then / binned.then.sum() - binned.now / binned.now.sum()).sum() / 2
    p = chi2_contingency(np.vstack(binned), correction=False).pvalue if len(binned.then) > 1 else 1.0
    return binned, float(distance), float(p)


def _bands(found: pd.DataFrame, config: MonitorConfig) -> pd.Series[str]:
    is_beyond_chance = (found["p_adjusted"] <= config.false_discovery) & (found["psi"] > found["psi_chance_95"])
    places = (found["psi"] >= config.psi_moderate).astype(int) + (found["psi"] >= config.psi_large).astype(int)
    return places.where(is_beyond_chance, 0).map(dict(enumerate(BANDS))).astype("str")


def _places(bands: pd.Series[str]) -> pd.Series[int]:
    return bands.map({band: place for place, band in enumerate(BANDS)})


def _furthest_first(found: pd.DataFrame, references: Sequence[str]) -> pd.DataFrame:
    order = found.assign(
        place=_places(found["band"]), of=found["reference"].map({name: place for place, name in enumerate(references)})
    ).sort_values(["of", "place", "importance", "psi", "feature"], ascending=[True, False, False, False, True])
    return order.reset_index(drop=True)
