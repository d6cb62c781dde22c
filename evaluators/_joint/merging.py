"""Metrics of a quality and of a speed as those of one trial."""

from __future__ import annotations

from collections.abc import Mapping

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Metric

OF_THE_RUN = frozenset({"examples_per_second", "qps", "peak_memory_bytes", "energy_joules", "train_seconds"})
"""Metrics of a run, of which the speed's count: it alone ran under the candidate's system settings."""


def merged(quality: Evaluation, speed: Evaluation) -> Evaluation:
    """All metrics of both, and the seconds that each has taken now as `quality_seconds` and `speed_seconds`.

    Raises:
        EvaluatorError: both tell a metric and differ, and it is none of a run.
    """
    spent = {"quality_seconds": Metric(quality.seconds), "speed_seconds": Metric(speed.seconds)}
    metrics = {**_together(quality.metrics, speed.metrics), **spent}
    return Evaluation(metrics, quality.curve, quality.stopped_at, quality.seconds + speed.seconds)


def _together(quality: Mapping[str, Metric], speed: Mapping[str, Metric]) -> dict[str, Metric]:
    for name in quality.keys() & speed.keys() - OF_THE_RUN:
        if quality[name] != speed[name]:
            raise EvaluatorError(
                f"a metric that both evaluators tell must be one number, but {name!r} is {quality[name].value:g} of "
                f"the quality and {speed[name].value:g} of the speed; choose evaluators that measure different things"
            )
    return {**quality, **speed}
