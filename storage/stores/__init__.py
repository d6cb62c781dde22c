"""Plug room: one trial store a file."""
