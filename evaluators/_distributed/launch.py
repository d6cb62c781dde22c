"""Starts the ranks of a training as processes of their own, and drives them. Imports nothing heavy."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evaluators._distributed.meeting import Meeting
from evaluators._distributed.sharding import Layout, Rule, Sharding
from evaluators._errors import EvaluatorError
from evaluators._training.child_process import FAREWELL_SECONDS, ChildEnded, ChildLate, ChildProcess, Start
from searchspaces import Architecture

COMMAND = (sys.executable, "-P", "-m", "evaluators._distributed.child")
START_SECONDS, LOOK_SECONDS = 120.0, 1.0
BY_FIELD, INT8 = "by_field", "int8"
LOST_PEER = ("Connection closed by peer", "Connection reset by peer", "Connection refused", "Broken pipe")


@dataclass(frozen=True)
class Training:
    """What is trained and how; `batch_size` is that of all ranks together, types are `fp32`, `bf16` or `fp16`.

    `forward` and `backward` are the types of vectors and of their gradients between ranks, `table_dtype`, which may be
    `int8`, that of rows where they are kept. `rate` is that of AdamW outside tables, which goes through parameters in
    the way `dense_optimizer` (`trainer.WAYS`); `rule` and `table_rate` hold inside. `table_layout` is `concatenated`,
    all fields of a source in one table, or `by_field`. `embedding_dim` takes the place of the architecture's. A
    `cohort` of models, under different seeds, learns in one pass. How batches are loaded is told in `loading.Loading`.
    Memory is limited for each rank, without what loads for it.
    """

    architecture: Architecture
    dataset: Path
    seed: int
    ranks: int = 1
    layout: Layout = field(default_factory=Layout)
    batch_size: int = 512
    accumulation: int = 1
    dtype: str = "fp32"
    forward: str = "fp32"
    backward: str = "fp32"
    table_dtype: str = "fp32"
    table_layout: str = "concatenated"
    embedding_dim: int | None = None
    cohort: int = 1
    is_deduplicated: bool = False
    prefetch: int = 0
    loader_workers: int = 0
    is_resident: bool = False
    is_compiled: bool = False
    rate: float = 1e-3
    dense_optimizer: str = "loop"
    rule: Rule = Rule.ADAGRAD
    table_rate: float = 2e-2
    threads: int = 1
    device: str = "cpu"
    hash_cap: int | None = None
    memory_limit_mb: int | None = None

    def __post_init__(self) -> None:
        self.layout.group_size(self.ranks)
        if self.batch_size % (self.ranks * self.accumulation):
            raise EvaluatorError(
                "a batch is cut into equal pieces for ranks and accumulation, but "
                f"{self.batch_size} rows are no multiple of {self.ranks} x {self.accumulation}; choose a batch that is"
            )

    def greeting(self, rank: int, meeting: Path) -> dict[str, Any]:
        """What a rank is told, JSON types only."""
        return {
            "architecture": self.architecture.to_dict(),
            "embedding_dim": self.embedding_dim,
            "cohort": self.cohort,
            "dataset": str(self.dataset),
            "seed": self.seed,
            "rank": rank,
            "size": self.ranks,
            "meeting": str(meeting),
            "layout": asdict(self.layout),
            "batch_size": self.batch_size,
            "threads": self.threads,
            "device": self.device,
            "hash_cap": self.hash_cap,
            "memory_limit_mb": self.memory_limit_mb,
            "loading": {
                "is_resident": self.is_resident,
                "prefetch": self.prefetch,
                "processes": self.loader_workers,
            },
            "learning": {
                "rate": self.rate,
                "dense_optimizer": self.dense_optimizer,
                "rule": str(self.rule),
                "table_rate": self.table_rate,
                "table_dtype": self.table_dtype,
                "table_layout": self.table_layout,
                "accumulation": self.accumulation,
                "compiled": self.is_compiled,
                "dtype": self.dtype,
                "forward": self.forward,
                "backward": self.backward,
                "deduplicated": self.is_deduplicated,
            },
        }


@dataclass(frozen=True)
class Window:
    """What some steps took: mean loss of each over the ranks, its seconds on the slowest, peak memory of all ranks."""

    losses: tuple[float, ...]
    seconds: tuple[float, ...]
    peak_bytes: int


class Ranks:
    """The processes of one training; a context that ends them all.

    `start` starts each of them, from a warm process for example (`evaluators._distributed.warm_start`); else each is a
    program of its own. All must be ready within `start_seconds`.
    """

    def __init__(self, training: Training, *, start: Start | None = None, start_seconds: float = START_SECONDS) -> None:
        self._training, self._start_seconds = training, start_seconds
        self._meeting = Meeting()
        self._processes: list[ChildProcess] = []
        try:
            for _ in range(training.ranks):
                self._processes.append(ChildProcess(COMMAND, start=start))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        for rank, process in enumerate(self._processes):
            process.say(self._training.greeting(rank, self._meeting.file))
        try:
            self._heard(self._start_seconds)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_alive(self) -> bool:
        """Whether all of them run."""
        return all(process.is_alive for process in self._processes)

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids, in the order of ranks."""
        return tuple(process.pid for process in self._processes)

    def steps(self, count: int, *, seconds: float) -> Window:
        """Takes so many steps on all ranks.

        Raises:
            ChildEnded: a rank ended (out of memory, say).
            ChildLate: `seconds` passed.
        """
        for process in self._processes:
            process.say({"steps": count})
        answers = self._heard(seconds)
        losses = zip(*(one["losses"] for one in answers), strict=True)
        times = zip(*(one["seconds"] for one in answers), strict=True)
        return Window(
            tuple(sum(one) / len(one) for one in losses),
            tuple(max(one) for one in times),
            sum(one["peak_bytes"] for one in answers),
        )

    def valid_nes(self, *, seconds: float) -> tuple[float, ...]:
        """NE of each rank's model on the validation part, at the end; raises as `steps` does."""
        for process in self._processes:
            process.say({"valid": True})
        return tuple(one["ne"] for one in self._heard(seconds))

    def close(self) -> None:
        """Ends all ranks at once."""
        for process in self._processes:
            process.end()
        self._meeting.close()

    def _heard(self, seconds: float) -> list[dict[str, Any]]:
        """What each rank answers. Where one has ended, others fail for want of it: its own end is the one to tell."""
        ended: list[ChildEnded | ChildLate] = []
        ends_at, answers = time.monotonic() + seconds, []
        for process in self._processes:
            try:
                answers.append(self._answer(process, max(ends_at, time.monotonic() + FAREWELL_SECONDS * bool(ended))))
            except (ChildEnded, ChildLate) as error:
                ended.append(error)
        if ended:
            raise max(ended, key=_tells)
        for one in answers:
            if "error" in one:
                raise EvaluatorError(one["error"])
        return answers

    def _answer(self, process: ChildProcess, ends_at: float) -> dict[str, Any]:
        """What one rank answers; nobody waits to the end for one whose peer has ended, and who may wait for that."""
        while True:
            left = max(0.0, ends_at - time.monotonic())
            try:
                return process.hear(seconds=min(left, LOOK_SECONDS))
            except ChildLate:
                if left <= LOOK_SECONDS or (process.is_alive and not self.is_alive):
                    raise


def _tells(end: ChildEnded | ChildLate) -> int:
    """How much an end says of its cause: a rank that lost its peer says little."""
    if isinstance(end, ChildLate):
        return 0
    return 1 if any(word in end.said for word in LOST_PEER) else 2


def layout_of(given: Mapping[str, Any]) -> Layout:
    """A layout from JSON types, as `greeting` writes it."""
    by_table = {name: Sharding(kind) for name, kind in given["by_table"].items()}
    return Layout(Sharding(given["default"]), by_table, given["groups"], given["sync_interval"], given["moment_scale"])
