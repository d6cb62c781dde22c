"""A table has different candidates with their trainings, a truth that nobody searched on, and survives kills."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from automl._errors import AutomlError
from automl.bench.table.benchmark import table
from automl.bench.table.plan import Plan
from automl.bench.table.trainings import Cohort, Trainings, cohorts_of
from evaluators import Evaluation, Failure, Metric, Suggestion
from evaluators._tabular.entries import SEARCH, TRIALS_FILE, TRUTH, Entry, read_entries, read_facts
from evaluators.planted import Planted
from searchspaces import Candidate, Options
from tests.evaluators.small_data import SCHEMA, write_small_data
from tests.evaluators.small_tables import SOURCE, SPACE


class Counting(Planted):
    """Remembers what it was asked, and breaks down after so many cohorts, as a kill would."""

    def __init__(self, breaks_after: int | None = None, **options: int) -> None:
        super().__init__(SOURCE, 1, noise=0.002, **options)
        self.asked: list[tuple[str, int]] = []
        self._breaks_after = breaks_after

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        if self._breaks_after == 0:
            raise KeyboardInterrupt
        if self._breaks_after:
            self._breaks_after -= 1
        self.asked += [(one.candidate.fingerprint, one.replicate) for one in cohort]
        yield from super().evaluate(cohort)


def _plan(folder: Path, **changes: int) -> Plan:
    data = folder / "data"
    if not data.exists():
        write_small_data(data, rows=100)
    sizes = {"count": 20, "truth_top": 5, "truth_replicates": 3, "cohort": 4, **changes}
    return Plan(SPACE, str(data), folder / "table", **sizes)  # type: ignore[arg-type]  # they are whole numbers


def _roles(folder: Path, role: str) -> list[Entry]:
    return [one for one in read_entries(folder / "table") if one.role == role]


def test_every_candidate_is_different_and_has_its_replicates(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    seen = _roles(tmp_path, SEARCH)
    assert len({one.candidate.fingerprint for one in seen}) == 20
    assert [(one.number, one.replicate) for one in seen] == [(at, k) for at in range(20) for k in range(2)]


def test_the_best_are_trained_again_under_seeds_that_no_searcher_sees(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    means: dict[int, float] = {}
    for one in _roles(tmp_path, SEARCH):
        assert isinstance(one.outcome, Evaluation)
        means[one.number] = means.get(one.number, 0.0) + one.outcome.value("ne") / 2
    truth = _roles(tmp_path, TRUTH)
    assert {one.number for one in truth} == set(sorted(means, key=lambda at: means[at])[:5])
    assert {one.replicate for one in truth} == {2, 3, 4}


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        table(_plan(tmp_path), evaluator=Counting(breaks_after=9))
    assert not (tmp_path / "table" / TRIALS_FILE).exists()
    rest, whole = Counting(), Counting()
    table(_plan(tmp_path), evaluator=rest)
    table(Plan(SPACE, str(tmp_path / "data"), tmp_path / "other", 20, 2, 5, 3, cohort=4), evaluator=whole)
    assert 0 < len(rest.asked) < len(whole.asked)
    assert read_entries(tmp_path / "table") == read_entries(tmp_path / "other")


def test_a_finished_table_is_not_trained_again(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    again = Counting()
    table(_plan(tmp_path), evaluator=again)
    assert again.asked == []


def test_human_made_architectures_are_in_it_under_every_seed_and_named(tmp_path: Path) -> None:
    found = table(_plan(tmp_path), evaluator=Counting())
    number = read_facts(tmp_path / "table")["controls"]["zoo:dcnv2"]
    assert found["controls"]["zoo:dcnv2"] == number >= 20
    assert [one.replicate for one in _roles(tmp_path, "control") if one.number == number] == [0, 1, 2, 3, 4]


def test_failures_are_kept_and_nobody_who_failed_is_among_the_best(tmp_path: Path) -> None:
    found = table(_plan(tmp_path, count=40, truth_top=40), evaluator=Counting(fail_every=4))
    failed = {one.number for one in _roles(tmp_path, SEARCH) if isinstance(one.outcome, Failure)}
    assert failed
    assert found["outcomes"]["crashed"] >= len(failed)
    assert not failed & {one.number for one in _roles(tmp_path, TRUTH)}


def test_the_facts_say_what_the_table_is_of(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    facts = read_facts(tmp_path / "table")
    assert facts["space"] == SPACE
    assert facts["schema"] == SCHEMA.to_dict()
    assert (facts["seed"], facts["count"], facts["data"]["name"]) == (1, 20, "small")
    assert {"digest", "rows"} <= set(facts["data"])
    assert "numpy" in facts["versions"]


def test_time_left_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="automl"):
        table(_plan(tmp_path), evaluator=Counting())
    assert "trainings left" in caplog.text
    assert caplog.messages[-1].startswith("truth and human-made: 0 trainings left")


def test_a_folder_holds_one_plan(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    with pytest.raises(AutomlError, match=r"plan.json has another count; choose a new folder"):
        table(_plan(tmp_path, count=21), evaluator=Counting())


def test_a_space_that_is_too_small_is_told(tmp_path: Path) -> None:
    plan = _plan(tmp_path, count=50)
    tiny = Plan({"name": "autoctr", "blocks": 1, "operators": ["fm"]}, plan.data, plan.folder, count=50)
    with pytest.raises(AutomlError, match=r"a table needs 50 different candidates, but the space gave \d and then"):
        table(tiny, evaluator=Counting())


def test_of_a_cohort_only_what_is_missing_is_trained(tmp_path: Path) -> None:
    cohorts = cohorts_of(range(5), [0, 1], SEARCH, 2)
    assert [one.numbers for one in cohorts[::2]] == [(0, 1), (2, 3), (4,)]
    trainings = Trainings(tmp_path, [], [Entry.from_dict(_entry(0, 0)), Entry.from_dict(_entry(2, 1))])
    missing = trainings.missing(cohorts)
    assert missing[0] == Cohort((1,), 0, SEARCH)
    assert Cohort((3,), 1, SEARCH) in missing


def test_the_best_are_the_same_once_some_of_the_truth_is_known(tmp_path: Path) -> None:
    def entry(number: int, replicate: int, role: str, ne: float) -> Entry:
        return Entry(number, Candidate(None, Options(rows=1 + number)), replicate, role, Evaluation({"ne": Metric(ne)}))

    seen = [entry(at, 0, SEARCH, 0.8 + at / 100) for at in range(4)]
    known = [entry(0, 1, TRUTH, 0.99), entry(4, 0, "control", 0.1)]
    assert Trainings(tmp_path, [], seen).best("ne", 2, role=SEARCH) == [0, 1]
    assert Trainings(tmp_path, [], [*seen, *known]).best("ne", 2, role=SEARCH) == [0, 1]


def _entry(number: int, replicate: int) -> dict[str, object]:
    failure = {"kind": "crashed", "reason": "", "seconds": 0.0}
    candidate = {"architecture": None, "training": {"rows": 1}, "system": {}}
    return {"number": number, "replicate": replicate, "role": SEARCH, "candidate": candidate, "failure": failure}


def test_parts_are_json_that_anybody_can_read(tmp_path: Path) -> None:
    table(_plan(tmp_path), evaluator=Counting())
    part = next((tmp_path / "table" / "parts").glob("search-1-*.json"))
    assert {one["replicate"] for one in json.loads(part.read_text(encoding="utf-8"))} == {1}
