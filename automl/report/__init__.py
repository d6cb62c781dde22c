"""Shows a study to people: one HTML file that opens without a network, and its architectures as drawings."""

from automl.report._drawing import draw_trial
from automl.report._page import write_report

__all__ = ["draw_trial", "write_report"]
