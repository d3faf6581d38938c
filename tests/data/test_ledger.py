"""The ledger's own arithmetic, without any cleaning."""

import json
from decimal import Decimal

import pytest

from segml.data.ledger import Ledger, LedgerRow, Tally
from segml.schema import SegmlError


def tally(lines: int, amount: str = "0", unknown: int = 0, customers: int = 1) -> Tally:
    return Tally(lines, customers, Decimal(amount), unknown)


def ledger(kept: Tally) -> Ledger:
    return Ledger(
        (
            LedgerRow("in", "in", "all", tally(10, "100.10", 2, customers=4)),
            LedgerRow("bad_amount", "taken", "unknown money", tally(2, "0", 2)),
            LedgerRow("cancellations", "taken", "pairs", tally(4, "-0.20"), items=2),
            LedgerRow("margin_computed", "corrected", "lines that stay", tally(3, "30")),
            LedgerRow("kept", "kept", "lines that stand", kept),
        ),
        switched_off=("non_product",),
    )


BALANCED = ledger(tally(4, "100.30", customers=3))


def test_lines_and_money_in_are_kept_and_taken() -> None:
    BALANCED.check()
    assert BALANCED.reconciles
    assert BALANCED.taken == Tally(6, 0, Decimal("-0.20"), 2)


@pytest.mark.parametrize("kept", [tally(5, "100.30"), tally(4, "100.29"), tally(4, "100.30", 1)])
def test_a_line_a_cent_or_an_unknown_amount_too_many_is_an_error(kept: Tally) -> None:
    assert not ledger(kept).reconciles
    with pytest.raises(SegmlError, match="does not reconcile: in Tally"):
        ledger(kept).check()


def test_ten_cents_ten_times_are_exactly_one() -> None:
    tenth = LedgerRow("kept", "kept", "", tally(1, "0.1"))
    came_in = LedgerRow("in", "in", "", tally(10, "1"))
    assert Ledger((came_in, *[tenth] * 10)).reconciles


def test_the_frame_has_one_row_an_entry_with_shares() -> None:
    frame = BALANCED.to_frame().set_index("rule")
    assert frame.loc["cancellations", "share_lines"] == 0.4
    assert float(frame["share_amount"]["kept"]) == pytest.approx(100.30 / 100.10)
    assert frame["lines_amount_unknown"]["bad_amount"] == 2


def test_shares_of_no_money_are_unknown() -> None:
    nothing = Ledger((LedgerRow("in", "in", "", tally(0)), LedgerRow("kept", "kept", "", tally(0))))
    assert nothing.to_dict()["rules"][0]["share_amount"] is None
    assert nothing.to_dict()["rules"][0]["share_lines"] is None


def test_the_dictionary_is_json_and_says_that_it_reconciles() -> None:
    plain = json.loads(json.dumps(BALANCED.to_dict(), allow_nan=False))
    assert plain["reconciles"] is True
    assert plain["totals"]["in"] == {"lines": 10, "amount": 100.10, "lines_amount_unknown": 2}
    assert plain["totals"]["taken"]["lines"] + plain["totals"]["kept"]["lines"] == 10
    assert [row["rule"] for row in plain["rules"]] == [row.rule for row in BALANCED.rows]
    assert plain["switched_off"] == ["non_product"]
    assert ledger(tally(9)).to_dict()["reconciles"] is False


def test_metrics_are_the_tracked_figures() -> None:
    assert BALANCED.metrics() == {
        "data/lines_in": 10.0,
        "data/lines_kept": 4.0,
        "data/amount_in": 100.10,
        "data/amount_kept": 100.30,
        "data/customers": 3.0,
    }


def test_further_corrections_stand_before_what_was_kept_and_change_no_sum() -> None:
    cards = LedgerRow("customer_cards_same_name", "corrected", "cards merged", items=3)
    more = BALANCED.with_corrections([cards])
    assert [row.rule for row in more.rows][-2:] == ["customer_cards_same_name", "kept"]
    assert more.reconciles
    assert more["customer_cards_same_name"].items == 3


def test_an_unknown_rule_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="no_such_rule"):
        BALANCED["no_such_rule"]
