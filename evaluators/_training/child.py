"""The training process: reads a cohort a line from standard input, answers a line for each member and one at the end.

    python -m evaluators._training.child ANSWERS_FD DRIVER_PID

Answers go to a pipe of their own, so that no library's print can break the protocol. The first line is
the greeting (dataset, device, threads, precision, memory limit, settings, controls), answered by `{"ready": ...}` or
`{"error": ...}`. A thread watches standard input and the driver: when either is gone, so is this process.
"""

from __future__ import annotations

import gc
import json
import os
import queue
import resource
import select
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

import torch
from torch import nn

from evaluators._datasets import open_dataset
from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure
from evaluators._training.controls import Controls
from evaluators._training.cores import cores_of_each
from evaluators._training.device import choose_device
from evaluators._training.precision import check_way, choose_precision, choose_threads
from evaluators._training.racing import RacingRule
from evaluators._training.search_data import SearchData
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from evaluators._training.way import Way
from evaluators._trial import Suggestion
from searchspaces import Candidate

WATCH_SECONDS = 1.0

Message = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Serves the driver until it goes away."""
    with conversation(arguments) as (lines, answers):
        try:
            session = begin(json.loads(lines.get()))
        except EvaluatorError as error:
            say(answers, {"error": str(error)})
            return
        say(answers, {"ready": _facts(session)})
        while True:
            request = json.loads(lines.get())
            for position, outcome in session.outcomes(asked(request)):
                say(answers, {"id": request["id"], "position": position, **as_message(outcome)})
            say(answers, {"id": request["id"], "done": True})


@contextmanager
def conversation(arguments: list[str]) -> Iterator[tuple[queue.SimpleQueue[bytes], TextIO]]:
    """Lines of the driver, and where answers to it go; `arguments` are the two of the command line."""
    answers_fd, driver = int(arguments[0]), int(arguments[1])
    os.set_inheritable(answers_fd, False)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=watch, args=(lines, driver), daemon=True).start()
    with os.fdopen(answers_fd, "w", encoding="utf-8") as answers:
        yield lines, answers


def limit_memory(megabytes: int | None) -> None:
    """Limits this process's memory from now on; None leaves it to the machine."""
    if megabytes is not None:
        limit = megabytes * 1024 * 1024
        # Not RLIMIT_AS: CUDA and torch reserve far more addresses than they ever use.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def asked(request: Message) -> list[Asked]:
    """The members of a request."""
    return [Asked(Suggestion.from_dict(one["suggestion"]), one["seed"]) for one in request["members"]]


def begin(greeting: Message) -> Session:
    """Gets ready as the greeting says.

    Raises:
        EvaluatorError: the data, the device or the precision is not there, or the way trains differently.
    """
    settings = TrainingSettings().overridden(greeting["settings"])
    device = choose_device(greeting["device"])
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs a pass each
    dataset = open_dataset(greeting["dataset"])
    data = SearchData.load(dataset, device)
    limit_memory(greeting["memory_limit_mb"])
    warm_up()
    candidates = [Candidate.from_dict(one) for one in greeting["controls"]]
    most = greeting["threads"] or choose_threads(cores_of_each(), data, candidates, digest=dataset.digest)
    torch.set_num_threads(most)
    dtype = choose_precision(greeting["precision"], data, settings, candidates, digest=dataset.digest)
    controls = Controls(candidates, data, settings, greeting["control_seed"], dtype) if candidates else None
    racing = RacingRule() if greeting["racing"] else None
    way = Way(greeting["way"])
    check_way(way, data, settings, candidates, dtype=dtype, digest=dataset.digest)
    return Session(settings, data, dtype, controls, racing, way)


def _facts(session: Session) -> Message:
    return {
        "device": str(session.data.train.device),
        "threads": torch.get_num_threads(),
        "precision": str(session.dtype).removeprefix("torch."),
    }


def warm_up() -> None:
    """Pays what is due once, so that the first trial's times are like the others'."""
    torch.optim.AdamW(nn.Linear(1, 1).parameters(), fused=True)  # the first one imports the compiler, about a second
    gc.collect()
    gc.freeze()  # the modules never die: looking through them after each trial would cost 0.1 s


def as_message(outcome: Evaluation | Failure) -> Mapping[str, Any]:
    """An outcome as JSON types."""
    if isinstance(outcome, Evaluation):
        return {"evaluation": outcome.to_dict()}
    return {"failure": {"kind": outcome.kind.value, "reason": outcome.reason}}


def say(answers: TextIO, message: Mapping[str, Any]) -> None:
    """Writes one line."""
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def watch(lines: queue.SimpleQueue[bytes], driver: int) -> None:
    """Passes lines on; ends the process at the end of input, or once the driver is no longer its parent."""
    rest = b""
    while True:
        readable, _, _ = select.select([0], [], [], WATCH_SECONDS)
        received = os.read(0, 1 << 16) if readable else b""
        if (readable and not received) or os.getppid() != driver:
            os._exit(0)  # not sys.exit: the main thread may be deep in an operator
        *whole, rest = (rest + received).split(b"\n")
        for line in whole:
            lines.put(line)


if __name__ == "__main__":
    main(sys.argv[1:])
