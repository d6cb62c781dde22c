"""Plug room: one ask/tell searcher a file."""
