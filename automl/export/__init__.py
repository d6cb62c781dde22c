"""Takes a winner out of a study: its description as YAML, its weights as safetensors, its predictions.

Importing this is light; torch comes in when weights are written, read or used.
"""

from automl.export.blend import Blend, is_blend, read_blend, write_blend
from automl.export.prediction import predict, predict_blend
from automl.export.reading import read_winner
from automl.export.training_plan import launch_script, torchrec_constraints
from automl.export.weights import Weights, read_weights, write_weights
from automl.export.winner import Winner, winner_document, write_winner

__all__ = [
    "Blend",
    "Weights",
    "Winner",
    "is_blend",
    "launch_script",
    "predict",
    "predict_blend",
    "read_blend",
    "read_weights",
    "read_winner",
    "torchrec_constraints",
    "winner_document",
    "write_blend",
    "write_weights",
    "write_winner",
]
