"""Configuration of triggers and tasks: what calls for a contact, whose task it becomes, and how much one can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from segml.schema import did_you_mean
from segml.schemes.custom import Rule
from segml.schemes.named import ColumnName
from segml.settings import NotNegative, Positive, Section, Share

Days = Annotated[int, Field(ge=0)]
Capacity = Positive | Literal["unlimited"]
OwnerName = Annotated[str, Field(min_length=1, max_length=60)]

BUILT_IN_OWNERS: Mapping[str, Capacity] = {
    "sales": 40,
    "key account manager": 10,
    "customer success": 20,
    "marketing": "unlimited",
}


class Trigger(Section):
    """What every trigger has; a task is not repeated within ``cool_down_days`` of the same one before it.

    Where its owner's week is full, or the customer has enough tasks in it, a task waits for a later week, at most
    ``wait_days`` after its due date.
    """

    is_on: bool = True
    where: Rule | None = None  # condition on features, labels and scores; null: everybody
    owner: OwnerName = "sales"
    cool_down_days: Days = 60  # between the due dates of two tasks of this trigger, customer and subject
    wait_days: Days = 28  # that a task may be put off


class ReorderDue(Trigger):
    """The next order is due by the customer's own usual gap, or overdue."""

    kind: Literal["reorder_due"] = "reorder_due"
    where: Rule | None = 'lifecycle != "inactive"'  # condition on features, labels and scores; null: everybody
    cool_down_days: Days = 14  # between the due dates of two tasks of this trigger, customer and subject
    wait_days: Days = 5  # that a task may be put off
    lead_days: Days | None = None  # before the expected order; null: actions.reorder_lead_days
    min_gap_days: NotNegative = 10.0  # who orders more often needs no reminder


class AtRisk(Trigger):
    """Churn or stagnation is likely; with ``actions.contact_cost``, and a contact earns more than it costs."""

    kind: Literal["at_risk"] = "at_risk"
    min_p_stagnation: Share | None = None  # null: actions.min_p_stagnation
    min_p_churn: Share | None = None  # likewise of churn, either is enough; null: not asked
    due_in_days: Days = 0  # from the as-of date


class WinBack(Trigger):
    """The steps of ``actions.win_back_steps``, one a month from the day on which the customer became inactive."""

    kind: Literal["win_back"] = "win_back"
    where: Rule | None = 'lifecycle == "inactive"'  # condition on features, labels and scores; null: everybody
    wait_days: Days = 14  # that a task may be put off


class Upgrade(Trigger):
    """Revenue of the last 90 days is well above the run rate: offer better terms."""

    kind: Literal["upgrade"] = "upgrade"
    where: Rule | None = 'lifecycle == "active"'  # condition on features, labels and scores; null: everybody
    cool_down_days: Days = 180  # between the due dates of two tasks of this trigger, customer and subject
    wait_days: Days = 60  # that a task may be put off
    growth: NotNegative | None = None  # above the run rate, from which on; null: actions.upgrade_growth
    due_in_days: Days = 7  # from the as-of date


class CrossSell(Trigger):
    """Customers like this one buy something more."""

    kind: Literal["cross_sell"] = "cross_sell"
    where: Rule | None = 'lifecycle == "active"'  # condition on features, labels and scores; null: everybody
    cool_down_days: Days = 180  # between the due dates of two tasks of this trigger, customer and subject
    wait_days: Days = 60  # that a task may be put off
    min_money: NotNegative = 0.0  # expected of an offer
    per_customer: Positive = 1  # offers, those of the most money
    due_in_days: Days = 14  # from the as-of date


class Onboarding(Trigger):
    """Steps on set days after the first purchase."""

    kind: Literal["onboarding"] = "onboarding"
    where: Rule | None = 'lifecycle == "new"'  # condition on features, labels and scores; null: everybody
    owner: OwnerName = "customer success"
    wait_days: Days = 5  # that a task may be put off
    days: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 3, 7, 30, 90)  # after the first purchase


class RenewalDue(Trigger):
    """A contract comes up for renewal; the reason tells the band of health."""

    kind: Literal["renewal"] = "renewal"
    owner: OwnerName = "customer success"
    wait_days: Days = 21  # that a task may be put off
    within_days: Positive = 60  # before the renewal


