"""Segments: rules that label every customer, groups found in the data, and what to think of both."""

from segml.segments.cohorts import cohort_table
from segml.segments.found import NOT_CLUSTERED, TRUSTED_TYPES, ClusterModel, label_segments
from segml.segments.gate import Caution, as_tags, base_cautions, messages_by_scheme, scheme_cautions
from segml.segments.past import Earlier, Past, earlier
from segml.segments.playbook import Playbook, configured_playbook, load_playbook
from segml.segments.products import classify_products
from segml.segments.profile import profiles
from segml.segments.rules import RuleLabels, assign_rules, fixed, label, schemes
from segml.segments.search import FIGURES, VALIDATIONS, FoundSegments, figures, find_segments
from segml.segments.shares import shares
from segml.segments.validity import eta_squared, lead

__all__ = [
    "FIGURES",
    "NOT_CLUSTERED",
    "TRUSTED_TYPES",
    "VALIDATIONS",
    "Caution",
    "ClusterModel",
    "Earlier",
    "FoundSegments",
    "Past",
    "Playbook",
    "RuleLabels",
    "as_tags",
    "assign_rules",
    "base_cautions",
    "classify_products",
    "cohort_table",
    "configured_playbook",
    "earlier",
    "eta_squared",
    "figures",
    "find_segments",
    "fixed",
    "label",
    "label_segments",
    "lead",
    "load_playbook",
    "messages_by_scheme",
    "profiles",
    "scheme_cautions",
    "schemes",
    "shares",
]
