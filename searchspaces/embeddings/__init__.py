"""Plug room: one choice a file of how a raw input enters the graph (source nodes)."""
