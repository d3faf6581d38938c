"""Sales channel: how orders come in."""

from __future__ import annotations

from segml.language import N_
from segml.schemes.scheme import FromData


class SalesChannel(FromData):
    """The channel of most of a customer's orders in the last 365 days; rare channels share one label."""

    column = "sales_channel"
    title = N_("Sales channel")
    question = N_("Through which channel do customers buy?")
    source = "top_channel"
