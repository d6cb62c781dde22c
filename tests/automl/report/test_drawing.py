"""A trial's architecture as a drawing, with what its training made of the data."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import replace

from automl.report import draw_trial
from evaluators import Fidelity, Suggestion, Trial, TrialState
from searchspaces import Architecture, Candidate, Node, Options
from searchspaces.cost import cost
from tests.automl.report.studies import SCHEMA, architecture, measured


def caption(drawing: str) -> str:
    texts = ElementTree.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    return [str(text.text) for text in texts][-1]


def parameters(hash_cap: int | None) -> str:
    return f"{cost(architecture(64), SCHEMA.capped(hash_cap)).parameters:,} parameters"


def test_the_parameters_are_those_that_were_trained() -> None:
    trial = measured(0, 0.9, 1e5)
    assert caption(draw_trial(trial, SCHEMA)).startswith(parameters(None))
    assert caption(draw_trial(trial, SCHEMA, hash_cap=100)).startswith(parameters(100))


def test_the_candidate_and_the_fidelity_overrule_the_cap_of_the_evaluator() -> None:
    own = Candidate(architecture(64), Options(hash_cap=200))
    trial = Trial(0, "search", Suggestion(own), TrialState.WAITING)
    cheap = replace(trial, suggestion=Suggestion(own, Fidelity(0, Options(hash_cap=50))))
    assert caption(draw_trial(trial, SCHEMA, hash_cap=100)).startswith(parameters(200))
    assert caption(draw_trial(cheap, SCHEMA, hash_cap=100)).startswith(parameters(50))


def test_a_block_that_is_not_installed_is_drawn_without_shapes() -> None:
    foreign = Candidate(Architecture((Node("numeric"), Node("of_another_program", (0,)))))
    drawing = draw_trial(Trial(0, "search", Suggestion(foreign), TrialState.WAITING), SCHEMA)
    assert caption(drawing) == "of_another_program"


def test_settings_alone_have_no_drawing() -> None:
    trial = Trial(0, "search", Suggestion(Candidate(None, Options(rate=0.1))), TrialState.WAITING)
    assert draw_trial(trial, SCHEMA) == ""
