"""Differentiable search on planted clicks: whether it finds the operators that alone can say what is planted."""