class KeyAccountCare(Trigger):
    """Regular meetings; the last one is known from earlier tasks."""

    kind: Literal["key_account_care"] = "key_account_care"
    where: Rule | None = 'tier == "key"'  # condition on features, labels and scores; null: everybody
    owner: OwnerName = "key account manager"
    cool_down_days: Days = 30  # between the due dates of two tasks of this trigger, customer and subject
    wait_days: Days = 84  # that a task may be put off
    every_days: Positive = 91  # from one meeting to the next
    lead_days: Days = 14  # from the task to the meeting


class CustomTrigger(Trigger):
    """A rule of one's own: the condition, the column that tells the money, and what is to be done in words."""

    kind: Literal["custom"] = "custom"
    where: Rule  # condition on features, labels and scores
    amount: str = "run_rate"  # column of money by which tasks are ranked
    text: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n\t]*$")]  # the reason
    due_in_days: Days = 0  # from the as-of date


AnyTrigger = (
    ReorderDue | AtRisk | WinBack | Upgrade | CrossSell | Onboarding | RenewalDue | KeyAccountCare | CustomTrigger
)


class TriggersConfig(Section):
    """The built-in triggers."""

    reorder_due: ReorderDue = ReorderDue()
    at_risk: AtRisk = AtRisk()
    win_back: WinBack = WinBack()
    upgrade: Upgrade = Upgrade()
    cross_sell: CrossSell = CrossSell()
    onboarding: Onboarding = Onboarding()
    renewal: RenewalDue = RenewalDue()
    key_account_care: KeyAccountCare = KeyAccountCare()


def _over_built_in(owners: Any) -> Any:
    return {**BUILT_IN_OWNERS, **owners} if isinstance(owners, dict) else owners


class TasksConfig(Section):
    """Triggers of tasks, and who does them; ``own`` triggers are of any ``kind``, under names of their own.

    ``owners`` tells how many contacts a week each of them can make; those given come over the built-in ones. Tasks of
    one owner with one customer in one week are one contact, of at most ``per_contact`` tasks.
    """

    ahead_days: Positive = 91  # tasks due until then are issued: a quarter; 7 where this runs every week
    owners: Annotated[dict[OwnerName, Capacity], BeforeValidator(_over_built_in)] = Field(
        default_factory=lambda: dict(BUILT_IN_OWNERS)
    )
    owner_column: str | None = None  # that names each customer's own owner; null: the trigger's
    capacity: Positive = 40  # contacts a week of owners whom only that column names
    per_contact: Positive = 2  # tasks
    triggers: TriggersConfig = TriggersConfig()
    own: dict[ColumnName, Annotated[AnyTrigger, Field(discriminator="kind")]] = Field(default_factory=dict)

    def rows(self) -> Iterator[tuple[str, AnyTrigger]]:
        """Yield the triggers that are on under their names, the built-in ones first."""
        built_in = ((name, getattr(self.triggers, name)) for name in TriggersConfig.model_fields)
        yield from ((name, trigger) for name, trigger in (*built_in, *self.own.items()) if trigger.is_on)

    def capacity_of(self, owner: str) -> float:
        """Return the contacts that an owner can make in a week; infinite where there is no limit."""
        found = self.owners.get(owner, self.capacity)
        return float("inf") if found == "unlimited" else float(found)

    @model_validator(mode="after")
    def _names_are_free(self) -> TasksConfig:
        taken = next((name for name in self.own if name in TriggersConfig.model_fields), None)
        if taken is not None:
            raise ValueError(
                f"own names {taken!r}, which is built in: change it under triggers, or choose another name"
            )
        return self

    @model_validator(mode="after")
    def _owners_are_known(self) -> TasksConfig:
        for name, trigger in self.rows():
            if trigger.owner not in self.owners:
                hint = did_you_mean(trigger.owner, self.owners) or f"; there are: {', '.join(self.owners)}."
                raise ValueError(f"{name}: {trigger.owner!r} is not among the owners{hint} Or add it to owners")
        return self
