"""Segments: rules that label every customer, groups found in the data, and what to think of both."""

from segml.segments.clusters import TRUSTED_TYPES, KMeansSegments
from segml.segments.cohorts import cohort_table
from segml.segments.found import NOT_CLUSTERED, FoundSegments, find_segments, label_segments
from segml.segments.gate import Caution, as_tags, base_cautions, messages_by_scheme, scheme_cautions
from segml.segments.playbook import Playbook, load_playbook
from segml.segments.preprocessing import LogStandardClip
from segml.segments.products import classify_products
from segml.segments.profile import profiles
from segml.segments.rules import RuleLabels, assign_rules, label, schemes
from segml.segments.stability import bootstrap_jaccard, stability
from segml.segments.validity import NextPeriod, eta_squared, next_period

__all__ = [
    "NOT_CLUSTERED",
    "TRUSTED_TYPES",
    "Caution",
    "FoundSegments",
    "KMeansSegments",
    "LogStandardClip",
    "NextPeriod",
    "Playbook",
    "RuleLabels",
    "as_tags",
    "assign_rules",
    "base_cautions",
    "bootstrap_jaccard",
    "classify_products",
    "cohort_table",
    "eta_squared",
    "find_segments",
    "label",
    "label_segments",
    "load_playbook",
    "messages_by_scheme",
    "next_period",
    "profiles",
    "scheme_cautions",
    "schemes",
    "stability",
]
