"""Malformed inputs of every kind, given to the command line as a user would."""
