"""The evaluator `external` against small trainers of our own, each a few lines of Python."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Metric, Objective, Suggestion, training_seed
from evaluators._external.folders import Keep
from evaluators.external import External
from searchspaces import Candidate, Options
from searchspaces.cost import cost
from tests.evaluators.small_data import SCHEMA, mlp, suggest

PREAMBLE = (
    "import json, os, signal, sys, time\n"
    "candidate, metrics = os.environ['AUTOML_CANDIDATE'], os.environ['AUTOML_METRICS']\n"
    "def tell(text):\n    open(metrics, 'w').write(text)\n"
)
OBJECTIVES = (Objective("ne"), Objective("flops"))


def trainer(folder: Path, script: str, *words: str, **options: Any) -> External:
    """An evaluator over `script`, which finds the paths of its files in `candidate` and `metrics`."""
    (folder / "trainer.py").write_text(PREAMBLE + script, encoding="utf-8")
    command = [sys.executable, "-S", "trainer.py", *words]
    return External(SCHEMA, OBJECTIVES, 1, command=command, working_folder=folder, **options)


def outcome_of(evaluator: External, suggestion: Suggestion | None = None) -> Evaluation | Failure:
    """What the evaluator says of one suggestion."""
    try:
        ((_, outcome),) = evaluator.evaluate([suggestion or suggest(mlp())])
    finally:
        evaluator.close()
    return outcome


def failure_of(evaluator: External) -> Failure:
    """The failure that the evaluator says of a suggestion."""
    outcome = outcome_of(evaluator)
    assert isinstance(outcome, Failure)
    return outcome


def wait_for(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds."""
    ends_at = time.monotonic() + 30.0
    while not condition():
        assert time.monotonic() < ends_at
        time.sleep(0.01)


def test_metrics_become_an_evaluation_with_the_costs_filled_in(tmp_path: Path) -> None:
    outcome = outcome_of(trainer(tmp_path, """tell('{"metrics": {"ne": 0.8, "auc": [0.7, 0.01]}}')"""))
    assert isinstance(outcome, Evaluation)
    architecture = mlp().architecture
    assert architecture is not None
    price = cost(architecture, SCHEMA)
    assert outcome.metrics == {
        "ne": Metric(0.8),
        "auc": Metric(0.7, 0.01),
        "params": Metric(price.parameters),
        "macs": Metric(price.macs),
        "flops": Metric(price.flops),
        "embedding_bytes": Metric(price.embedding_bytes),
    }
    assert outcome.seconds > 0


def test_what_the_trainer_tells_of_its_costs_stands(tmp_path: Path) -> None:
    outcome = outcome_of(trainer(tmp_path, """tell('{"ne": 0.8, "flops": 7}')"""))
    assert isinstance(outcome, Evaluation)
    assert outcome.value("flops") == 7


def test_a_trainer_finds_the_candidate_and_its_seed(tmp_path: Path) -> None:
    script = (
        "given = json.load(open(sys.argv[1]))\n"
        "assert sys.argv[1:] == [candidate, '--out=' + metrics, os.environ['AUTOML_SEED'], '{2-0}'], sys.argv\n"
        "assert os.path.dirname(candidate) == os.environ['AUTOML_FOLDER'] and 'AUTOML_STORAGE' not in os.environ\n"
        "assert os.getcwd() == os.path.dirname(os.path.abspath('trainer.py'))\n"
        "tell(json.dumps({'ne': 0.5, 'seed': given['seed'], 'nodes': len(given['architecture']['nodes'])}))"
    )
    words = ("{candidate}", "--out={metrics}", "{seed}", "{{{replicate}-{fidelity}}}")
    outcome = outcome_of(trainer(tmp_path, script, *words), suggest(mlp(), replicate=2))
    assert isinstance(outcome, Evaluation), outcome
    assert (outcome.value("seed"), outcome.value("nodes")) == (training_seed(1, 2), 4)


