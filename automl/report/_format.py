"""Writes numbers the way people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from automl.control import BASELINE_ORIGIN

ABSENT = "–"  # noqa: RUF001  # the dash that stands for "no value" in a table

_LABELS = {
    "ne": "NE",
    "auc": "AUC",
    "logloss": "log loss",
    "calibration": "calibration",
    "ne_calibrated": "calibrated NE",
    "ne_progressive": "progressive NE",
    "ne_gain": "NE gain over the control",
    "ne_progressive_gain": "progressive NE gain over the control",
    "flops": "FLOPs",
    "macs": "MACs",
    "params": "parameters",
    "embedding_bytes": "embedding bytes",
    "examples_per_second": "training examples/s",
    "qps": "QPS",
    "latency_ms_p50": "p50 latency (ms)",
    "latency_ms_p99": "p99 latency (ms)",
    "peak_memory_bytes": "peak memory (bytes)",
    "train_seconds": "training seconds",
    "energy_joules": "energy (J)",
    "step_seconds": "seconds a step",
    "dollars_per_billion_examples": "dollars a billion examples",
}
_BASELINES = {
    "dcnv2": "DCNv2",
    "dcn_v2": "DCNv2",
    "deepfm": "DeepFM",
    "dlrm": "DLRM",
    "wide_deep": "Wide & Deep",
    "wide_and_deep": "Wide & Deep",
    "lr": "Logistic regression",
    BASELINE_ORIGIN: "Your baseline",
}
_LOSS_LIKE = frozenset({"ne", "auc", "logloss", "calibration", "ne_calibrated", "ne_progressive"})


def label(metric: str) -> str:
    """The metric's name in a heading."""
    return _LABELS.get(metric, metric.replace("_", " "))


def baseline_name(origin: str) -> str:
    """The name of a baseline from an origin such as `zoo:dcnv2`."""
    name = origin.rpartition(":")[2]
    return _BASELINES.get(name, name.replace("_", " ").capitalize()) or "Baseline"


def value(metric: str, number: float | None) -> str:
    """A metric's value: five decimals for qualities, three digits with a unit prefix for the rest."""
    if number is None:
        return ABSENT
    if metric in _LOSS_LIKE:
        return f"{number:.5f}"
    return f"{number:.3f}" if metric.startswith("latency") else quantity(number)


def quantity(number: float | None) -> str:
    """Three significant digits and a decimal prefix.

    >>> quantity(1234567.0)
    '1.23 M'
    """
    if number is None:
        return ABSENT
    for scale, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        # 999.5 of a unit rounds to a thousand: it belongs to the next prefix.
        if abs(number) >= 0.9995 * scale:
            return f"{_three_digits(number / scale)} {prefix}"
    return str(round(number)) if number == round(number) else _three_digits(number)


def megabytes(count: float | None) -> str:
    """Bytes as megabytes of 10**6."""
    return ABSENT if count is None else f"{count / 1e6:,.2f}"


def duration(seconds: float) -> str:
    """Seconds as the largest two units that matter.

    >>> duration(3725)
    '1 h 2 min'
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


def signed(number: float, decimals: int) -> str:
    """A difference with its sign, a true minus for less."""
    return f"{number:+.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def times(ratio: float) -> str:
    """A multiple of what the control has."""
    return f"{ratio:.2f} times the control's" if ratio >= 0.1 else f"{ratio:.2g} times the control's"


def gained(percent: float | None) -> str:
    """A gain with its sign; nothing where it is not known."""
    return ABSENT if percent is None else f"{signed(percent, 2)} %"


def percent(share: float) -> str:
    """A share as whole percent, without the sign; a true minus for less than none.

    >>> percent(-0.001)
    '0'
    """
    return f"{round(100 * share)}".replace("-", "\N{MINUS SIGN}")


def moment(seconds: float) -> str:
    """Seconds since the epoch as a UTC time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _three_digits(number: float) -> str:
    size = abs(number)
    return f"{number:.0f}" if size >= 99.95 else f"{number:.1f}" if size >= 9.995 else f"{number:.2f}"
