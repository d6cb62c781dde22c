"""What was fitted to measured runs: the coefficients, and the file of the package that holds them.

`automl bench simulator --coefficients PATH` makes the file from the runs beside it.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from evaluators._errors import EvaluatorError

FOLDER = "evaluators._codesign.calibration"
FILE = "coefficients.json"


@dataclass(frozen=True)
class Coefficients:
    """Achieved seconds over seconds at peak, an overhead and a share.

    dense              of multiply-adds; 2 is half of the peak
    lookups            of table memory
    all_reduce         of gradients
    overhead_seconds   of each micro-batch, whatever it does
    overlap            share of the dense part's seconds behind which exchanged vectors hide

    Raises:
        EvaluatorError: one is not a positive number.
    """

    dense: float
    lookups: float
    all_reduce: float
    overhead_seconds: float
    overlap: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not (isinstance(value, float | int) and 0.0 < value < math.inf):
                raise EvaluatorError(f"a coefficient must be a positive number, but {name!r} is {value!r}")


HALF_OF_PEAK = Coefficients(dense=2.0, lookups=2.0, all_reduce=2.0, overhead_seconds=1e-4, overlap=0.3)
"""What one expects who has measured nothing: half of every peak, a tenth of a millisecond, and a third of the dense
part to hide behind."""


def shipped_coefficients() -> Coefficients:
    """Those of the package."""
    return _read(files(FOLDER).joinpath(FILE).read_text(encoding="utf-8"), FILE)


def read_coefficients(path: Path) -> Coefficients:
    """Those of a file of one's own, as `automl bench simulator --coefficients` writes it.

    Raises:
        EvaluatorError: the file cannot be read, or does not hold exactly the coefficients.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluatorError(f"the coefficients cannot be read from {path}: {error}") from error
    return _read(text, str(path))


def _read(text: str, source: str) -> Coefficients:
    try:
        return Coefficients(**json.loads(text)["coefficients"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, EvaluatorError):
            raise
        raise EvaluatorError(
            f"coefficients are a JSON object with {', '.join(Coefficients.__dataclass_fields__)} under 'coefficients', "
            f"but {source} is not: {error!r}; make it with 'automl bench simulator --coefficients PATH'"
        ) from error
