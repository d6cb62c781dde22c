"""Trainers of the user's own: what they are given, what they give back, and how they are run and ended."""
