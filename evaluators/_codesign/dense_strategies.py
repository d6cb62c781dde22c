"""Traffic of the dense part by the way its parameters are kept, in seconds at peak.

Source: Zhao et al. 2023, PyTorch FSDP: experiences on scaling fully sharded data parallel. Gradients of P parameters
are reduced to shards and, where everybody has all of the optimizer, gathered again; parameters that are not kept are
gathered for each micro-batch, in the kind of number that it computes with. Hybrid does so within hosts, and sums up its
share of the gradients between them.

Shards are moved unit by unit, by rings through all that hold one: a ring of many devices pays a message each.
"""

from __future__ import annotations

from evaluators._codesign.collectives import Ring
from searchspaces.deployment import BYTES, Plan

UNITS = 10
"""Parts of the dense model that are gathered one after the other: a guess."""


def gradient_seconds(parameters: int, replicated: int, plan: Plan, everybody: Ring) -> float:
    """Sums of gradients, once a step: the dense part's by its strategy, and all of data-parallel tables'."""
    number = BYTES[plan.all_reduce_dtype]
    tables = everybody.all_reduce_seconds(replicated * number)
    held = parameters * number
    if plan.dense == "ddp":
        return tables + everybody.all_reduce_seconds(held) + everybody.all_reduce_latency
    if plan.dense == "hsdp":
        within, between = _levels(everybody)
        latency = UNITS * (within.ring_latency + between.all_reduce_latency)
        shared = between.all_reduce_seconds(held / within.size)
        return tables + within.reduce_scatter_seconds(held) + shared + latency
    return tables + everybody.reduce_scatter_seconds(held) + UNITS * everybody.ring_latency


def gather_seconds(parameters: int, plan: Plan, everybody: Ring) -> float:
    """Parameters that a micro-batch gathers anew: forwards, and where they are not kept backwards again."""
    if plan.dense == "ddp":
        return 0.0
    among = _levels(everybody)[0] if plan.dense == "hsdp" else everybody
    often = 1 if plan.dense == "grad_op" else 2
    held = parameters * BYTES[plan.compute_dtype]
    return often * (among.reduce_scatter_seconds(held) + UNITS * among.ring_latency)


def _levels(everybody: Ring) -> tuple[Ring, Ring]:
    """The devices of one host, and one device of each host."""
    links = everybody.within_bytes_per_second, everybody.between_bytes_per_second
    return Ring(everybody.within, 1, *links), Ring(1, everybody.hosts, *links)
