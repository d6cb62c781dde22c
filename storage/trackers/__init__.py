"""Plug room: one tracker a file."""
