"""A search of architecture and system together, beside one after the other and beside chance, at the same budget."""
