"""Churn and stagnation: models, evaluation over time, reasons."""
