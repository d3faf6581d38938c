"""Found segments: clusterers, how many segments there are, what they are in words, and what becomes of them."""

from segml.clusters.candidates import RULE, Candidate, measure, with_rules
from segml.clusters.choice import Choice, Thresholds, choose
from segml.clusters.criteria import (
    SAMPLE_SIZE,
    bootstrap_stability,
    gap,
    jaccard,
    prediction_strength,
    silhouette_by_segment,
    smallest_share,
)
from segml.clusters.crossing import crossed, flows, share_kept, side_by_side
from segml.clusters.density import HDBSCANSegments
from segml.clusters.hierarchy import NOISE
from segml.clusters.identity import Agreement, Movement, Refit, agreement, match, movement, refit
from segml.clusters.kmeans import KMeansSegments
from segml.clusters.preprocessing import CustomerScaler
from segml.clusters.projection import Projection, projection
from segml.clusters.reasons import paragraph
from segml.clusters.refits import Refits
from segml.clusters.surrogate import Surrogate, explain_by_tree
from segml.clusters.weights import revenue_weights

__all__ = [
    "NOISE",
    "RULE",
    "SAMPLE_SIZE",
    "Agreement",
    "Candidate",
    "Choice",
    "CustomerScaler",
    "HDBSCANSegments",
    "KMeansSegments",
    "Movement",
    "Projection",
    "Refit",
    "Refits",
    "Surrogate",
    "Thresholds",
    "agreement",
    "bootstrap_stability",
    "choose",
    "crossed",
    "explain_by_tree",
    "flows",
    "gap",
    "jaccard",
    "match",
    "measure",
    "movement",
    "paragraph",
    "prediction_strength",
    "projection",
    "refit",
    "revenue_weights",
    "share_kept",
    "side_by_side",
    "silhouette_by_segment",
    "smallest_share",
    "with_rules",
]
