"""What sells with what, and to whom it is offered."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from segml.settings import Positive, Section


class CrossSellConfig(Section):
    """Rules of the kind "who buys glue buys edge tape, too", and offers to customers who buy only glue.

    ``min_lift`` is against customers who buy as many different items, not against all.
    """

    by: Literal["category", "product_id"] = "category"  # what is offered
    basket: Literal["customer", "order"] = "customer"  # within which items belong together
    window_days: Positive = 365  # of purchases
    min_customers: Positive = 10  # who buy both items of a rule
    min_lift: Annotated[float, Field(ge=1)] = 1.3  # association that a rule has to exceed significantly
    false_discovery_rate: Annotated[float, Field(gt=0, lt=1)] = 0.05  # expected share of rules that are chance
    max_items: Positive = 20_000  # those with the most customers
    max_basket_items: Annotated[int, Field(ge=2)] = 1_000  # baskets of more items say nothing of any two of them
    max_pairs: Positive = 5_000  # those of which chance is least likely; each is a rule both ways
    per_customer: Positive = 3  # offers