def test_the_address_of_the_store_stays_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOML_STORAGE", "postgresql://me:secret@host/db")
    script = "assert 'AUTOML_STORAGE' not in os.environ\ntell('{\"ne\": 0.5}')"
    evaluator = trainer(tmp_path, script, keep_folders=Keep.ALL)
    assert isinstance(outcome_of(evaluator), Evaluation)
    files = [file.read_text() for file in evaluator.trial_folders.rglob("*") if file.is_file()]
    assert len(files) == 4
    assert not any("secret" in text for text in files)


@pytest.mark.parametrize(
    ("script", "kind", "reason"),
    [
        ("sys.exit(3)", "crashed", "the trainer ended with exit code 3; it said nothing"),
        ("sys.stderr.write('no such column'); sys.exit(1)", "crashed", "exit code 1; it said: no such column"),
        ("sys.exit(81)", "diverged", "exit code 81"),
        ("sys.exit(82)", "out_of_memory", "exit code 82"),
        ("sys.exit(83)", "timeout", "exit code 83"),
        ("sys.exit(85)", "invalid", "exit code 85"),
        ("sys.exit(40)", "diverged", "exit code 40"),
        ("raise MemoryError", "out_of_memory", "exit code 1; it said: Traceback"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed", "ended by signal SIGSEGV"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "crashed", "ended by signal SIGKILL"),
        ("pass", "crashed", "ended well, but it wrote no metrics: a trainer writes the file that {metrics} names"),
        ("tell('')", "crashed", "metrics must be a JSON object, but the file is empty"),
        ("tell('{\"ne\": 0.')", "crashed", "metrics must be JSON, but these are not"),
        ("tell('{\"auc\": 0.7}')", "crashed", "every objective needs its metric, but ne is missing; there are auc"),
        ("tell('{\"ne\": NaN}')", "diverged", "metric 'ne' is nan, which is no finite number"),
        ("tell('{\"ne\": 1e999}')", "diverged", "metric 'ne' is inf, which is no finite number"),
        ("tell(' ' * 2_000_000)", "crashed", "metrics take at most 1000000 bytes, but there are more"),
        ("os.mkfifo(metrics)", "crashed", "its metrics must be a plain file"),
        ("os.mkdir(metrics)", "crashed", "its metrics"),
        ('tell(\'{"failure": {"kind": "invalid", "reason": "too\\\\nwide"}}\')', "invalid", "too wide"),
        ('tell(\'{"failure": {"kind": "diverged", "reason": "lost"}}\'); sys.exit(1)', "diverged", "lost"),
        ("tell('{\"ne\": 0.8}'); sys.exit(1)", "crashed", "exit code 1"),
    ],
)
def test_each_way_to_fail_has_its_kind_and_reason(tmp_path: Path, script: str, kind: str, reason: str) -> None:
    failure = failure_of(trainer(tmp_path, script, exit_codes={40: FailureKind.DIVERGED}))
    assert (failure.kind.value, reason in failure.reason) == (kind, True), failure


def test_the_folder_of_a_failed_trial_stays_with_its_logs(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, "print('hello'); sys.exit(1)")
    failure = failure_of(evaluator)
    (folder,) = evaluator.trial_folders.iterdir()
    assert failure.reason.endswith(f"; its files are in {folder}")
    assert (folder / "stdout.log").read_text() == "hello\n"
    assert json.loads((folder / "candidate.json").read_text())["format_version"] == 1


def test_the_folder_of_a_good_trial_goes(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, "tell('{\"ne\": 0.5}')")
    outcome_of(evaluator)
    assert list(evaluator.trial_folders.iterdir()) == []


@pytest.mark.parametrize(("keep", "names"), [(Keep.NONE, 0), (Keep.ALL, 2)])
def test_folders_stay_as_asked_for_and_are_fresh_each_time(tmp_path: Path, keep: Keep, names: int) -> None:
    script = "assert not os.path.exists(metrics)\ntell('{\"ne\": 0.5}')"
    evaluator = trainer(tmp_path, script, keep_folders=keep)
    assert all(isinstance(one, Evaluation) for _, one in evaluator.evaluate([suggest(mlp()), suggest(mlp())]))
    digits = mlp().fingerprint.removeprefix("v1:")[:16]
    found = sorted(folder.name for folder in evaluator.trial_folders.iterdir())
    assert found == [f"{digits}-rung0-replicate0", f"{digits}-rung0-replicate0.2"][:names]


def test_a_trainer_that_hangs_is_a_time_out_even_with_its_metrics_written(tmp_path: Path) -> None:
    failure = failure_of(trainer(tmp_path, "tell('{\"ne\": 0.5}')\ntime.sleep(600)", timeout_seconds=0.5))
    assert failure.kind is FailureKind.TIMEOUT
    assert "a trial may take 0.5 seconds, but was not done; raise timeout_seconds" in failure.reason
    assert "its metrics do not count, since it had not ended" in failure.reason


FORKS = """
def born():
    if os.fork() == 0:
        os.setsid()
        if os.fork() > 0:
            os._exit(0)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open('born', 'w').write(str(os.getpid()))
        time.sleep(600)
born()
while not (os.path.exists('born') and open('born').read()):
    time.sleep(0.01)
"""


def _is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_what_a_trainer_left_running_is_killed_when_it_ends(tmp_path: Path) -> None:
    assert isinstance(outcome_of(trainer(tmp_path, FORKS + "tell('{\"ne\": 0.5}')")), Evaluation)
    assert _is_gone(int((tmp_path / "born").read_text()))


def test_what_a_trainer_left_running_is_killed_when_the_time_is_up(tmp_path: Path) -> None:
    assert failure_of(trainer(tmp_path, FORKS + "time.sleep(600)", timeout_seconds=2)).kind is FailureKind.TIMEOUT
    assert _is_gone(int((tmp_path / "born").read_text()))


def test_closing_kills_a_running_trainer_and_what_it_started(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, FORKS + "time.sleep(600)")
    failures: list[Failure] = []
    running = threading.Thread(target=lambda: failures.append(failure_of(evaluator)))
    running.start()
    wait_for(lambda: (tmp_path / "born").exists() and (tmp_path / "born").read_text() != "")
    evaluator.close()
    running.join()
    assert failures[0].kind is FailureKind.CRASHED
    assert _is_gone(int((tmp_path / "born").read_text()))


DRIVER = """
import sys
from pathlib import Path
from evaluators import Objective
from evaluators.external import External
from tests.evaluators.small_data import SCHEMA, mlp, suggest
command = [sys.executable, "-S", "trainer.py"]
evaluator = External(SCHEMA, (Objective("ne"),), 1, command=command, working_folder=Path(sys.argv[1]))
list(evaluator.evaluate([suggest(mlp())]))
"""


@pytest.mark.slow
def test_a_trainer_dies_with_a_driver_that_is_killed(tmp_path: Path) -> None:
    trainer(tmp_path, FORKS + "time.sleep(600)")
    driver = psutil.Popen([sys.executable, "-c", DRIVER, str(tmp_path)])
    wait_for(lambda: (tmp_path / "born").exists() and (tmp_path / "born").read_text() != "")
    children = driver.children(recursive=True)
    assert len(children) >= 2
    driver.kill()
    driver.wait()
    wait_for(lambda: all(_is_gone(one.pid) for one in children))
    assert _is_gone(int((tmp_path / "born").read_text()))


def test_a_supervisor_that_is_killed_takes_the_trainer_with_it(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, "open('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")
    failures: list[Failure] = []
    running = threading.Thread(target=lambda: failures.append(failure_of(evaluator)))
    running.start()
    wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
    program = psutil.Process(int((tmp_path / "pid").read_text()))
    supervisor = program.parent()
    assert supervisor is not None
    supervisor.kill()
    running.join()
    assert failures[0].kind is FailureKind.CRASHED
    wait_for(lambda: _is_gone(program.pid))


def test_an_endless_output_is_cut_in_the_middle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluators._external.supervised.LOG_BYTES", 1000)
    script = "print('x' * 300_000)\nprint('last')\ntell('{\"ne\": 0.5}')"
    evaluator = trainer(tmp_path, script, keep_folders=Keep.ALL)
    assert isinstance(outcome_of(evaluator), Evaluation)
    (log,) = evaluator.trial_folders.rglob("stdout.log")
    assert log.read_text().endswith("x\nlast\n")
    assert "bytes are left out here]" in log.read_text()
    assert 66_000 < log.stat().st_size < 67_000


def test_a_memory_limit_holds(tmp_path: Path) -> None:
    failure = failure_of(trainer(tmp_path, "b'x' * (400 << 20)", memory_limit_mb=200))
    assert failure.kind is FailureKind.OUT_OF_MEMORY


def test_settings_alone_need_their_costs_told(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, "tell('{\"ne\": 0.5}')")
    outcome = outcome_of(evaluator, Suggestion(Candidate(training=Options(learning_rate=0.1))))
    assert isinstance(outcome, Failure)
    assert "every objective needs its metric, but flops is missing; there are ne" in outcome.reason


def make(**options: Any) -> External:
    """An evaluator with the given options."""
    return External(SCHEMA, OBJECTIVES, 1, **{"command": [sys.executable], **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"command": []}, r"'command' must name a program and its arguments, but is \[\]"),
        ({"command": ["a", "{candidat}"]}, r"no placeholder {candidat}; did you mean 'candidate'"),
        ({"command": ["a", "{seed!r}"]}, r"no placeholder {seed!r}"),
        ({"command": ["a", "{seed.real}"]}, r"no placeholder {seed.real}"),
        ({"command": ["a", "{"]}, r"must have its braces in pairs, but '{' has not"),
        ({"command": ["a", "b\0"]}, r"must not hold a null character, but one is 'b\\x00'"),
        ({"exit_codes": {0: FailureKind.CRASHED}}, "maps codes from 1 to 255, since 0 is success, but has 0"),
        ({"timeout_seconds": 0.0}, "'timeout_seconds' must be a positive number, but is 0.0"),
        ({"memory_limit_mb": 0}, "'memory_limit_mb' must be at least 1, or null for no limit, but is 0"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        make(**options)


def test_a_program_that_is_not_there_is_told_before_the_first_trial(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    for command, message in (
        ("no-such-program", "'no-such-program' is not on the PATH; write ./no-such-program"),
        ("./no-such-program", "there is no file .*no-such-program; a relative path starts in working_folder"),
        ("./plain", "plain may not; allow it with chmod"),
    ):
        with pytest.raises(EvaluatorError, match=message):
            make(command=[command], working_folder=tmp_path).open()
    with pytest.raises(EvaluatorError, match=r"'working_folder' must be a folder, but .*nowhere is none"):
        make(working_folder=tmp_path / "nowhere").open()


def test_a_program_that_is_no_program_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "empty").chmod(0o755)
    with pytest.raises(EvaluatorError, match=r"empty cannot be started: .*Exec format error"):
        outcome_of(make(command=["./empty"], working_folder=tmp_path))


def test_a_folder_that_cannot_be_made_ends_the_search(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvaluatorError, match=r"a trial needs a folder in .*file, but none can be made"):
        outcome_of(make(working_folder=tmp_path, trial_folders=Path("file")))


def test_a_program_beside_the_configuration_is_found(tmp_path: Path) -> None:
    (tmp_path / "run.sh").write_text('#!/bin/sh\necho \'{"ne": 0.5}\' > "$1"\n')
    (tmp_path / "run.sh").chmod(0o755)
    outcome = outcome_of(make(command=["./run.sh", "{metrics}"], working_folder=tmp_path))
    assert isinstance(outcome, Evaluation)


def test_an_interrupt_kills_the_trainer(tmp_path: Path) -> None:
    evaluator = trainer(tmp_path, "open('pid', 'w').write(str(os.getpid()))\ntime.sleep(600)")

    def interrupt() -> None:
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != "")
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Thread(target=interrupt).start()
        with pytest.raises(KeyboardInterrupt):
            list(evaluator.evaluate([suggest(mlp())]))
    finally:
        signal.signal(signal.SIGINT, before)
    assert _is_gone(int((tmp_path / "pid").read_text()))
