"""A handful of order lines, made by hand."""

import pandas as pd

from segml.schema import ORDER_LINES


def log(*rows: tuple[str, str, str, float, float | None, str | None]) -> pd.DataFrame:
    """Return order lines of customer, order, moment, amount, margin, moment of cancellation."""
    names = ["customer_id", "order_id", "ordered_at", "amount", "margin", "cancelled_at"]
    frame = pd.DataFrame(rows, columns=names).astype({"margin": "float64"})
    times = {name: pd.to_datetime(frame[name]).astype("datetime64[us]") for name in ("ordered_at", "cancelled_at")}
    return frame.assign(**times).reindex(columns=list(ORDER_LINES.names))
