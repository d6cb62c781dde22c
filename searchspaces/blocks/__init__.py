"""Plug room: one interaction operator a file, each an `nn.Module` with its closed-form cost."""
