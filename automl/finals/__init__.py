"""Finals: the best candidates of a search and its baselines trained anew over seeds, and a verdict that can be trusted.

Importing this is light; scipy and torch come in when something is compared or trained.
"""

from automl.finals._comparisons import Comparison, crossed, holm, paired
from automl.finals._running import BLEND_FILE, Plan, finals
from automl.finals._standings import Relation, Standings, compare_baselines, standings_sentence
from automl.finals._verdicts import ERROR, MARGIN, Judged, Kind, Scores, Verdict, compare_finalists, judge, sentence
from automl.finals._words import lines, table_rows

__all__ = [
    "BLEND_FILE",
    "ERROR",
    "MARGIN",
    "Comparison",
    "Judged",
    "Kind",
    "Plan",
    "Relation",
    "Scores",
    "Standings",
    "Verdict",
    "compare_baselines",
    "compare_finalists",
    "crossed",
    "finals",
    "holm",
    "judge",
    "lines",
    "paired",
    "sentence",
    "standings_sentence",
    "table_rows",
]
