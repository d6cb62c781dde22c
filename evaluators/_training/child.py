"""The training process: reads one suggestion a line from standard input, answers one line each.

    python -m evaluators._training.child ANSWERS_FD DRIVER_PID

Answers go to a pipe of their own, so that no library's print can break the protocol. The first line is
the greeting (dataset, device, threads, memory limit, settings), answered by `{"ready": ...}` or
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
import traceback
from collections.abc import Mapping
from typing import Any, TextIO

import torch
from torch import nn

from evaluators._datasets import open_dataset
from evaluators._errors import DivergedError, EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind
from evaluators._training.device import choose_device, use_threads
from evaluators._training.evaluate import evaluate_candidate
from evaluators._training.examples import SearchData
from evaluators._training.optimizers import optimizers
from evaluators._training.settings import TrainingSettings
from evaluators._trial import Suggestion
from searchspaces import SearchSpaceError

WATCH_SECONDS = 1.0
ALLOCATION_FAILURES = (
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "out of memory",
    "bad_alloc",
    "can't start new thread",
)
"""What torch and the C library say in errors that are no MemoryError."""

Message = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Serves the driver until it goes away."""
    answers_fd, driver = int(arguments[0]), int(arguments[1])
    os.set_inheritable(answers_fd, False)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_watch, args=(lines, driver), daemon=True).start()
    with os.fdopen(answers_fd, "w", encoding="utf-8") as answers:
        try:
            settings, data = _begin(json.loads(lines.get()))
        except EvaluatorError as error:
            _say(answers, {"error": str(error)})
            return
        _say(answers, {"ready": {"device": str(data.train.device), "threads": torch.get_num_threads()}})
        while True:
            request = json.loads(lines.get())
            _say(answers, {"id": request["id"], **_as_message(answer(request, settings, data))})


def answer(request: Message, settings: TrainingSettings, data: SearchData) -> Evaluation | Failure:
    """Evaluates the request's suggestion with its seed; whatever goes wrong becomes a failure."""
    try:
        suggestion = Suggestion.from_dict(request["suggestion"])
        own = settings.overridden(suggestion.candidate.training, suggestion.fidelity.settings)
        return evaluate_candidate(suggestion.candidate, data, own, seed=request["seed"])
    except DivergedError as error:
        return Failure(FailureKind.DIVERGED, str(error))
    except (EvaluatorError, SearchSpaceError) as error:
        return Failure(FailureKind.INVALID, str(error))
    except Exception as error:  # noqa: BLE001  # the boundary of the process: a trial fails, not the search
        return _failure(error)
    finally:
        gc.collect()


def _begin(greeting: Message) -> tuple[TrainingSettings, SearchData]:
    settings = TrainingSettings().overridden(greeting["settings"])
    use_threads(greeting["threads"])
    device = choose_device(greeting["device"])
    if device.type == "cuda":
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # costs a pass each
    data = SearchData.load(open_dataset(greeting["dataset"]), device)
    if greeting["memory_limit_mb"] is not None:
        limit = greeting["memory_limit_mb"] * 1024 * 1024
        # Not RLIMIT_AS: CUDA and torch reserve far more addresses than they ever use.
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    _warm_up()
    return settings, data


def _warm_up() -> None:
    """Pays what is due once, so that the first trial's times are like the others'."""
    optimizers(nn.Linear(1, 1), TrainingSettings())  # the first optimizer imports the compiler, about a second
    gc.collect()
    gc.freeze()  # the modules never die: looking through them after each trial would cost 0.1 s


def _failure(error: Exception) -> Failure:
    text = " ".join(traceback.format_exception_only(error)[-1].split())
    is_allocation = isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError | OSError) and any(one in text.lower() for one in ALLOCATION_FAILURES)
    )
    return Failure(FailureKind.OUT_OF_MEMORY if is_allocation else FailureKind.CRASHED, text)


def _as_message(outcome: Evaluation | Failure) -> Mapping[str, Any]:
    if isinstance(outcome, Evaluation):
        return {"evaluation": outcome.to_dict()}
    return {"failure": {"kind": outcome.kind.value, "reason": outcome.reason}}


def _say(answers: TextIO, message: Mapping[str, Any]) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _watch(lines: queue.SimpleQueue[bytes], driver: int) -> None:
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
