"""One process of the crew: `python -m automl.bench.evaluator._worker DATA`, a request and an answer a line, in JSON.

Requests name what to `do`: one of the functions of `DOING`, with its arguments beside.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from automl.bench.evaluator.figures import Work, embedding_bytes
from automl.bench.evaluator.plain import plain_logits, train_plainly
from automl.bench.evaluator.rates import copy_rate, layer_shapes, matrix_rate
from evaluators._datasets import open_dataset
from evaluators._training.cohort import Cohort
from evaluators._training.controls import race
from evaluators._training.evaluate import Job, Racing, Trained, reference_of, train_jobs, trainable
from evaluators._training.loop import train
from evaluators._training.metrics import quality
from evaluators._training.precision import choose_precision, device_name
from evaluators._training.precision import matrix_rate as square_rate
from evaluators._training.racing import RacingRule
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan
from evaluators._training.way import Way
from searchspaces import Candidate
from searchspaces.build import build
from searchspaces.cost import cost

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
TRIES = 2


def precision(data: SearchData, *, candidates: Sequence[Any], digest: str) -> dict[str, Any]:
    """What the evaluator's rule says for this machine, build and data."""
    controls = [Candidate.from_dict(one) for one in candidates]
    chosen = choose_precision("auto", data, TrainingSettings(), controls, digest=digest)
    return {
        "chosen": next(name for name, one in DTYPES.items() if one == chosen),
        "device": device_name(data.train.device),
        "square_gflops": {name: round(2e-9 * square_rate(one, data.train.device), 1) for name, one in DTYPES.items()},
    }


def training(
    data: SearchData,
    *,
    how: str,
    candidates: Sequence[Any],
    cohort: int,
    rows: int | None,
    seed: int,
    control: Any = None,
    way: str = "memberwise",
) -> dict[str, Any]:
    """Trains and scores all candidates: 'plain', or in cohorts of the precision that `how` names.

    With a `control`, which is trained first, members that are surely worse than it or than each other are stopped.
    """
    jobs = _jobs(candidates, rows)
    started, before = time.monotonic(), time.process_time()
    trained: list[float] = []
    if how == "plain":
        logits = plain_logits(jobs, data, seed=seed)
    else:
        racing = _racing(control, rows, data, seed)
        found = _in_cohorts(jobs, data, cohort, seed=seed, dtype=DTYPES[how], racing=racing, way=Way(way))
        logits = [one.logits for one in found]
        trained = [len(one.course.losses) / len(one.courses.rows) for one in found]
    ended, spent = time.monotonic(), time.process_time() - before
    nes = [quality(one, data.valid.labels)["ne"].value for one in logits]
    return {"span": [started, ended], "processor_seconds": spent, "ne": nes, "trained": trained}


def _in_cohorts(jobs: Sequence[Job], data: SearchData, cohort: int, **ways: Any) -> list[Trained]:
    found = []
    for first in range(0, len(jobs), cohort):
        trained = train_jobs(jobs[first : first + cohort], data, **ways)
        found += [_sound(one) for _, one in sorted(trained.items())]
    return found


def _racing(control: Any, rows: int | None, data: SearchData, seed: int) -> Racing | None:
    """The default rule beside a control that is trained for it."""
    if control is None:
        return None
    found = train_jobs(_jobs([control], rows), data, seed=seed, dtype=torch.bfloat16)
    return partial(race, rule=RacingRule(), reference=reference_of(_sound(found[0]), data))


def limit(data: SearchData, *, how: str, candidates: Sequence[Any], rows: int | None, seed: int) -> dict[str, Any]:
    """Examples a second of training steps, best of a few passes, beside what the machine allows for the same work.

    Seconds are the processor's, here and in the rates: what other programs take of it is not this one's.
    """
    jobs = _jobs(candidates, rows)
    dtype = DTYPES["fp32" if how == "plain" else how]
    plan = Plan.of(jobs[0].settings, len(data.train), seed=seed)
    shapes = [
        one
        for job in jobs
        for one in layer_shapes(build(trainable(job.candidate), data.schema, seed=0), plan.batch_size)
    ]
    rates, copies, seconds = [], [], []
    for _ in range(TRIES):
        rates.append(matrix_rate(shapes, dtype))
        copies.append(copy_rate())
        seconds.append(_plain_seconds(jobs, data, seed) if how == "plain" else _cohort_seconds(jobs, data, dtype, seed))
    work = _work(jobs, data, plan, dtype)
    examples = len(jobs) * plan.rows / min(seconds)
    possible = work.limit(max(rates), max(copies))
    return {
        "examples_per_second": round(examples),
        "limit_examples_per_second": round(possible),
        "share": round(examples / possible, 3),
        "mflop_an_example": round(1e-6 * work.flops, 3),
        "kilobytes_an_example": round(1e-3 * work.bytes, 2),
        "matrix_gflops": round(1e-9 * max(rates), 1),
        "copy_gigabytes": round(1e-9 * max(copies), 1),
    }


def _plain_seconds(jobs: Sequence[Job], data: SearchData, seed: int) -> float:
    models = [build(trainable(job.candidate), data.schema, seed=seed) for job in jobs]
    started = time.process_time()
    for model, job in zip(models, jobs, strict=True):
        train_plainly(model, job, data, seed=seed)
    return time.process_time() - started


def _cohort_seconds(jobs: Sequence[Job], data: SearchData, dtype: torch.dtype, seed: int) -> float:
    models = [build(trainable(job.candidate), data.schema, seed=seed) for job in jobs]
    for model in models:
        model.lower(dtype)
    cohort = Cohort(models, [job.settings for job in jobs])
    started = time.process_time()
    train(cohort, data.stream, Plan.of(jobs[0].settings, len(data.train), seed=seed))
    return time.process_time() - started


def _work(jobs: Sequence[Job], data: SearchData, plan: Plan, dtype: torch.dtype) -> Work:
    """Of the mean candidate."""
    cohort = Cohort(
        [build(trainable(job.candidate), data.schema, seed=0) for job in jobs], [job.settings for job in jobs]
    )
    step = next(data.stream.steps(plan, 0, cohort.lookups, cohort.signatures))
    columns = [found for member in cohort.members.values() for found in member.columns()]
    moved = sum(
        embedding_bytes(
            touched=len(step.lookups[signature].touched),
            lookups=len(step.lookups[signature].places),
            dim=column.dim,
            value_bytes=dtype.itemsize,
        )
        for signature, column in columns
    )
    flops = sum(6.0 * cost(trainable(job.candidate), data.schema).macs for job in jobs)
    return Work(flops / len(jobs), moved / len(jobs) / len(step.batch.label))


def _jobs(candidates: Sequence[Any], rows: int | None) -> list[Job]:
    settings = TrainingSettings(rows=rows)
    return [Job(Candidate.from_dict(one), settings) for one in candidates]


def _sound(found: Trained | Exception) -> Trained:
    if isinstance(found, Exception):
        raise found
    return found


DOING: dict[str, Callable[..., dict[str, Any]]] = {"precision": precision, "training": training, "limit": limit}


def main(source: str) -> None:
    """Answers until standard input ends."""
    torch.set_num_threads(1)
    dataset = open_dataset(source)
    data = SearchData.load(dataset, torch.device("cpu"))
    _say({"rows": len(data.train), "torch": torch.__version__})
    for line in sys.stdin:
        request = json.loads(line)
        _say(DOING[request.pop("do")](data, **request))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
