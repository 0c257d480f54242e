"""Forecast fantasy points: feature sets, baselines, estimators, evaluation, tracking in MLflow."""
