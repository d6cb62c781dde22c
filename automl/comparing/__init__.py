"""Methods and searchers side by side: one space, one data snapshot, one budget in rows trained, the same finals.

Importing this is light; scipy and torch come in when something is compared or trained.
"""

from automl.comparing._account import comparison_of
from automl.comparing._entries import Entry, entries_of
from automl.comparing._judging import Diagnosis
from automl.comparing._running import Plan, compare
from automl.comparing._words import agreement_table, duel_table, lines, standing_table

__all__ = [
    "Diagnosis",
    "Entry",
    "Plan",
    "agreement_table",
    "compare",
    "comparison_of",
    "duel_table",
    "entries_of",
    "lines",
    "standing_table",
]
