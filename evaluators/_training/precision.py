"""Chooses precision and threads by measurement, once for a machine, a build and a dataset, and remembers the choice.

Low precision is chosen where the device multiplies it fast and where models trained in both precisions, from the same
seed on the study's own rows, agree in NE. The choice is kept in a file, so that a search and its resume, or many
workers of one machine, train alike however busy the machine is when they look.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from evaluators._datasets import home
from evaluators._errors import EvaluatorError
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.metrics import quality
from evaluators._training.search_data import SearchData
from evaluators._training.settings import PRECISIONS, TrainingSettings
from evaluators._training.way import Way
from searchspaces import Candidate

LOW = torch.bfloat16
LEAST_SPEED = 1.5
"""How many times faster matrices must be multiplied for low precision to be worth a look."""

MOST_DIFFERENCE = 5e-4
"""NE by which a model may differ: a third of what two seeds of one model differ by on 150,000 rows."""

PARITY_ROWS = 20_000
LEAST_THREAD_GAIN = 1.15
SIDE = 512
OPTIONS = {Way.COMPILED: "compile", Way.GROUPED: "grouped"}
"""What each way is called in a config."""


def choose_precision(
    name: str, data: SearchData, settings: TrainingSettings, candidates: Sequence[Candidate], *, digest: str
) -> torch.dtype:
    """The precision called 'fp32', 'bf16' or 'auto', which measures.

    Raises:
        EvaluatorError: it is called otherwise.
    """
    if name not in PRECISIONS:
        raise EvaluatorError(f"'precision' must be one of {', '.join(PRECISIONS)}, but is {name!r}")
    if name != "auto":
        return LOW if name == "bf16" else torch.float32
    device = data.train.device
    found = remembered(
        f"precision|{device_name(device)}|{digest}",
        lambda: _measured(data, replace(settings, rows=PARITY_ROWS, passes=1), candidates),
    )
    return LOW if found["low"] else torch.float32


def check_way(
    way: Way,
    data: SearchData,
    settings: TrainingSettings,
    candidates: Sequence[Candidate],
    *,
    dtype: torch.dtype,
    digest: str,
) -> None:
    """Returns silently where models train as they do memberwise, on the study's own rows.

    Raises:
        EvaluatorError: they do not, or it cannot be tried here.
    """
    if way is Way.MEMBERWISE:
        return
    option = OPTIONS[way]
    kind = str(dtype).removeprefix("torch.")
    found = remembered(
        f"{way}|{kind}|{device_name(data.train.device)}|{digest}",
        lambda: _compared(data, replace(settings, rows=PARITY_ROWS, passes=1), candidates, dtype, way),
    )
    if found["difference"] > MOST_DIFFERENCE:
        raise EvaluatorError(
            f"{option!r} needs models whose NE is within {MOST_DIFFERENCE} of what it is without, but it differs by "
            f"{found['difference']:.2g}; leave {option!r} out"
        )


def choose_threads(most: int, data: SearchData, candidates: Sequence[Candidate], *, digest: str) -> int:
    """One thread or `most`, whichever trains the first of the candidates faster; two lose where matrices are small."""
    if most < 2 or not candidates or data.train.device.type != "cpu":
        return most
    found = remembered(
        f"threads|{most}|{device_name(data.train.device)}|{digest}", lambda: _thread_gain(most, data, candidates[0])
    )
    return most if found["gain"] >= LEAST_THREAD_GAIN else 1


def remembered(key: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What was measured under this key, now or the first time."""
    path = home() / "measured.json"
    known = _read(path)
    if key not in known:
        known = {**known, key: measure()}
        with suppress(OSError):  # it is measured again the next time
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{time.monotonic_ns()}.tmp")
            fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
            fresh.replace(path)
    found: dict[str, Any] = known[key]
    return found


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}


def device_name(device: torch.device) -> str:
    """What the measurement depends on: the device and the build."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}|{torch.__version__}"
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        flags = next(line for line in lines if line.startswith("flags"))
        kinds = "+".join(one for one in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if one in flags.split())
        return f"{platform.machine()}|{kinds}|{torch.__version__}"
    return f"{platform.machine()}|{torch.__version__}"


def matrix_rate(dtype: torch.dtype, device: torch.device, *, side: int = SIDE) -> float:
    """Multiply-adds a second of the best of several products of square matrices."""
    one = torch.ones(side, side, dtype=dtype, device=device)
    best = 0.0
    for _ in range(7):
        started = time.perf_counter()
        product = one @ one
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = max(best, side**3 / (time.perf_counter() - started))
        del product
    return best


def _measured(data: SearchData, settings: TrainingSettings, candidates: Sequence[Candidate]) -> dict[str, Any]:
    device = data.train.device
    speed = matrix_rate(LOW, device) / matrix_rate(torch.float32, device)
    if speed < LEAST_SPEED or not candidates:
        return {"low": False, "speed": round(speed, 2)}
    chosen = candidates[:2]
    jobs = [Job(one, settings.overridden(one.training, {"rows": settings.rows, "passes": 1})) for one in chosen]
    nes = [_nes(jobs, data, dtype) for dtype in (torch.float32, LOW)]
    difference = max((abs(one - other) for one, other in zip(*nes, strict=True)), default=float("inf"))
    return {"low": difference <= MOST_DIFFERENCE, "speed": round(speed, 2), "difference": difference}


def _compared(
    data: SearchData, settings: TrainingSettings, candidates: Sequence[Candidate], dtype: torch.dtype, way: Way
) -> dict[str, Any]:
    """Of a pair of twins. What is found is remembered, what goes wrong is not: a compiler may be installed later."""
    option = OPTIONS[way]
    if not candidates:
        raise EvaluatorError(f"{option!r} is tried on a control first, but there is none; leave {option!r} out")
    own = settings.overridden(candidates[0].training, {"rows": settings.rows, "passes": 1})
    jobs = [Job(candidates[0], own)] * 2
    try:
        nes = [_nes(jobs, data, dtype, way=one) for one in (Way.MEMBERWISE, way)]
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise EvaluatorError(f"{option!r} cannot be had: {reason}; leave it out") from error
    return {"difference": max(abs(one - other) for one, other in zip(*nes, strict=True))}


def _nes(jobs: Sequence[Job], data: SearchData, dtype: torch.dtype, *, way: Way = Way.MEMBERWISE) -> list[float]:
    """NE of each job; infinite where one cannot be trained, so that nothing agrees with it."""
    trained = train_jobs(jobs, data, seed=0, dtype=dtype, way=way)
    return [
        quality(one.logits, data.valid.labels)["ne"].value if isinstance(one, Trained) else float("inf")
        for _, one in sorted(trained.items())
    ]


def _thread_gain(most: int, data: SearchData, candidate: Candidate) -> dict[str, Any]:
    seconds: dict[int, float] = {}
    for threads in (1, most, 1, most):
        torch.set_num_threads(threads)
        started = time.perf_counter()
        settings = TrainingSettings(rows=10_000)
        train_jobs([Job(candidate, settings)] * 2, data, seed=0)
        spent = time.perf_counter() - started
        seconds[threads] = min(seconds.get(threads, spent), spent)
    return {"gain": round(seconds[1] / seconds[most], 3)}
