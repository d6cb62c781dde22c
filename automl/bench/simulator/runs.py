"""The published runs as the model of a cluster sees them: what was trained on what, in which time a step."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files

from automl.bench.simulator.workloads import workload
from evaluators._codesign.coefficients import FOLDER, Coefficients
from evaluators._codesign.step import step
from evaluators._codesign.work import Work, work
from searchspaces.deployment import DEVICES, Cluster, Plan, RankingModel

FILE = "mlperf_dlrm.csv"
COPIED_BYTES = 1_000_000
"""Tables up to this size stand on every device: the submissions say that small ones do, not which."""


@dataclass(frozen=True)
class Run:
    """One measured throughput, and a plan that stands for the one that it had.

    Placements were tuned and not published, so loads are taken as even: what is lost by that is in the coefficients.
    All submissions compute in half precision, capture launches and overlap what they can.
    """

    round: str
    system: str
    model: RankingModel
    plan: Plan
    examples_per_second: float

    @property
    def seconds(self) -> float:
        """Of one measured step."""
        return self.plan.global_batch / self.examples_per_second

    @cached_property
    def work(self) -> Work:
        """What a step had to do."""
        return work(self.model, self.plan)

    def predicted(self, coefficients: Coefficients) -> float:
        """Seconds of a step by the model."""
        return step(self.work, self.plan, coefficients).seconds


def runs() -> tuple[Run, ...]:
    """All that the package holds."""
    return tuple(_runs())


def _runs() -> Iterator[Run]:
    text = files(FOLDER).joinpath(FILE).read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        model = workload(row["workload"])
        plan = _plan(row, model)
        yield Run(row["round"], row["submitter_and_system"], model, plan, float(row["samples_per_second"]))


def _plan(row: Mapping[str, str], model: RankingModel) -> Plan:
    cluster = Cluster(DEVICES[row["gpu"]], int(row["hosts"]), int(row["gpus_per_host"]))
    sharding = tuple("data" if table.weights * 4 <= COPIED_BYTES else "even" for table in model.tables)
    return Plan(cluster, sharding, int(row["global_batch"]), compute_dtype="fp16")
