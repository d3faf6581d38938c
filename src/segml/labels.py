"""What happened after the as-of date: churned, stagnated, and the money that was lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from ibis.expr.types import Table

from segml import windows
from segml.config import LabelsConfig
from segml.data.engine import to_table
from segml.features.arithmetic import number
from segml.features.snapshots import collect, moments, spans, typed
from segml.schema import DataError

KEYS = ["customer_id", "as_of"]


def build(
    lines: Any,
    features: pd.DataFrame,
    horizon_days: int,
    config: LabelsConfig | None = None,
    *,
    known_until: pd.Timestamp,
) -> pd.DataFrame:
    """Return what each customer did in the ``horizon_days`` from its as-of date on, ``[as_of, as_of + horizon_days)``.

    Lines that were cancelled before the window ended do not count. All dates are computed in one pass.

    Parameters
    ----------
    lines : order lines (``schema.ORDER_LINES``) as an Ibis, pandas, polars or pyarrow table
    features : ``customer_id, as_of, run_rate_daily``; other columns are not read
    horizon_days : length of the window
    config : what counts as stagnation; default ``LabelsConfig()``
    known_until : the moment up to which the log is complete; no window may end later

    Returns
    -------
    One row a row of ``features``, on its index: ``customer_id, as_of``; ``churned`` = no purchase in the window;
    ``next_revenue`` = net revenue in it; ``run_rate`` = money a horizon at the run rate before; ``stagnated`` =
    next revenue at most (1 − ``stagnation_drop``) of that; ``lost_revenue`` = what next revenue (not counted below
    zero) lacks to the run rate, at least zero.

    Raises
    ------
    DataError : columns missing, keys repeated, or a window that reaches past the end of the log
    """
    config = config if config is not None else LabelsConfig()
    _check_features(features)
    dates = sorted(features["as_of"].unique())
    windows.check_complete(dates, known_until, horizon_days=horizon_days)
    seen = features[KEYS].merge(_outcomes(typed(to_table(lines)), dates, horizon_days), on=KEYS, how="left")
    next_revenue = seen["next_revenue"].fillna(0.0).to_numpy()
    run_rate = features["run_rate_daily"].to_numpy() * horizon_days
    return features[KEYS].assign(
        churned=~(seen["purchase_lines"] > 0).to_numpy(),
        stagnated=next_revenue <= (1 - config.stagnation_drop) * run_rate,
        next_revenue=next_revenue,
        run_rate=run_rate,
        lost_revenue=np.maximum(0.0, run_rate - np.maximum(0.0, next_revenue)),
    )


def _check_features(features: pd.DataFrame) -> None:
    missing = [name for name in (*KEYS, "run_rate_daily") if name not in features.columns]
    if missing:
        raise DataError(f"features lack columns {missing}; found {list(features.columns)}; make them by features.build")
    twice = features.loc[features.duplicated(KEYS), "customer_id"]
    if len(twice):
        raise DataError(f"features hold customer {twice.min()!r} twice at one as-of date; a label needs one row each")


def _outcomes(lines: Table, dates: list[pd.Timestamp], horizon_days: int) -> pd.DataFrame:
    """Return revenue and purchase lines of each label window, for customers that have a line in it."""
    events = moments(lines)
    horizons = spans(dates, [windows.shift(moment, days=horizon_days) for moment in dates])
    inside = windows.within(events.ordered_s, horizons.start_s, horizons.end_s)
    standing = windows.known(events.ordered_s, events.cancelled_s, horizons.end_s)
    seen = events.join(horizons, [inside, standing])
    outcomes = seen.group_by("customer_id", "start_s").aggregate(
        next_revenue=number(seen.net.sum()), purchase_lines=seen.purchase_lines.sum()
    )
    frame = collect(outcomes)
    return frame.assign(as_of=windows.from_epoch_seconds(frame.pop("start_s")))
