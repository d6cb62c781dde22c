"""Processes of one thread each that hold the data and do what they are asked, all at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from automl._errors import AutomlError
from evaluators._training.child_process import ENVIRONMENT

WORKER = "automl.bench.evaluator._worker"


class Crew:
    """So many processes; importing and reading the data is done when the crew stands."""

    def __init__(self, count: int, data: str) -> None:
        environment = {**ENVIRONMENT, **os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        self._running = [
            subprocess.Popen(
                [sys.executable, "-m", WORKER, data],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=environment,
            )
            for _ in range(count)
        ]
        try:
            self.greetings = [_answer(one) for one in self._running]
        except AutomlError:
            self._close(at_once=True)
            raise

    def ask(self, requests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What the first processes answer to one request each, which they begin together.

        Raises:
            AutomlError: a process ended.
        """
        asked = self._running[: len(requests)]
        for one, request in zip(asked, requests, strict=True):
            assert one.stdin is not None
            one.stdin.write(json.dumps(request) + "\n")
            one.stdin.flush()
        return [_answer(one) for one in asked]

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close(at_once=error is not None)

    def _close(self, *, at_once: bool) -> None:
        for one in self._running:
            if one.stdin is not None:
                one.stdin.close()
            if at_once:
                one.kill()
            one.wait()
            if one.stdout is not None:
                one.stdout.close()


def _answer(running: subprocess.Popen[str]) -> dict[str, Any]:
    assert running.stdout is not None
    line = running.stdout.readline()
    if not line:
        raise AutomlError(
            f"a process of the benchmark must answer, but {running.pid} ended with {running.wait()}; "
            "what it said on standard error tells why"
        )
    answer: dict[str, Any] = json.loads(line)
    return answer
