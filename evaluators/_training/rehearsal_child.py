"""The process that rehearses: the training process with other questions.

    python -m evaluators._training.rehearsal_child ANSWERS_FD DRIVER_PID

It begins as `evaluators._training.child` does, with its greeting, threads, device and limits. A request then
asks to `check` the blocks of a suggestion or to `time` it.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluators._datasets import open_dataset
from evaluators._errors import EvaluatorError
from evaluators._evaluation import Failure
from evaluators._training import child
from evaluators._training.block_check import block_faults
from evaluators._training.examples import WINDOW_ROWS
from evaluators._training.metrics import quality
from evaluators._training.pacing import Clock, Limit, Rehearsed
from evaluators._training.residence import data_bytes, residence
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from evaluators._trial import Suggestion
from searchspaces import Candidate

Message = dict[str, Any]


def main(arguments: list[str]) -> None:
    """Serves the driver until it goes away."""
    answers_fd, driver = int(arguments[0]), int(arguments[1])
    os.set_inheritable(answers_fd, False)
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=child.watch, args=(lines, driver), daemon=True).start()
    with os.fdopen(answers_fd, "w", encoding="utf-8") as answers:
        greeting = json.loads(lines.get())
        try:
            session = child.begin(greeting)
        except EvaluatorError as error:
            child.say(answers, {"error": str(error)})
            return
        device = session.data.train.device
        child.say(answers, {"ready": {"device": str(device), "device_bytes": _device_bytes(device)}})
        folder = open_dataset(greeting["dataset"]).folder.resolve()
        while True:
            request = json.loads(lines.get())
            reply = checked if request["do"] == "check" else timed
            child.say(answers, {"id": request["id"], **reply(request, session, folder)})


def checked(request: Message, session: Session, _folder: Path) -> Mapping[str, Any]:
    """What is wrong with the blocks of the request's suggestion, by block."""
    try:
        candidate, own = _read(request, session.settings)
        return {"faults": block_faults(candidate, session.data, own, seed=request["seed"])}
    except ValueError as error:
        return {"faults": {"": str(error)}}


def timed(request: Message, session: Session, folder: Path, *, clock: Clock = time.perf_counter) -> Mapping[str, Any]:
    """How long the request's suggestion would take as a whole trial, and what it holds, from a few batches of it."""
    rehearsed = Rehearsed.of(session.data, Limit())
    alone = Session(session.settings, rehearsed.data, session.dtype)
    member = Asked(Suggestion.from_dict(request["suggestion"]), request["seed"])
    started = clock()
    ((_, outcome),) = alone.outcomes([member])
    wall_seconds = clock() - started
    if isinstance(outcome, Failure):
        return {"failure": {"kind": outcome.kind.value, "reason": outcome.reason}}
    _, own = _read(request, session.settings)
    peak = int(outcome.value("peak_memory_bytes"))
    rest = _scoring_rest(rehearsed, clock)
    return {
        "trial_seconds": rehearsed.whole_seconds(wall_seconds, own) + rest,
        "step_seconds": rehearsed.train.runs[0].per_step(),
        "steps": rehearsed.steps(own),
        "rows": rehearsed.rows(own) * own.passes,
        "memory": _memory(peak, rehearsed, own, folder),
        "evaluation": outcome.to_dict(),
    }


def _device_bytes(device: torch.device) -> int | None:
    """Memory of an accelerator."""
    return torch.cuda.mem_get_info(device)[1] if device.type == "cuda" else None


def _read(request: Message, settings: TrainingSettings) -> tuple[Candidate, TrainingSettings]:
    suggestion = Suggestion.from_dict(request["suggestion"])
    own = settings.overridden(suggestion.candidate.training, suggestion.fidelity.settings)
    return suggestion.candidate, own


def _scoring_rest(rehearsed: Rehearsed, clock: Clock) -> float:
    """Seconds by which measuring quality takes longer on the whole validation part than on the rows that were shown."""
    logits = np.random.default_rng(0).normal(size=len(rehearsed.whole.valid))
    seconds = []
    for labels in (rehearsed.whole.valid.labels, rehearsed.valid.labels):
        started = clock()
        quality(logits[: len(labels)], labels)
        seconds.append(clock() - started)
    return max(0.0, seconds[0] - seconds[1])


def _memory(peak: int, rehearsed: Rehearsed, settings: TrainingSettings, folder: Path) -> dict[str, int]:
    """`own` is what nobody can take back; `peak` has, on a CPU, all pages of the data that a whole trial reads."""
    if rehearsed.train.device.type == "cuda":
        return {"own": peak, "peak": peak, "data": 0}
    now, sizes, data = residence(folder), data_bytes(folder), rehearsed.whole
    share = rehearsed.rows(settings) / max(1, len(data.train))
    # a larger part is read by the window into memory of its own, which the first step has shown
    pages = {"train": int(sizes["train"] * share), "valid": sizes["valid"]}
    expected = sum(
        pages[part] for part, one in (("train", data.train), ("valid", data.valid)) if len(one) <= WINDOW_ROWS
    )
    return {"own": max(0, peak - now.files), "peak": peak - now.data + max(expected, now.data), "data": expected}


if __name__ == "__main__":
    main(sys.argv[1:])
