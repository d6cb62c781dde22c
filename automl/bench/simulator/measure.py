"""The benchmark of the model of a cluster: errors on runs that its coefficients have not seen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from automl._files import write_text
from automl.bench.simulator.fitting import fitted
from automl.bench.simulator.runs import FILE, Run, runs
from evaluators._codesign.coefficients import Coefficients
from evaluators._codesign.step import ORIGINS, step

EARLY_ROUNDS = ("v2.1", "v3.0")
DIGITS = 6


def simulator() -> dict[str, Any]:
    """Leave-one-out errors on all runs, and those on later rounds of a fit to the first two.

    `mape` is the mean of |predicted - measured| / measured throughput, as a share; a term is `fitted` or `formula
    only`.
    """
    known = runs()
    whole = fitted(known)
    alone = [fitted([other for other in known if other is not run], whole) for run in known]
    early = [run for run in known if run.round in EARLY_ROUNDS]
    late = [run for run in known if run.round not in EARLY_ROUNDS]
    first = fitted(early)
    left_out = _ratios(known, alone)
    return {
        "runs": len(known),
        "coefficient_count": len(asdict(whole)),
        "mape": _rounded(np.mean(np.abs(left_out - 1))),
        "median_error": _rounded(np.median(np.abs(left_out - 1))),
        "spearman": _rounded(_spearman(known, left_out)),
        "in_sample_mape": _rounded(_mape(known, whole)),
        "later_rounds": {
            "fitted_on": list(EARLY_ROUNDS),
            "runs": len(late),
            "mape": _rounded(_mape(late, first)),
            "spearman": _rounded(_spearman(late, _ratios(late, [first] * len(late)))),
            "coefficients": _told(first),
        },
        "coefficients": _told(whole),
        "terms": {name: origin.value for name, origin in ORIGINS.items()},
        "rows": [_row(run, whole, ratio) for run, ratio in zip(known, left_out, strict=True)],
    }


def write_coefficients(path: Path, found: dict[str, Any]) -> None:
    """The file of coefficients that the evaluator reads, with where they are from and how good they are."""
    kept = {name: found[name] for name in ("coefficients", "mape", "spearman", "runs")}
    write_text(path, json.dumps({"source": FILE, **kept}, indent=2) + "\n")


def _ratios(known: Sequence[Run], coefficients: Sequence[Coefficients]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Predicted throughput over measured."""
    return np.array([run.seconds / run.predicted(told) for run, told in zip(known, coefficients, strict=True)])


def _mape(known: Sequence[Run], coefficients: Coefficients) -> float:
    return float(np.mean(np.abs(_ratios(known, [coefficients] * len(known)) - 1)))


def _spearman(known: Sequence[Run], ratios: np.ndarray[Any, np.dtype[np.float64]]) -> float:
    from scipy.stats import spearmanr

    measured = np.array([run.examples_per_second for run in known])
    return float(spearmanr(measured, measured * ratios).statistic)


def _row(run: Run, coefficients: Coefficients, ratio: float) -> dict[str, Any]:
    terms = step(run.work, run.plan, coefficients).terms
    return {
        "round": run.round,
        "system": run.system,
        "measured": run.examples_per_second,
        "predicted_left_out": round(run.examples_per_second * float(ratio)),
        "error": _rounded(ratio - 1),
        "milliseconds": {name: round(1e3 * seconds, 4) for name, seconds in terms.items()},
    }


def _told(coefficients: Coefficients) -> dict[str, float]:
    return {name: _rounded(value) for name, value in asdict(coefficients).items()}


def _rounded(value: Any) -> float:
    return float(f"{float(value):.{DIGITS}g}")
