"""Which customers are close to the border of the tier of key accounts."""

from __future__ import annotations

from segml.settings import NotNegative, Section, Share


class KeyAccountsConfig(Section):
    """How close to a threshold of the tier of key accounts a customer is that may enter or leave it."""

    revenue_margin: Share = 0.10  # of the revenue that the tier takes
    days_margin: NotNegative = 90.0  # of the time that a customer has to be with us
    p_churn_margin: Share = 0.05  # of the risk that is allowed
