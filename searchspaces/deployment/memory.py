"""What each device must hold under a plan, and whether it can: a bound that keeps sure failures from being launched.

Row-wise AdaGrad keeps one fp32 number a row of a table; Adam two fp32 numbers a parameter of the dense part. The
reserve is the share that TorchRec's planner keeps free by default.
"""

from __future__ import annotations

from dataclasses import dataclass

from searchspaces.deployment.model import RankingModel
from searchspaces.deployment.placement import INDEX_BYTES, Placement, placed
from searchspaces.deployment.plan import BYTES, Plan

RESERVE = 0.15
_ROW_STATE_BYTES = 4
_MASTER_BYTES, _STATE_BYTES = 4, 8
_FLAT_ACTIVATIONS = 4
"""Copies of an example's pooled vectors that the dense part keeps for its backward pass."""


@dataclass(frozen=True)
class Memory:
    """Bytes of the fullest device by what they are for, and of what there is."""

    tables: float
    exchanged: float
    dense: float
    activations: float
    inputs: float
    capacity: float

    @property
    def needed(self) -> float:
        """Of all parts."""
        return self.tables + self.exchanged + self.dense + self.activations + self.inputs

    @property
    def usable(self) -> float:
        """The capacity without its reserve."""
        return self.capacity * (1 - RESERVE)

    @property
    def fits(self) -> bool:
        """Whether the plan can be run at all, as far as a bound can tell."""
        return self.needed <= self.usable


def memory_of(model: RankingModel, plan: Plan, placement: Placement | None = None) -> Memory:
    """Bytes that the fullest device of a plan must hold."""
    found = placement or placed(model, plan)
    return Memory(
        float(_table_bytes(model, plan, found)),
        _exchanged_bytes(model, plan, found),
        _dense_bytes(model, plan),
        plan.local_batch * (_FLAT_ACTIVATIONS * model.width * BYTES[plan.compute_dtype]),
        plan.local_batch * (model.lookups * INDEX_BYTES + model.numeric * 4) * (1 + plan.prefetch),
        plan.cluster.device.memory_bytes,
    )


def _table_bytes(model: RankingModel, plan: Plan, placement: Placement) -> float:
    """Of the device with most tables; from the host's memory it has its cache alone."""
    share = {"hbm": 1.0, "cached": plan.cache_ratio, "host": 0.0}[plan.tier]
    sharded = placement.weights - placement.replicated
    kept_rows = sum(
        table.rows * table.count for table, how in zip(model.tables, plan.sharding, strict=True) if how == "data"
    )
    sharded_bytes = sharded * BYTES[plan.table_dtype] + (placement.rows - kept_rows) * _ROW_STATE_BYTES
    copies = placement.replicated * (BYTES[plan.table_dtype] + BYTES[plan.all_reduce_dtype])
    return float(sharded_bytes.max()) * share + copies + kept_rows * _ROW_STATE_BYTES


def _exchanged_bytes(model: RankingModel, plan: Plan, placement: Placement) -> float:
    """Buffers of what is sent and received, forwards and backwards; partial sums are as large as the group's batch."""
    partial = placement.partial + float(placement.host_partial.max())
    numbers = float(placement.sent.max()) + partial + plan.local_batch * model.width
    return numbers * (BYTES[plan.forward_dtype] + BYTES[plan.backward_dtype])


def _dense_bytes(model: RankingModel, plan: Plan) -> float:
    """Parameters, gradients and the optimizer's state, each where its strategy keeps it."""
    within, everywhere = plan.cluster.devices_per_host, plan.cluster.devices
    parameters, rest = {"ddp": (1, 1), "grad_op": (1, everywhere), "hsdp": (within,) * 2, "fsdp": (everywhere,) * 2}[
        plan.dense
    ]
    held = _MASTER_BYTES / parameters + (BYTES[plan.all_reduce_dtype] + _STATE_BYTES) / rest
    return model.dense_parameters * held
