"""Shows a study to people: one HTML file that opens without a network."""

from automl.report._page import write_report

__all__ = ["write_report"]
