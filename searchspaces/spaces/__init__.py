"""Plug room: one search space a file."""
