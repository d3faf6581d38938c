"""Segments: rules that label every customer, groups found in the data, and what to think of both."""

from segml.segments.abc_xyz import abc_classes, abc_xyz_matrix, month_variation
from segml.segments.clusters import TRUSTED_TYPES, KMeansSegments
from segml.segments.found import NOT_CLUSTERED, FoundSegments, find_segments, label_segments
from segml.segments.preprocessing import LogStandardClip
from segml.segments.profile import profiles
from segml.segments.rules import RuleLabels, assign_rules, schemes
from segml.segments.scheme import Scheme
from segml.segments.stability import bootstrap_jaccard, stability
from segml.segments.validity import NextPeriod, eta_squared, next_period

__all__ = [
    "NOT_CLUSTERED",
    "TRUSTED_TYPES",
    "FoundSegments",
    "KMeansSegments",
    "LogStandardClip",
    "NextPeriod",
    "RuleLabels",
    "Scheme",
    "abc_classes",
    "abc_xyz_matrix",
    "assign_rules",
    "bootstrap_jaccard",
    "eta_squared",
    "find_segments",
    "label_segments",
    "month_variation",
    "next_period",
    "profiles",
    "schemes",
    "stability",
]
