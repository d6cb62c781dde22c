"""The race itself: fair starts, runs that repeat, a log from which everything comes again."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl._errors import AutomlError, ConfigError
from automl.bench.race.benchmark import Plan, entrants_of, race, spec_of
from automl.bench.race.ground import Course, Ground, course_on, course_on_trials
from automl.bench.race.log import Log
from automl.bench.race.report import write_report
from automl.bench.race.running import Entrant, Rules, Run, design, run
from automl.bench.race.tables import tables, target_searcher
from automl.bench.race.words import as_text, duel_rows, standing_rows
from automl.bench.trial_files.source import Source
from automl.cli._app import run as command
from evaluators import Suggestion, Trial
from searchspaces import load_plugin
from tests.automl.bench.race.grounds import ground, planted, run_of, trials_file
from tests.evaluators.small_tables import different, entries, write_table

RULES = Rules(trials=12, initial=4)
RANDOM = Entrant("random_search", {"name": "random_search"})


class Stuck:
    """Asks for one candidate over and over, or for nothing."""

    def __init__(self, asked: Sequence[Suggestion]) -> None:
        self._asked = list(asked)

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        return self._asked[:n]

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns nothing."""


def _stuck(monkeypatch: pytest.MonkeyPatch, asked: Sequence[Suggestion]) -> None:
    monkeypatch.setattr("automl.bench.race.running.plugins.construct", lambda *_: Stuck(asked))


def test_all_searchers_of_a_seed_begin_with_the_same_trials_and_losses() -> None:
    course = planted()
    one, other = (run(course, entrant, 3, RULES) for entrant in (RANDOM, Entrant("a", {"name": "autoctr"})))
    assert one.rows[:4] == other.rows[:4]
    assert one.losses[:4] == other.losses[:4]
    assert len(set(one.rows[:4])) == 4
    assert one.rows[:4] != run(course, RANDOM, 4, RULES).rows[:4]


def test_a_run_repeats_itself() -> None:
    course = planted()
    one, again = (run(course, RANDOM, 3, RULES) for _ in range(2))
    assert (one.rows, one.losses) == (again.rows, again.losses)


def test_losses_are_those_of_the_table_and_seeds_begin_with_other_replicates() -> None:
    course = planted()
    for seed in (0, 1):
        found = run(course, RANDOM, seed, RULES)
        candidate = next(name for name, number in course.numbers.items() if number == found.rows[-1])
        stored = course.lookup.outcomes[candidate][seed]
        assert found.losses[-1] == stored.value("ne")  # type: ignore[union-attr]  # planted ones do not fail


def test_a_searcher_knows_how_many_trials_a_run_has() -> None:
    found = run(planted(), Entrant("wl_ehvi", {"name": "wl_ehvi", "replicate_share": 0.5}), 1, Rules(8, 4))
    assert "replicate" not in found.origins[:4]
    assert found.origins[4:6] == ("replicate",) * 2  # until a stored number comes back


def test_a_repeat_costs_a_trial_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    course = planted()
    _stuck(monkeypatch, [Suggestion(different(1)[0])])
    found = run(course, RANDOM, 0, RULES)
    assert len(found.rows) == 12
    assert found.repeats >= 7


def test_a_searcher_that_has_nothing_to_ask_ends_its_run(monkeypatch: pytest.MonkeyPatch) -> None:
    course = planted()
    _stuck(monkeypatch, [])
    assert len(run(course, RANDOM, 0, RULES).rows) == 4


def test_a_searcher_that_leaves_the_table_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    course = planted(10)
    _stuck(monkeypatch, [Suggestion(different(11)[10])])
    with pytest.raises(AutomlError, match="a race stays on its table, but random_search asked for v1:"):
        run(course, RANDOM, 0, RULES)


def test_a_design_needs_as_many_candidates() -> None:
    with pytest.raises(AutomlError, match="an initial design needs 11 different candidates, but the table has 10"):
        design(planted(10), 0, 11)


def test_truth_is_no_part_of_what_searchers_see() -> None:
    course = planted()
    assert {len(outcomes) for outcomes in course.lookup.outcomes.values()} == {2}


