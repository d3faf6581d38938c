"""Who is treated: drawn within strata, independent of the order of rows, and never drawn again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd

from segml import schema
from segml.campaigns import kept as keeping
from segml.campaigns.pooling import UNKNOWN, at_least, pooled
from segml.config import CampaignConfig
from segml.language import ngettext
from segml.schema import ConfigError, DataError
from segml.schemes.expression import Expression
from segml.windows import Moment, as_timestamp


@dataclass(frozen=True)
class Assigned:
    """Assignments of all campaigns after a draw.

    Attributes
    ----------
    table : ``kept.COLUMNS``; what was kept before stands in it unchanged
    added : the rows that are new
    """

    table: pd.DataFrame
    added: pd.DataFrame
    notices: tuple[str, ...]


def assign(customers: pd.DataFrame, config: CampaignConfig, before: pd.DataFrame, *, on: Moment) -> Assigned:
    """Draw the arm of every customer that has none yet; nobody who has one is moved.

    Within a stratum the order is that of a keyed hash of seed, campaign and customer. Treated are the places at which
    the running total of ``share`` passes a whole number (systematic sampling from a random start, Madow & Madow 1944,
    over the strata in order): every customer has the chance ``share`` exactly, and each stratum, and the whole, has
    the share of treated up to one customer. A later draw is one of its own among those who are new.

    Parameters
    ----------
    customers : one row a customer, ``customer_id`` and the columns that ``config.strata`` and ``config.where`` name
    before : assignments of all campaigns so far (``kept.COLUMNS``)
    on : day of the draw; the window of those who are new starts on it, or on ``config.start`` if that is later

    Raises
    ------
    DataError : columns missing, a customer without a number, or twice
    ConfigError : the campaign was begun with another share, seed, length or first day
    """
    check_customers(customers, config.strata)
    day = as_timestamp(on).normalize()
    start = max(day, as_timestamp(config.start)) if config.start is not None else day
    own = before[before["campaign"] == config.name]
    _check_unchanged(own, config)
    others = before[before["campaign"] != config.name]
    busy = set(others.loc[keeping.is_running(others, start, config.days), "customer_id"])
    numbers = customers["customer_id"].astype("str")
    is_new = takes_part(customers, config) & ~numbers.isin(set(own["customer_id"]))
    is_free = ~numbers.isin(busy)
    added = _drawn(customers[is_new & is_free], config, day, start)
    table = pd.concat([before, added], ignore_index=True) if len(before) else added
    gone = int((~own["customer_id"].isin(set(numbers))).sum())
    return Assigned(table, added, _notices(len(own), gone, int((is_new & ~is_free).sum())))


def draw(customers: Sequence[str], strata: Sequence[str], config: CampaignConfig) -> list[bool]:
    """Tell which customers are treated; see ``assign``.

    Parameters
    ----------
    customers, strata : who is drawn, each once, and the stratum of each, in any order
    """
    keys = {customer: _hash(config, customer) for customer in customers}
    order = sorted(zip(strata, customers, strict=True), key=lambda row: (row[0], keys[row[1]], row[1]))
    begin = _hash(config, *sorted(customers))
    chosen = zip(order, _every(config.share, len(order), begin), strict=True)
    treated = {customer for (_stratum, customer), is_chosen in chosen if is_chosen}
    return [customer in treated for customer in customers]


def check_customers(customers: pd.DataFrame, strata: tuple[str, ...]) -> None:
    """Raise ``DataError`` where a table is not one row a customer with these columns."""
    schema.check_columns(customers.columns, ("customer_id", *strata), "decisions lack")
    if customers["customer_id"].isna().any():
        raise DataError("decisions hold rows without a customer_id; leave them out")
    keeping.check_once(customers.astype({"customer_id": "str"}), ["customer_id"], "decisions")


def takes_part(customers: pd.DataFrame, config: CampaignConfig) -> pd.Series[bool]:
    """Tell for whom ``config.where`` holds; where it cannot be told, it does not.

    Raises
    ------
    DataError : the rule names a column that is not there, or of another kind
    """
    if config.where is None:
        return pd.Series(True, index=customers.index)
    return Expression(config.where).evaluate(customers).fillna(False).astype("bool")


def strata_of(customers: pd.DataFrame, config: CampaignConfig) -> pd.Series[str]:
    """Return the stratum of each customer; those of too small strata are pooled."""
    return pooled(customers[list(config.strata)], at_least(config.min_stratum))


def segment_of(customers: pd.DataFrame, config: CampaignConfig) -> pd.Series[str]:
    """Return what the effect is told by: the first of the strata's columns."""
    first = customers[config.strata[0]]
    return first.astype("str").where(first.notna(), UNKNOWN)


def _drawn(customers: pd.DataFrame, config: CampaignConfig, day: pd.Timestamp, start: pd.Timestamp) -> pd.DataFrame:
    if customers.empty:
        return keeping.nobody()
    rows = pd.DataFrame(
        {
            "version": keeping.VERSION,
            "campaign": config.name,
            "customer_id": customers["customer_id"].astype("str"),
            "segment": segment_of(customers, config),
            "stratum": strata_of(customers, config),
            "assigned_on": day,
            "starts_on": start,
            "days": config.days,
            "share": config.share,
            "seed": config.seed,
        }
    )
    is_treated = draw(list(rows["customer_id"]), list(rows["stratum"]), config)
    arms = np.where(is_treated, keeping.TREATMENT, keeping.CONTROL)
    whole = rows.assign(arm=arms).sort_values("customer_id", ignore_index=True)
    return whole[list(keeping.COLUMNS)].astype(keeping.COLUMNS)


def _every(share: float, places: int, begin: int) -> list[bool]:
    """Tell at which places the running total of the share, begun at random, passes a whole number."""
    exact = Fraction(str(share)).limit_denominator(1_000_000)
    passed = [(exact.numerator * place + begin % exact.denominator) // exact.denominator for place in range(places + 1)]
    return [later > earlier for earlier, later in pairwise(passed)]


def _hash(config: CampaignConfig, *words: str) -> int:
    """Return a number that looks random, and is always the same for the same seed, campaign and words."""
    text = "\x1f".join([str(config.seed), config.name, *words])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def _check_unchanged(own: pd.DataFrame, config: CampaignConfig) -> None:
    """Raise ``ConfigError`` where a campaign that has begun would go on in another way."""
    for name in ("share", "seed", "days"):
        was = sorted(set(own[name]))
        if was and was != [getattr(config, name)]:
            raise ConfigError(
                f"the campaign {config.name!r} was begun with {name} {was[0]}; found {getattr(config, name)}: set "
                f"campaign.{name}={was[0]} to add customers to it, or give another campaign.name"
            )


def _notices(kept: int, gone: int, busy: int) -> tuple[str, ...]:
    told = []
    if kept:
        words = ngettext(
            "{n} customer was assigned before and keeps its arm",
            "{n} customers were assigned before and keep their arms",
            kept,
        )
        told.append(words.format(n=kept))
    if gone:
        words = ngettext(
            "{n} of them is not among the decisions any more and stays in the test",
            "{n} of them are not among the decisions any more and stay in the test",
            gone,
        )
        told.append(words.format(n=gone))
    if busy:
        words = ngettext(
            "{n} customer is left out: it is in another campaign that runs at the same time",
            "{n} customers are left out: they are in another campaign that runs at the same time",
            busy,
        )
        told.append(words.format(n=busy))
    return tuple(told)
