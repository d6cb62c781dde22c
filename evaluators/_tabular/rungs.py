"""What a training would have shown after fewer rows, read from its learning curve.

Letters: l_j mean log loss before the update over the rows of point j, n_j rows of that point, H entropy of the base
rate. At a rung of N rows NE is sum n_j l_j / (H sum n_j) over the points in the last half of the first N rows: the
label that a training of N rows is ranked by, since rows before their update are rows not seen yet.
"""

from __future__ import annotations

from evaluators._evaluation import Evaluation, Metric
from evaluators._tabular.entries import CURVE_METRIC

TAIL = 0.5
"""Share of the rows so far, the last ones, that count; as in the label `ne_progressive`."""

FREE = ("flops", "macs", "params", "embedding_bytes", "qps", "latency_ms_p50", "latency_ms_p99", "peak_memory_bytes")
"""Metrics that do not depend on how long the training was."""


def read_at(evaluation: Evaluation, rows: int) -> Evaluation | None:
    """The evaluation after `rows` rows: quality before each update, costs as they are, time in proportion.

    The whole training where it saw no more rows than that, and None where its curve begins later. NE is in units of
    the validation part's entropy: a constant of the table, so ranks do not depend on it.
    """
    points = evaluation.curve
    if not points or points[-1].rows <= rows:
        return evaluation
    ends = [point.rows for point in points if point.rows <= rows]
    if not ends:
        return None
    sizes = [end - before for end, before in zip(ends, [0, *ends], strict=False)]
    # a point counts where it ends in the last half, so that the first rung, of one point, has one as well
    weighed = [(size, point) for size, point in zip(sizes, points, strict=False) if point.rows > (1 - TAIL) * ends[-1]]
    loss = sum(size * point.metrics[CURVE_METRIC] for size, point in weighed) / sum(size for size, _ in weighed)
    share = ends[-1] / points[-1].rows
    entropy = evaluation.value("logloss") / evaluation.value("ne")
    metrics = {name: one for name, one in evaluation.metrics.items() if name in FREE}
    metrics |= {"ne": Metric(loss / entropy), "ne_progressive": Metric(loss / entropy), "logloss": Metric(loss)}
    if "train_seconds" in evaluation.metrics:
        metrics["train_seconds"] = Metric(share * evaluation.value("train_seconds"))
    return Evaluation(metrics, points[: len(ends)], stopped_at=None, seconds=share * evaluation.seconds)
