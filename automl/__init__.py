"""Decides: the study loop, searchers, configuration, command line, export and report."""
