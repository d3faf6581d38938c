"""What happened after the as-of date: churned, stagnated, and the money that was lost."""

from __future__ import annotations

import math
from collections.abc import Sequence
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
    next revenue at most (1 − ``stagnation_drop``) of what was expected, the run rate; ``lost_revenue`` = what next
    revenue (not counted below zero) lacks to that, at least zero; ``next_purchase_days`` = days from the as-of date to
    the first purchase in the window, NaN without one.

    With ``season_adjusted`` the run rate × the season of the date is expected: revenue in the window of all customers
    in ``features`` at that date over their run rates together. So every customer of the base must be among them, the
    silent ones too; who comes later does not count, and who leaves lowers the season. ``run_rate`` stays as it is.

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
    money = features[KEYS].assign(next_revenue=next_revenue, run_rate=run_rate)
    expected = run_rate * season(money).to_numpy() if config.season_adjusted else run_rate
    return features[KEYS].assign(
        churned=~(seen["purchase_lines"] > 0).to_numpy(),
        stagnated=next_revenue <= (1 - config.stagnation_drop) * expected,
        next_revenue=next_revenue,
        run_rate=run_rate,
        lost_revenue=np.maximum(0.0, expected - np.maximum(0.0, next_revenue)),
        next_purchase_days=((seen["first_s"] - seen["start_s"]) / windows.DAY_SECONDS).to_numpy(dtype="float64"),
    )


def silence(
    lines: Any, features: pd.DataFrame, windows_days: Sequence[int], *, known_until: pd.Timestamp
) -> pd.DataFrame:
    """Return who bought nothing in windows of several lengths from the as-of date on, as far as they are over.

    Lines that were cancelled before a window ended do not count in it.

    Parameters
    ----------
    lines : as in ``build``
    features : ``customer_id, as_of``; other columns are not read
    windows_days : lengths of the windows
    known_until : the moment up to which the log is complete

    Returns
    -------
    One row a row of ``features``, on its index: ``customer_id, as_of`` and for each length ``silent_<days>d``: 1 = no
    purchase in the window, 0 = at least one, NaN = the window is not over.
    """
    table = typed(to_table(lines))
    found = {silent_column(days): _silent(table, features[KEYS], days, known_until) for days in windows_days}
    return features[KEYS].assign(**found)


def silent_column(days: int) -> str:
    """Return the column of ``silence`` that tells of a window.

    >>> silent_column(30)
    'silent_30d'
    """
    return f"silent_{days}d"


def _silent(lines: Table, keys: pd.DataFrame, days: int, known_until: pd.Timestamp) -> pd.Series[float]:
    over = keys[windows.is_over(keys["as_of"], known_until, days=days)]
    if over.empty:
        return pd.Series(np.nan, index=keys.index)
    seen = over.merge(_outcomes(lines, sorted(over["as_of"].unique()), days), on=KEYS, how="left")
    silent = ~(seen["purchase_lines"] > 0).to_numpy()
    return pd.Series(silent.astype("float64"), index=over.index).reindex(keys.index)


def season(money: pd.DataFrame) -> pd.Series[float]:
    """Return, for each row, its date's revenue over the run rates, all rows of the date together; at least zero.

    Where the run rates together are not positive there is no season to tell: 1.

    >>> dates = pd.to_datetime(["2024-01-01", "2024-01-01", "2024-04-01"])
    >>> season(pd.DataFrame({"as_of": dates, "next_revenue": [30.0, 0, 50], "run_rate": [40.0, 20, 0]})).tolist()
    [0.5, 0.5, 1.0]

    Parameters
    ----------
    money : ``as_of``, ``next_revenue`` and ``run_rate``, one row a customer and date
    """
    of_date = {moment: _season_of(rows) for moment, rows in money.groupby("as_of")}
    return money["as_of"].map(of_date).astype("float64")


def _season_of(rows: pd.DataFrame) -> float:
    usual = math.fsum(rows["run_rate"])
    return max(math.fsum(rows["next_revenue"]) / usual, 0.0) if usual > 0 else 1.0


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
        next_revenue=number(seen.net.sum()),
        purchase_lines=seen.purchase_lines.sum(),
        first_s=seen.ordered_s.min(where=seen.purchase_lines > 0),
    )
    frame = collect(outcomes)
    return frame.assign(as_of=windows.from_epoch_seconds(frame["start_s"]))
