"""Campaign tests: who is treated, how large an effect can be seen, and what it was."""

from segml.campaigns.assignment import Assigned, assign, check_customers, draw, segment_of, strata_of, takes_part
from segml.campaigns.balance import balance
from segml.campaigns.checks import even_ratio, sample_ratio
from segml.campaigns.effects import ALL, EFFECTS, effects
from segml.campaigns.estimate import Estimate, adjusted_difference, together
from segml.campaigns.kept import ARMS, COLUMNS, CONTROL, TREATMENT, VERSION, nobody, of_campaign, typed
from segml.campaigns.measuring import Measured, measure
from segml.campaigns.outcomes import outcomes
from segml.campaigns.planning import Planned, plan
from segml.campaigns.pooling import pooled
from segml.campaigns.power import POWER, Past, detectable, needed, past, power_table
from segml.campaigns.touched import Touched, from_touches

__all__ = [
    "ALL",
    "ARMS",
    "COLUMNS",
    "CONTROL",
    "EFFECTS",
    "POWER",
    "TREATMENT",
    "VERSION",
    "Assigned",
    "Estimate",
    "Measured",
    "Past",
    "Planned",
    "Touched",
    "adjusted_difference",
    "assign",
    "balance",
    "check_customers",
    "detectable",
    "draw",
    "effects",
    "even_ratio",
    "from_touches",
    "measure",
    "needed",
    "nobody",
    "of_campaign",
    "outcomes",
    "past",
    "plan",
    "pooled",
    "power_table",
    "sample_ratio",
    "segment_of",
    "strata_of",
    "takes_part",
    "together",
    "typed",
]
