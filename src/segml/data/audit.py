"""The account of a cleaning: its ledger, what makes its result unusable, and what is worth a warning."""

from __future__ import annotations

from datetime import date

from ibis.expr.types import Table

from segml.config import CleaningConfig
from segml.data import rules
from segml.data.corrections import ORDER_ID_MADE_UP, count_corrections, count_regions
from segml.data.ledger import Ledger, LedgerRow, Tally
from segml.data.patterns import matches_any
from segml.data.tally import tallies, tally
from segml.language import N_, _, ngettext
from segml.schema import DataError

_LOUD_SHARE = 0.20
"""A rule that takes a larger share of the lines than this is worth a warning."""

_ADVICE = {rule.name: rule.advice for rule in rules.RULES}


def account(prepared: Table, judged: Table, lines: Table, cleaning: CleaningConfig) -> Ledger:
    """Return the reconciled ledger of a cleaning.

    What came in is counted over the ``prepared`` lines, what was taken over the lines with their rule (``judged``), and
    what was kept over the resulting order ``lines``, so that reconciling them proves something.
    """
    by_rule = tallies(judged.filter(judged.rule.notnull()), "rule")
    pairs = lines.cancelled_at.count().to_pyarrow().as_py()
    ledger = Ledger(
        (
            LedgerRow("in", "in", N_("all lines of the source"), tally(prepared)),
            *(_taken_row(rule, by_rule, pairs) for rule in rules.RULES if rule.is_on(cleaning)),
            *count_corrections(prepared),
            count_regions(prepared),
            LedgerRow("kept", "kept", N_("lines that stand"), tally(lines.filter(lines.cancelled_at.isnull()))),
        ),
        switched_off=tuple(rule.name for rule in rules.RULES if not rule.is_on(cleaning)),
    )
    ledger.check()
    return ledger


def refuse_unusable_lines(judged: Table, cleaning: CleaningConfig, today: date) -> None:
    """Raise ``DataError`` where a rule is off without which some of the remaining lines cannot be used."""
    remaining = judged.filter(judged.rule.isnull() | judged.cancelled_at.notnull())
    for rule in rules.LINE_RULES:
        if rule.is_indispensable and not rule.is_on(cleaning):
            count = remaining.count(where=rule.takes(remaining, cleaning, today)).to_pyarrow().as_py()
            if count:
                raise DataError(
                    f"{count:,} transactions cannot be used ({rule.meaning}), and data.cleaning.{rule.name} is off; "
                    f"switch the rule on to take them away, or mend them: {rule.advice}"
                )


def refuse_nothing_left(ledger: Ledger) -> None:
    """Raise ``DataError`` where no line came in, or none is left."""
    came_in = ledger.came_in.lines
    if not came_in:
        raise DataError("the transactions hold no line; check data.transactions")
    if ledger.kept.lines:
        return
    biggest = [row for row in _by_size(ledger) if row.tally.lines][:3]
    shares = ", ".join(f"{row.rule} took {row.tally.lines:,} ({row.tally.lines / came_in:.1%})" for row in biggest)
    checks = "; ".join(f"{row.rule}: {row.meaning}: {_ADVICE[row.rule]}" for row in biggest)
    raise DataError(f"cleaning leaves none of {came_in:,} lines: {shares}. {checks}")


def notices(ledger: Ledger, prepared: Table, cleaning: CleaningConfig) -> tuple[str, ...]:
    """Return plain warnings about what the rules met."""
    return (*_loud_rules(ledger), *_doubtful_repeats(ledger), *_idle_pattern(prepared, cleaning))


def _taken_row(rule: rules.Rule, by_rule: dict[str, Tally], pairs: int) -> LedgerRow:
    items = pairs if rule is rules.CANCELLATIONS else None
    return LedgerRow(rule.name, "taken", rule.meaning, by_rule.get(rule.name, Tally()), items)


def _by_size(ledger: Ledger) -> list[LedgerRow]:
    taken = [row for row in ledger.rows if row.kind == "taken"]
    return sorted(taken, key=lambda row: row.tally.lines, reverse=True)


def _loud_rules(ledger: Ledger) -> list[str]:
    came_in = ledger.came_in.lines
    told = _("cleaning rule {rule} takes {share:.1%} of all lines ({meaning}); if that is more than expected, {advice}")
    return [
        told.format(rule=row.rule, share=row.tally.lines / came_in, meaning=_(row.meaning), advice=_(_ADVICE[row.rule]))
        for row in _by_size(ledger)
        if row.tally.lines > _LOUD_SHARE * came_in
    ]


def _doubtful_repeats(ledger: Ledger) -> list[str]:
    has_order_numbers = ledger[ORDER_ID_MADE_UP].tally.lines < ledger.came_in.lines
    repeats = sum(row.tally.lines for row in ledger.rows if row.rule == "exact_repeats")
    if has_order_numbers or not repeats:
        return []
    told = ngettext(
        "{n:,} line was taken as exact repeat though the transactions have no order numbers, so that two equal "
        "purchases of a day look alike; if it is genuine, set data.cleaning.exact_repeats to false",
        "{n:,} lines were taken as exact repeats though the transactions have no order numbers, so that two equal "
        "purchases of a day look alike; if they are genuine, set data.cleaning.exact_repeats to false",
        repeats,
    )
    return [told.format(n=repeats)]


def _idle_pattern(prepared: Table, cleaning: CleaningConfig) -> list[str]:
    pattern = cleaning.cancelled_order_pattern
    if pattern is None or not cleaning.cancellations:
        return []
    if prepared.count(where=matches_any(prepared.order_id, [pattern])).to_pyarrow().as_py():
        return []
    told = _(
        "data.cleaning.cancelled_order_pattern {pattern!r} matches no order number: nothing was matched as cancelled"
    )
    return [told.format(pattern=pattern)]
