"""Describes what a candidate is: architectures as data, spaces of them, blocks that build them."""

from searchspaces._architecture import Architecture, Node
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical, live_nodes
from searchspaces._decisions import (
    Assignment,
    Choice,
    Condition,
    Decision,
    InputChoice,
    OperatorChoice,
    OptionChoice,
    WidthChoice,
    count_assignments,
)
from searchspaces._errors import (
    ArchitectureError,
    CandidateError,
    PluginError,
    SchemaError,
    SearchSpaceError,
    SpaceError,
    did_you_mean,
)
from searchspaces._options import Options, Value
from searchspaces._plugins import foreign_plugins, load_plugin, plugin_names, plugin_summary
from searchspaces._schema import EDGES, FeatureSchema, Field, Kind, Statistics
from searchspaces._shapes import Cost, Dense, Fields, Shape
from searchspaces._space import SearchSpace
from searchspaces._zoo import zoo, zoo_names, zoo_paper

__all__ = [
    "EDGES",
    "Architecture",
    "ArchitectureError",
    "Assignment",
    "Candidate",
    "CandidateError",
    "Choice",
    "Condition",
    "Cost",
    "Decision",
    "Dense",
    "FeatureSchema",
    "Field",
    "Fields",
    "InputChoice",
    "Kind",
    "Node",
    "OperatorChoice",
    "OptionChoice",
    "Options",
    "PluginError",
    "SchemaError",
    "SearchSpace",
    "SearchSpaceError",
    "Shape",
    "SpaceError",
    "Statistics",
    "Value",
    "WidthChoice",
    "canonical",
    "count_assignments",
    "did_you_mean",
    "foreign_plugins",
    "live_nodes",
    "load_plugin",
    "plugin_names",
    "plugin_summary",
    "zoo",
    "zoo_names",
    "zoo_paper",
]
