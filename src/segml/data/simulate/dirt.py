"""From the true order lines to the raw log: all errors planted, every one entered."""

from __future__ import annotations

import pandas as pd
from numpy.random import Generator

from segml import schema
from segml.data.simulate import cards, damage, extra, spelling
from segml.data.simulate.cards import SecondCards
from segml.data.simulate.ledger import Planted

_NOT_SIMULATED = ("cost", "discount_rate", "currency", "exchange_rate")
RAW_COLUMNS = tuple(name for name in schema.TRANSACTIONS.names if name not in _NOT_SIMULATED)


def spoil(
    rng: dict[str, Generator], lines: pd.DataFrame, second_cards: SecondCards
) -> tuple[pd.DataFrame, pd.Series, list[Planted]]:
    """Return the raw transactions, the kind of error that spoilt each true line (null: none), and the entries.

    What can be mended (codes, regions, cards) comes first, so that a line and its exact repeat or its cancelling
    line agree.
    """
    raw = lines.assign(company=lines["customer_id"], booked_at=lines["ordered_at"])
    raw, of_codes = spelling.codes(rng["spelling"], raw)
    raw, of_regions = spelling.regions(rng["spelling"], raw)
    raw, of_cards = cards.split(rng["cards"], second_cards, raw)
    raw, spoilt, of_damage = damage.plant(rng["damage"], raw)
    more, of_extra = _extra(rng, raw, spoilt)
    log = pd.concat([raw, *more]).sort_values(["booked_at", "order_id"], kind="stable")
    entries = [*of_damage, *of_extra, of_codes, of_regions, of_cards]
    return log[list(RAW_COLUMNS)].reset_index(drop=True), spoilt, entries


def _extra(rng: dict[str, Generator], raw: pd.DataFrame, spoilt: pd.Series) -> tuple[list[pd.DataFrame], list[Planted]]:
    whole = raw[spoilt.isna()]
    repeated, of_repeats = extra.repeats(rng["extra lines"], whole)
    cancelling, of_cancelling = extra.cancelling(raw)
    frames, entries = extra.non_products(rng["extra lines"], whole)
    return [repeated, cancelling, *frames], [of_repeats, of_cancelling, *entries]
