"""Draws a trial's architecture, with the widths and shares of the data that it was trained on."""

from __future__ import annotations

from evaluators import Trial
from searchspaces import FeatureSchema, SearchSpaceError


def draw_trial(trial: Trial, schema: FeatureSchema | None, *, hash_cap: int | None = None) -> str:
    """One `svg` element, empty where the trial has no architecture.

    The data's vocabularies are capped as in its training: by its fidelity or by the candidate itself where
    these say so, else by `hash_cap`, the evaluator's. Without a schema no shapes and shares are drawn.
    """
    architecture = trial.candidate.architecture
    if architecture is None:
        return ""
    from searchspaces.graph import to_svg

    settings = {"hash_cap": hash_cap, **trial.candidate.training, **trial.suggestion.fidelity.settings}
    cap = settings["hash_cap"]
    try:
        return to_svg(architecture, schema and schema.capped(cap if isinstance(cap, int) else None))
    except SearchSpaceError:  # a foreign evaluator may measure blocks that this installation cannot build
        return to_svg(architecture)
