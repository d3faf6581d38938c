"""What a customer sends back."""

from __future__ import annotations

from segml import windows
from segml.config import FeaturesConfig
from segml.features.arithmetic import ratio, sum_of
from segml.features.spec import Definition, Feature, Ingredient
from segml.features.value import sum_in_ages

FAMILY = "returns"


def definitions(config: FeaturesConfig) -> tuple[Definition, ...]:
    """Return the definitions of this family, in the order in which they are computed."""
    return (
        Ingredient("returned_365d", grain="batch", formula=lambda batches: sum_in_ages(batches, "returned", 365)),
        Ingredient("gross_365d", grain="batch", formula=lambda batches: sum_in_ages(batches, "gross", 365)),
        Feature(
            "return_share_365d",
            FAMILY,
            "share",
            "money returned in the last 365 days over money of the purchases; NaN without a purchase",
            "returns",
            grain="customer",
            formula=lambda c: ratio(c["returned_365d"], c["gross_365d"]),
        ),
        Feature(
            "return_line_count_365d",
            FAMILY,
            "lines",
            "return lines in the last 365 days",
            "returns",
            grain="batch",
            formula=lambda batches: sum_of(batches.return_lines, windows.in_last(batches.age, 365)),
        ),
    )
