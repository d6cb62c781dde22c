"""Scores of models that have not been trained, or for some seconds only."""
