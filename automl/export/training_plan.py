"""A plan of training for other programs: sharding as constraints of TorchRec's planner, the launch as a command.

Constraints are TorchRec's `ParameterConstraints` by table, as JSON: the planner then has no choice left but where each
shard lies. A launch has torchrun's own flags; a knob that the trainer must know is a flag of its name after `"$@"`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from searchspaces.deployment import Plan, RankingModel, Table
from searchspaces.deployment.plan import COLUMNS

SHARDING_TYPES = {
    "table": "table_wise",
    **dict.fromkeys(COLUMNS, "column_wise"),
    "row": "row_wise",
    "table_row": "table_row_wise",
    "grid": "grid_shard",
    "data": "data_parallel",
}
KERNELS = {"hbm": "fused", "cached": "fused_uvm_caching", "host": "fused_uvm"}
_OF_THE_TRAINER = (
    "global_batch",
    "accumulation",
    "groups",
    "sync_interval",
    "towers",
    "compression",
    "dense",
    "compute_dtype",
    "table_dtype",
    "forward_dtype",
    "backward_dtype",
    "all_reduce_dtype",
    "prefetch",
    "compiled",
    "loader_workers",
)

_MEETING = (
    '--rdzv-backend=c10d --rdzv-id="${RDZV_ID:-ctr-automl}" '
    '--rdzv-endpoint="${RDZV_ENDPOINT:?set it to HOST:PORT of one of the hosts, the same on all of them}"'
)
"""Of torchrun, where hosts must find each other; the identifier tells two trainings at one endpoint apart."""


def torchrec_constraints(model: RankingModel, plan: Plan) -> dict[str, dict[str, Any]]:
    """Constraints by the name of a table; of tables that are alike NAME_0, NAME_1 and so on."""
    pairs = zip(model.tables, plan.sharding, strict=True)
    return {name: _constraint(table, how, plan) for table, how in pairs for name in _names(table)}


def launch_script(plan: Plan) -> str:
    """A shell script that starts the trainer named by its arguments, to be run on each host of the cluster.

    Where there are several, each must find the others: the variable RDZV_ENDPOINT names one of them.
    """
    hosts, within = plan.cluster.hosts, plan.cluster.devices_per_host
    flags = [f"--{name.replace('_', '-')}={_told(getattr(plan, name))}" for name in _OF_THE_TRAINER]
    meeting = [_MEETING] if hosts > 1 else []
    lines = [f"torchrun --nnodes={hosts} --nproc-per-node={within}", *meeting, '"$@"', *map(shlex.quote, flags)]
    return "#!/bin/sh\n" + f"# {plan.cluster}, local batch {plan.local_batch:g}\n" + " \\\n  ".join(lines) + "\n"


def _constraint(table: Table, how: str, plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = {
        "sharding_types": [SHARDING_TYPES[how]],
        "compute_kernels": ["dense" if how == "data" else KERNELS[plan.tier]],
        "pooling_factors": [table.hotness],
    }
    slices = plan.group_hosts if how == "grid" else COLUMNS.get(how, 1)
    if slices > 1:
        found["min_partition"] = -(-table.dim // slices)
    if plan.tier == "cached" and how != "data":
        found["cache_params"] = {"load_factor": plan.cache_ratio}
    return found


def _names(table: Table) -> Iterator[str]:
    yield from [table.name] if table.count == 1 else (f"{table.name}_{at}" for at in range(table.count))


def _told(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
