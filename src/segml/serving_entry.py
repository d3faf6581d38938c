"""What MLflow runs to load the model: code, not a pickle."""

from mlflow.models import set_model

from segml.serving_model import DecisionModel

set_model(DecisionModel())
