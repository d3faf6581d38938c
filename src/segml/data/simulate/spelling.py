"""Errors that can be mended: article codes spelt several ways, and customers who stand in two regions."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.random import Generator

from segml.data.simulate.companies import REGIONS
from segml.data.simulate.draws import sample
from segml.data.simulate.edits import overwritten
from segml.data.simulate.ledger import Planted, changed

SPELT_OTHERWISE = 0.015  # share of lines
IN_TWO_REGIONS = 0.02  # share of companies
EARLIER_LINES = 0.4  # share of such a company's lines, the first ones, with the old region


def codes(rng: Generator, raw: pd.DataFrame) -> tuple[pd.DataFrame, Planted]:
    """Spell some article codes in lower case or with blanks around."""
    lines = sample(rng, np.arange(len(raw)), SPELT_OTHERWISE)
    style = rng.integers(3, size=len(lines))
    code = raw["product_id"].iloc[lines]
    spelt = code.str.lower().where(style == 0, (code + " ").where(style == 1, " " + code.str.lower()))
    after = overwritten(raw, spelt.to_frame())
    return after, changed("product_codes", "code in other case or with blanks", raw.iloc[lines], after.iloc[lines])


def regions(rng: Generator, raw: pd.DataFrame) -> tuple[pd.DataFrame, Planted]:
    """Let some customers' first lines stand in another region; the latest region is the true one."""
    moved = sample(rng, raw["company"].unique(), IN_TWO_REGIONS)
    of_company = raw.groupby("company")["amount"]
    is_early = of_company.cumcount() < np.floor(EARLIER_LINES * of_company.transform("size"))
    before = raw[is_early & raw["company"].isin(moved)]
    old = pd.Series(rng.choice(REGIONS[:-1], size=len(moved)), index=moved, dtype="str")
    region = before["company"].map(old).astype("str").rename("region")
    before, region = before[region != before["region"]], region[region != before["region"]]
    after = overwritten(raw, region.to_frame())
    return after, changed("regions", "customer in two regions", before, after.loc[before.index])
