"""Traffic of the dense part by the way its parameters are kept, in seconds at peak.

Source: Zhao et al. 2023, PyTorch FSDP: experiences on scaling fully sharded data parallel. With P parameters of s
bytes: data-parallel 2 P s, sharded gradients 2 P s, all sharded 3 P s, of which the two gathers come with each
micro-batch; hybrid shards within hosts, and sums up only its share of the gradients between them.
"""

from __future__ import annotations

from evaluators._codesign.collectives import Ring
from searchspaces.deployment import BYTES, Plan


def gradient_seconds(parameters: int, replicated: int, plan: Plan, everybody: Ring) -> float:
    """Sums of gradients, once a step: the dense part's by its strategy, and all of data-parallel tables'."""
    number = BYTES[plan.all_reduce_dtype]
    tables = everybody.all_reduce_seconds(replicated * number)
    held = parameters * number
    latency = everybody.all_reduce_latency
    if plan.dense in ("ddp", "hsdp"):  # in a host and of its share between hosts is what two levels do anyway
        return tables + everybody.all_reduce_seconds(held) + latency
    gathers = 1 if plan.dense == "grad_op" else 0
    return tables + (1 + gathers) * everybody.flat_gather_seconds(held) + latency


def gather_seconds(parameters: int, plan: Plan, everybody: Ring) -> float:
    """Parameters that a micro-batch gathers anew, forwards and backwards, in the kind of number that it computes with.

    Within hosts the second gather stands in for the gather of an all-reduce, so one is counted there.
    """
    held = parameters * BYTES[plan.compute_dtype]
    if plan.dense == "fsdp":
        return 2 * everybody.flat_gather_seconds(held)
    if plan.dense == "hsdp":
        within = Ring(everybody.within, 1, everybody.within_bytes_per_second, everybody.between_bytes_per_second)
        return 2 * within.reduce_scatter_seconds(held)
    return 0.0