def test_a_race_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course, entrants = planted(), entrants_of("random_search,autoctr:population=4")
    first = race(course, Plan(entrants, 1, tmp_path / "race.jsonl", RULES))
    with (tmp_path / "race.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"run": {"searcher": "rand')  # as a kill leaves it
    done: list[tuple[str, int]] = []

    def noted(course: Course, entrant: Entrant, seed: int, rules: Rules) -> Run:
        done.append((entrant.label, seed))
        return run(course, entrant, seed, rules)

    monkeypatch.setattr("automl.bench.race.benchmark.run", noted)
    second = race(course, Plan(entrants, 2, tmp_path / "race.jsonl", RULES))
    assert done == [("random_search", 1), ("autoctr:population=4", 1)]
    assert second.runs[:2] == first.runs
    assert Log.read(tmp_path / "race.jsonl").runs == second.runs


def test_a_log_holds_one_race(tmp_path: Path) -> None:
    course = planted()
    race(course, Plan((RANDOM,), 1, tmp_path / "race.jsonl", RULES))
    with pytest.raises(AutomlError, match=r"a log holds one race, but .* is of other rules"):
        race(course, Plan((RANDOM,), 1, tmp_path / "race.jsonl", Rules(trials=13, initial=4)))


def test_parts_of_a_race_make_one(tmp_path: Path) -> None:
    for seed, name in enumerate(("a.jsonl", "b.jsonl")):
        race(planted(), Plan((RANDOM,), 1, tmp_path / name, RULES, seed))
    race(planted(), Plan((RANDOM,), 2, tmp_path / "whole.jsonl", RULES))
    parts = Log.merged([tmp_path / "a.jsonl", tmp_path / "b.jsonl", tmp_path / "a.jsonl"])
    whole = Log.read(tmp_path / "whole.jsonl")
    assert [(one.seed, one.rows) for one in parts.runs] == [(one.seed, one.rows) for one in whole.runs]


def test_a_packed_log_is_read_and_not_written_on(tmp_path: Path) -> None:
    log = race(planted(), Plan(entrants_of("random_search"), 2, tmp_path / "race.jsonl", RULES))
    packed = tmp_path / "race.jsonl.gz"
    packed.write_bytes(gzip.compress((tmp_path / "race.jsonl").read_bytes()))
    assert tables(Log.read(packed)) == tables(log)
    assert Log.merged([packed, tmp_path / "race.jsonl"]).runs == log.runs
    with pytest.raises(AutomlError, match=r"a packed log is read with --from, but .* or name .*race\.jsonl$"):
        race(planted(), Plan(entrants_of("random_search"), 3, packed, RULES))


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"{}" * 99)[:-9], gzip.compress(b"")[:10] + b"x" * 20],
    ids=["other", "cut", "damaged"],
)
def test_a_packed_file_that_is_none_is_no_log(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "race.jsonl.gz").write_bytes(content)
    with pytest.raises(AutomlError, match="the log of a race begins with"):
        Log.read(tmp_path / "race.jsonl.gz")


def test_what_is_no_log_is_told(tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match="the log of a race begins with its rules and its ground, but"):
        Log.read(trials_file(tmp_path, [{"run": {}}]))


def test_all_tables_come_from_the_log_alone(tmp_path: Path) -> None:
    log = race(planted(), Plan(entrants_of("random_search,autoctr"), 2, tmp_path / "race.jsonl", RULES))
    again = Log.read(tmp_path / "race.jsonl")
    assert tables(again) == tables(log)
    assert (
        write_report(tmp_path / "one.html", log).read_bytes() == write_report(tmp_path / "two.html", again).read_bytes()
    )


def test_runs_and_grounds_survive_json() -> None:
    one = run_of([1, 0], [0.5, None], judged=((1, 0.5),))
    assert Run.from_dict(json.loads(json.dumps(one.to_dict()))) == one
    some = ground([[0.3, 1.0], [float("nan"), 2.0]], [0.5, 3.0])
    again = Ground.from_dict(json.loads(json.dumps(some.to_dict())))
    assert np.array_equal(again.truth, some.truth, equal_nan=True)
    assert again.objectives == some.objectives


def test_the_judge_is_asked_about_what_was_tried() -> None:
    rules = Rules(trials=12, initial=4, judge={"name": "lambdarank"})
    found = run(planted(), RANDOM, 0, rules)
    assert {row for row, _ in found.judged} == set(found.rows)


def test_the_judge_has_duels_of_its_own() -> None:
    some = ground([[0.4], [0.3], [0.2]], [0.5])
    runs = [
        run_of([0, 2], [0.1, 0.2], searcher=name, judged=((0, 0.4), (2, one))) for name, one in (("a", 0.2), ("b", 0.5))
    ]
    found = tables(Log(Path("unused"), some, Rules(2, 1), runs))["duels"]
    assert [(one["score"], one["mean"], one["other_mean"]) for one in found] == [
        ("regret", pytest.approx(0.2), pytest.approx(0.2)),
        ("regret by judge", 0.0, pytest.approx(0.2)),
    ]


def test_standings_say_what_was_planted(tmp_path: Path) -> None:
    some = ground([[0.4, 1.0], [0.3, 2.0], [0.2, 3.0]], [0.5, 4.0])
    good = [run_of([0, 2], [0.4, 0.2], searcher="good", seed=seed) for seed in range(4)]
    bad = [run_of([0, 1], [0.4, 0.3], searcher="bad", seed=seed) for seed in range(4)]
    found = tables(Log(tmp_path, some, Rules(2, 1), [*good, *bad]))
    first, second = found["standings"]
    assert (first["regret"]["mean"], second["regret"]["mean"]) == pytest.approx((0.0, 0.1))
    assert first["regret"]["to_target"] == {"trials": 2.0, "reached": 1.0}
    assert found["duels"][0]["ratio"] == 0.0
    assert (found["challenger"], found["target"]["searcher"]) == ("good", "bad")


def test_the_target_is_autoctrs_as_published_where_it_is_in_the_race() -> None:
    assert target_searcher(["a", "autoctr", "autoctr:faithful=true"]) == "autoctr:faithful=true"
    assert target_searcher(["autoctr:population=9", "b"]) == "autoctr:population=9"
    assert target_searcher(["a", "b"]) == "b"


