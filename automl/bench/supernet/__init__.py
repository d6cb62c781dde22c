"""Whether a supernet orders candidates as training each of them from scratch does."""
