"""What is trained where: a model's tables and layers, a cluster, a plan of training, and what each device must hold.

Letters here and in `evaluators._codesign`: W devices, N hosts, g devices a host, M groups that each hold all tables,
G = W / M devices of a group, b examples of a device's micro-batch.
"""

from searchspaces.deployment.cluster import DEVICES, Cluster, Device
from searchspaces.deployment.memory import Memory, memory_of
from searchspaces.deployment.model import RankingModel, Table
from searchspaces.deployment.placement import Placement, placed
from searchspaces.deployment.plan import BYTES, Plan

__all__ = [
    "BYTES",
    "DEVICES",
    "Cluster",
    "Device",
    "Memory",
    "Placement",
    "Plan",
    "RankingModel",
    "Table",
    "memory_of",
    "placed",
]