def test_searchers_are_named_with_their_options() -> None:
    found = entrants_of('a,b:guide={"name": "forest", "trees": 3}:share=0.5')
    assert found[1].spec == {"name": "b", "guide": {"name": "forest", "trees": 3}, "share": 0.5}
    assert spec_of("x:word=large") == {"name": "x", "word": "large"}


@pytest.mark.parametrize(
    ("text", "message"),
    [("a,a", "named once each"), ("a,,b", "named once each"), ("a:b", "written name=value, but 'a:b' has 'b'")],
)
def test_wrong_names_are_told(text: str, message: str) -> None:
    with pytest.raises(AutomlError, match=message):
        entrants_of(text)


def test_mistakes_are_told_before_the_race(tmp_path: Path) -> None:
    course = planted()
    with pytest.raises(ConfigError, match="no 'randomsearch'"):
        race(course, Plan(entrants_of("randomsearch"), 1, tmp_path / "race.jsonl", RULES))
    with pytest.raises(AutomlError, match="no more trials than candidates, but has 4, 41 and 40"):
        race(course, Plan((RANDOM,), 1, tmp_path / "race.jsonl", Rules(trials=41, initial=4)))


def test_trials_of_settings_can_be_raced_on(tmp_path: Path) -> None:
    rows = [{"settings": {"a": a, "b": b}, "loss": (a - 2) ** 2 + b, "size": 1 + a} for a in range(5) for b in range(5)]
    course = course_on_trials(Source(trials_file(tmp_path, rows), "loss", cost="size"))
    log = race(course, Plan(entrants_of("random_search,autoctr:population=3"), 2, tmp_path / "race.jsonl", RULES))
    assert course.ground.best == 0.0
    assert all(len(one.rows) == 12 for one in log.runs)


def test_a_race_needs_a_ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.bench.race.ground.OURS", tmp_path / "none")
    with pytest.raises(AutomlError, match="a race needs a --table that 'automl bench table' made"):
        course_on(None, None, ["ne"])


def test_text_is_aligned_and_has_a_row_for_each(tmp_path: Path) -> None:
    log = race(planted(), Plan(entrants_of("random_search,autoctr"), 2, tmp_path / "race.jsonl", RULES))
    lines = as_text(standing_rows(tables(log))).splitlines()
    assert [line.split()[0] for line in lines] == ["searcher", "random_search", "autoctr"]
    assert len(as_text(duel_rows(tables(log))).splitlines()) == 3


def test_the_report_has_the_courses_and_the_tables(tmp_path: Path) -> None:
    log = race(planted(), Plan(entrants_of("random_search,autoctr"), 2, tmp_path / "race.jsonl", RULES))
    page = write_report(tmp_path / "race.html", log).read_text(encoding="utf-8")
    for part in ("Regret of the declared winner", "Standings", "random_search against the others", "figure-volume"):
        assert part in page


def test_the_command_races_and_regenerates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write_table(tmp_path / "planted", entries(12))
    where = ["--table", str(table), "--log", str(tmp_path / "race.jsonl")]
    sizes = ["--trials", "8", "--initial", "3", "--seeds", "2", "--format", "json"]
    assert command(["bench", "race", *where, "--searchers", "random_search", *sizes]) == 0
    first: Any = json.loads(capsys.readouterr().out)
    assert command(["bench", "race", "--from", str(tmp_path / "race.jsonl"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == first
    assert first["standings"][0]["seeds"] == 2


def test_the_command_takes_a_file_beside_the_number_of_trials(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"settings": {"a": a}, "acc": a / 30} for a in range(30)]
    file = str(trials_file(tmp_path, rows))
    names = ["--metric", "acc", "--maximize", "--searchers", "random_search", "--seeds", "1", "--initial", "2"]
    assert (
        command(["bench", "race", "--trials", file, "--trials", "9", *names, "--log", str(tmp_path / "l.jsonl")]) == 0
    )
    assert "random_search" in capsys.readouterr().out


def test_the_command_says_what_it_made_of_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"lr": at % 7, "auc": at / 30, "test_auc": at / 31, "set": "ab"[at % 2]} for at in range(30)]
    with caplog.at_level("INFO", logger="automl"):
        course = course_on_trials(Source(trials_file(tmp_path, rows), "auc", where={"set": "a"}))
    assert len(course.numbers) == 7
    assert "30 rows: 15 others; 7 different candidates, auc to maximize" in caplog.text
    assert "not test_auc: is a number whose name speaks of a measurement" in caplog.text


def test_what_is_asked_of_a_file_is_not_asked_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--table", "t", "--searchers", "random_search", "--minimize", "--cost", "latency"]
    assert command(["bench", "race", *asked]) != 0
    assert "--maximize, --cost must go with --trials FILE" in " ".join(capsys.readouterr().err.replace("│", "").split())


def test_the_spaces_that_tables_need_are_there() -> None:
    assert load_plugin("searchspaces.spaces", "tabled").__name__ == "Tabled"
