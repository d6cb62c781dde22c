"""Reliability of one evaluation: what share of a label's variance is the candidate's own quality."""
