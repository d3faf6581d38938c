"""Segments: rule-based schemes, clusters, profiles."""
