"""segml: B2B customer segmentation with churn and stagnation scores, tracked in MLflow."""

__version__ = "0.1.0"
