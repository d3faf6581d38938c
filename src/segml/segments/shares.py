"""Which share of customers and of money each segment holds."""

from __future__ import annotations

import pandas as pd

from segml.schemes.scheme import check_columns


def shares(customers: pd.DataFrame, scheme: str, money: str = "revenue_365d") -> pd.DataFrame:
    """Return one row a segment: ``segment``, ``customers``, ``customer_share``, ``revenue``, ``revenue_share``.

    Segments without customers are left out. Rows are in the order of the labels, where these are ordered categoricals.
    Shares of revenue are those of the sum, 0 where that is 0; a segment whose returns outweigh its purchases has a
    negative one.

    Parameters
    ----------
    customers : one row a customer, with both columns
    scheme : the column of the labels
    money : the column to add up

    Raises
    ------
    DataError : one of the columns is not there

    Examples
    --------
    >>> shares(pd.DataFrame({"abc": ["A", "B", "B"], "revenue_365d": [60.0, 30.0, 10.0]}), "abc").round(2)
      segment  customers  customer_share  revenue  revenue_share
    0       A          1            0.33     60.0            0.6
    1       B          2            0.67     40.0            0.4
    """
    check_columns(customers, [scheme, money], "shares")
    table = pd.DataFrame(customers.groupby(scheme, observed=True)[money].agg(customers="size", revenue="sum"))
    total = table["revenue"].sum()
    table.insert(1, "customer_share", table["customers"] / table["customers"].sum())
    revenue_share = table["revenue"] / total if total else 0.0
    return pd.DataFrame(table.assign(revenue_share=revenue_share).rename_axis("segment").reset_index())
