"""Tuned baselines: human-made models get what a search gets, so that no report compares tuned with untuned.

Pure functions of the record decide what is trained next; `automl.baselining` runs it.
"""

from automl.tuning._contenders import Contender, contenders_of, trees_contender
from automl.tuning._course import TUNED_STAGE, TUNING_STAGE, TuningPlan, needed, still_to_measure, winner_of
from automl.tuning._table import tuned_rows, tuned_words

__all__ = [
    "TUNED_STAGE",
    "TUNING_STAGE",
    "Contender",
    "TuningPlan",
    "contenders_of",
    "needed",
    "still_to_measure",
    "trees_contender",
    "tuned_rows",
    "tuned_words",
    "winner_of",
]
