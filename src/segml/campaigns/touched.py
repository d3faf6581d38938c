"""A campaign that the touches table tells: whom it treated, whom it held back, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from segml import schema, windows
from segml.campaigns.assignment import check_customers, segment_of, strata_of
from segml.campaigns.effects import ALL
from segml.campaigns.kept import ARMS
from segml.campaigns.pooling import UNKNOWN
from segml.config import CampaignConfig
from segml.features import events
from segml.features.snapshots import collect
from segml.language import ngettext
from segml.schema import TOUCHES, DataError


@dataclass(frozen=True)
class Touched:
    """A campaign by its touches.

    Attributes
    ----------
    customers : ``customer_id, segment, stratum, arm, starts_on``, one row a customer
    """

    customers: pd.DataFrame
    notices: tuple[str, ...]


def from_touches(touches: Any, decisions: pd.DataFrame | None, config: CampaignConfig) -> Touched:
    """Return who was in which arm of the campaign ``config.name``.

    The window starts on the day of the campaign's first touch for everybody, or on ``config.start``. Customers with
    touches in both arms are left out, and said.

    Parameters
    ----------
    touches : touches table (``schema.TOUCHES``) with ``campaign`` and ``arm``
    decisions : those of before the campaign: ``customer_id``, the columns of ``config.strata``, and ``as_of`` if there;
        None: no segments

    Raises
    ------
    DataError : columns missing, no such campaign, unknown arms, or decisions that look back on the campaign itself
    """
    rows = events.typed(touches, TOUCHES)
    schema.check_columns(rows.columns, ("campaign", "arm"), "touches lack")
    told = collect(rows.filter(rows.campaign == config.name).select("customer_id", "touched_at", "arm"))
    if told.empty:
        known = sorted(collect(rows.select("campaign").distinct())["campaign"].dropna())
        hint = schema.did_you_mean(config.name, known) or f"; there are: {', '.join(known) or 'none'}"
        raise DataError(f"no touch is of the campaign {config.name!r}{hint}; set campaign.name")
    told["arm"] = told["arm"].str.strip().str.lower()
    _check_arms(told["arm"])
    starts_on = windows.as_timestamp(config.start) if config.start else told["touched_at"].min().normalize()
    arms = told.groupby("customer_id")["arm"].agg(["first", "nunique"]).reset_index()
    once = arms.loc[arms["nunique"] == 1, ["customer_id", "first"]].rename(columns={"first": "arm"})
    customers = _with_segments(once.assign(starts_on=starts_on.as_unit("us")), decisions, config)
    return Touched(customers.sort_values("customer_id", ignore_index=True), _notices(len(arms) - len(once)))


def _with_segments(customers: pd.DataFrame, decisions: pd.DataFrame | None, config: CampaignConfig) -> pd.DataFrame:
    if decisions is None:
        return customers.assign(segment=ALL, stratum=ALL)
    check_customers(decisions, config.strata)
    _check_looks_back(decisions, customers["starts_on"].iloc[0])
    own = decisions.assign(customer_id=decisions["customer_id"].astype("str"))
    own = own[own["customer_id"].isin(set(customers["customer_id"]))]
    labels = pd.DataFrame(
        {"customer_id": own["customer_id"], "segment": segment_of(own, config), "stratum": strata_of(own, config)}
    )
    return customers.merge(labels, on="customer_id", how="left").fillna({"segment": UNKNOWN, "stratum": UNKNOWN})


def _check_looks_back(decisions: pd.DataFrame, starts_on: pd.Timestamp) -> None:
    if "as_of" not in decisions.columns or decisions.empty:
        return
    looked_back_from = windows.as_timestamp(decisions["as_of"].max())
    if windows.before(starts_on, looked_back_from):
        raise DataError(
            f"the decisions look back from {looked_back_from:%Y-%m-%d}, when the campaign ran already (since "
            f"{starts_on:%Y-%m-%d}): its effect would be in the segments; take decisions of that day or before"
        )


def _check_arms(arms: pd.Series[str]) -> None:
    unknown = sorted(set(arms.fillna("")) - set(ARMS))
    if unknown:
        raise DataError(f"touches of the campaign name arms {unknown}; they must be {' or '.join(ARMS)}")


def _notices(in_both: int) -> tuple[str, ...]:
    if not in_both:
        return ()
    words = ngettext(
        "{n} customer has touches in both arms and is left out",
        "{n} customers have touches in both arms and are left out",
        in_both,
    )
    return (words.format(n=in_both),)
