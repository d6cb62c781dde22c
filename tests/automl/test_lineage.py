"""Family trees and gains of edits, against hand-made studies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from automl._errors import StudyError
from automl.lineage import Lineage, descents, edit_rows, lineage_of, lineage_words, tree_rows
from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Architecture, Candidate, Node, Options
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study

NE, FLOPS = Objective("ne"), Objective("flops")


def graph(width: int, *, crosses: int = 0) -> Candidate:
    nodes = [Node("numeric"), Node("mlp", (0,), Options(width=width))]
    nodes += [Node("cross", (at + 1,), Options(layers=1)) for at in range(crosses)]
    return Candidate(Architecture((*nodes, Node("logit", (len(nodes) - 1,)))))


def trial(
    number: int,
    candidate: Candidate,
    ne: float | None,
    parents: tuple[int, ...] = (),
    *,
    stderr: float | None = 0.01,
    gain: Metric | None = None,
    rung: int = 0,
    replicate: int = 0,
    stage: str = "search",
) -> Trial:
    suggestion = Suggestion(candidate, Fidelity(rung), replicate, parents, "mutation" if parents else "random")
    if ne is None:
        failure = Failure(FailureKind.CRASHED, "it fell over")
        return Trial(number, stage, suggestion, TrialState.FAIL, failure=failure)
    metrics = {"ne": Metric(ne, stderr), "flops": Metric(100.0 * (number + 1))}
    return Trial(
        number,
        stage,
        suggestion,
        TrialState.COMPLETE,
        Evaluation(metrics if gain is None else {**metrics, "ne_gain": gain}),
    )


def chain() -> list[Trial]:
    """Trial 0 widened twice, with a side branch that is worse and one that failed."""
    return [
        trial(0, graph(32), 0.90),
        trial(1, graph(64), 0.88, (0,)),
        trial(2, graph(16), 0.93, (0,)),
        trial(3, graph(128), 0.85, (1,)),
        trial(4, graph(64, crosses=1), 0.87, (1,)),
        trial(5, graph(256), None, (3,)),
    ]


def lineage(trials: Sequence[Trial], number: int | None = None) -> Lineage:
    return lineage_of(trials, [NE, FLOPS], number=number)


def test_the_tree_of_the_best_trial_is_its_ancestors_and_the_edits_between_them() -> None:
    rows = tree_rows(lineage(chain()))
    assert [(row["number"], row["generation"], row["parents"]) for row in rows] == [
        (0, 0, []),
        (1, 1, [0]),
        (3, 2, [1]),
    ]
    assert [row["edits"] for row in rows] == [None, "widen mlp: width 32 to 64", "widen mlp: width 64 to 128"]
    assert [row["gain"] for row in rows] == [None, pytest.approx(0.02), pytest.approx(0.03)]
    assert rows[1]["gain_stderr"] == pytest.approx(np.sqrt(2) * 0.01)


def test_any_trial_has_a_tree_also_one_that_failed() -> None:
    assert [row["number"] for row in tree_rows(lineage(chain(), 4))] == [0, 1, 4]
    assert [(row["number"], row["state"], row["gain"]) for row in tree_rows(lineage(chain(), 5))][-1] == (
        5,
        "FAIL",
        None,
    )
    with pytest.raises(StudyError, match="the study has trials 0 to 5, but 9 was asked for"):
        lineage(chain(), 9)


def test_gains_by_kind_have_students_interval() -> None:
    widened, added, narrowed = edit_rows(lineage(chain()))
    assert (widened["edit"], widened["count"], widened["better"]) == ("widen mlp", 2, 2)
    low, high = stats.t.interval(0.9, 1, loc=0.025, scale=stats.sem([0.02, 0.03]))
    assert (widened["gain"], widened["gain_low"], widened["gain_high"]) == pytest.approx((0.025, low, high))
    assert widened["flops_ratio"] == pytest.approx(2.0)
    assert (narrowed["edit"], narrowed["better"]) == ("narrow mlp", 0)
    assert (added["edit"], added["gain"]) == ("add cross", pytest.approx(0.01))


def test_one_child_alone_has_the_interval_of_its_two_errors() -> None:
    added = edit_rows(lineage(chain()))[1]
    half = stats.norm.ppf(0.95) * np.sqrt(2) * 0.01
    assert (added["gain_low"], added["gain_high"]) == pytest.approx((0.01 - half, 0.01 + half))
    silent = [trial(0, graph(32), 0.9, stderr=None), trial(1, graph(64), 0.8, (0,), stderr=None)]
    assert edit_rows(lineage(silent))[0]["gain_low"] is None


def test_gains_over_a_control_give_the_error_of_the_difference_as_they_are_paired_by_rows() -> None:
    parent = trial(0, graph(32), 0.9, gain=Metric(0.01, 0.003))
    child = trial(1, graph(64), 0.8, (0,), gain=Metric(0.11, 0.004))
    assert descents([parent, child], NE)[0].stderr == pytest.approx(0.005)


def test_a_metric_to_maximise_gains_upwards() -> None:
    one, other = (trial(at, graph(32 + at), ne, (0,) * at) for at, ne in ((0, 0.5), (1, 0.6)))
    [found] = descents([one, other], Objective("ne", Objective("auc").goal))
    assert found.gain == pytest.approx(0.1)


def test_a_crossover_is_compared_with_its_better_parent_and_is_a_kind_of_its_own() -> None:
    trials = [trial(0, graph(32), 0.9), trial(1, graph(64), 0.8), trial(2, graph(128, crosses=2), 0.7, (0, 1))]
    [row] = edit_rows(lineage(trials))
    assert (row["edit"], row["gain"]) == ("crossover", pytest.approx(0.1))
    assert [one["number"] for one in tree_rows(lineage(trials))] == [0, 1, 2]


def test_two_kinds_are_told_together_and_more_are_several() -> None:
    trials = [
        trial(0, graph(32), 0.9),
        trial(1, graph(64, crosses=1), 0.8, (0,)),
        trial(2, Candidate(graph(64, crosses=1).architecture, Options(learning_rate=0.1)), 0.8, (0,)),
    ]
    assert [row["edit"] for row in edit_rows(lineage(trials))] == ["add cross and widen mlp", "three or more edits"]


def test_replicates_are_no_edits() -> None:
    trials = [trial(0, graph(32), 0.9), trial(1, graph(32), 0.8, (0,), replicate=1)]
    assert edit_rows(lineage(trials)) == []


def test_a_child_is_compared_at_its_own_rung_and_replicate() -> None:
    trials = [
        trial(0, graph(32), 0.95, rung=-1),
        trial(1, graph(64), 0.94, (0,), rung=-1),
        trial(2, graph(32), 0.90, replicate=1),
        trial(3, graph(32), 0.91),
        trial(4, graph(64), 0.85, (0,)),
        trial(5, graph(128), 0.80, (0,), rung=-2),
    ]
    found = {one.child.number: (one.parent.number, round(one.gain, 9)) for one in descents(trials, NE)}
    assert found == {1: (0, 0.01), 4: (3, 0.06)}


def test_the_users_model_can_be_a_parent_but_other_stages_measure_something_else() -> None:
    own = trial(0, graph(32), 0.9, stage="baseline")
    tuned = trial(1, graph(64), 0.7, (0,), stage="tuned")
    child = trial(2, graph(128), 0.8, (0,))
    assert [one.child.number for one in descents([own, tuned, child], NE)] == [2]


def test_the_words_say_what_gains_are_and_warn_of_luck() -> None:
    first, second = lineage_words(lineage(chain()))
    assert "gains in ne of 4 children over their parents" in first
    assert "luck in part" in second
    assert lineage_words(lineage([trial(0, graph(32), 0.9)])) == [
        "no edit can be judged yet: no measured trial has a measured parent"
    ]


def test_a_planted_effect_of_an_edit_lies_in_its_interval() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(40):
        trials = [trial(0, graph(32), 0.9)]
        gains = 0.01 + 0.005 * rng.standard_normal(8)
        trials += [trial(at + 1, graph(64 + at), 0.9 - gain, (0,)) for at, gain in enumerate(gains)]
        [row] = edit_rows(lineage(trials))
        covered += row["gain_low"] <= 0.01 <= row["gain_high"]
    assert 31 <= covered <= 40  # of 40 at 90 %: fewer than 31 once in 100


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a study of ten random trials and ten mutants."""
    study = planted_study(
        tmp_path,
        budget={"trials": 20},
        space={"name": "autoctr", "blocks": 3},
        searcher={"name": "autoctr", "population": 10, "mutants": 5},
    )
    study.optimize()
    study.close()
    return f"sqlite:///{tmp_path / 'automl.db'}"


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(run_cli(capsys, "lineage", "s", *arguments, "--format", "json").out)


def test_the_verb_prints_tree_and_edits(capsys: pytest.CaptureFixture[str], url: str) -> None:
    tree = printed(capsys, "--trial", "19", "--storage", url)
    assert tree[-1]["number"] == 19
    assert tree[-1]["edits"]
    assert tree[-1]["gain"] == pytest.approx(tree[-2]["ne"] - tree[-1]["ne"])
    edits = printed(capsys, "--edits", "--storage", url)
    assert sum(row["count"] for row in edits) == 10
    table = run_cli(capsys, "lineage", "s", "--storage", url).out
    assert "generation" in table
    assert "gain_low" in table
    assert "compare kinds of edits with each other" in table
