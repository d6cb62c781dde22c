"""Plug room: one tracker a file."""

ALIASES = {"mlflow": "mlflow_run"}
