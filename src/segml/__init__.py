"""segml: B2B customer segmentation with churn and stagnation scores, tracked in MLflow."""

from importlib.metadata import version

__version__ = version("segml")
