"""Everything that a training step is made of runs where its tensors are, tried on a device that holds no numbers.

A tensor that a block, a source or the engine makes on the CPU meets one of device `meta` there, which torch refuses.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from evaluators._training.cohort import Cohort
from evaluators._training.examples import Batch
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, ArchitectureError, FeatureSchema, Node, Options, SchemaError, plugin_names
from searchspaces.build import RankingModel, build
from tests.contracts.test_blocks import OPTIONS
from tests.contracts.test_blocks import ROOM as BLOCKS
from tests.contracts.test_embeddings import OPTIONS as SOURCE_OPTIONS
from tests.contracts.test_embeddings import ROOM as SOURCES
from tests.searchspaces.embeddings.known_statistics import with_statistics
from tests.searchspaces.graphs import schema

META = torch.device("meta")
FIELDS = with_statistics(schema(numeric=3, categorical=2))
INPUTS = (
    Node("numeric"),
    Node("full", (), Options(dim=4)),
    Node("mlp", (0, 1), Options(width=4)),
    Node("mlp", (0, 1), Options(width=1)),
)
TAKEN: tuple[tuple[int, ...], ...] = ((2,), (1,), (3,), (2, 3), (2, 1), (0, 1, 2))
"""Which of the inputs a block may take."""

ROWS = 8


def graphs(name: str, room: str) -> Iterator[Architecture]:
    """Architectures around the plug, of which some cannot be built."""
    if room == SOURCES:
        for options in SOURCE_OPTIONS:
            yield Architecture((Node(name, (), options), Node("logit", (0,))))
        return
    for options in OPTIONS:
        for taken in TAKEN:
            if len(options.get("ports") or taken) != len(taken):  # type: ignore[arg-type]
                continue
            block = Node(name, taken, options)
            yield Architecture((*INPUTS, block, Node("logit", (len(INPUTS),))))
            yield Architecture((*INPUTS, block))


def models(name: str, room: str, fields: FeatureSchema = FIELDS) -> list[RankingModel]:
    """One model of each architecture around the plug that can be built."""
    found = []
    for graph in graphs(name, room):
        try:
            found.append(build(graph, fields, seed=1))
        except (ArchitectureError, SchemaError):
            continue
    return found


def batch() -> Batch:
    """Some rows on the CPU."""
    generator = torch.Generator().manual_seed(1)
    numeric = torch.randn(ROWS, len(FIELDS.numeric), generator=generator)
    categorical = torch.randint(0, 3, (ROWS, len(FIELDS.categorical)), generator=generator)
    return Batch(numeric, categorical, (torch.arange(ROWS) % 2).float())


def step_elsewhere(found: list[RankingModel], dtype: torch.dtype) -> torch.Tensor:
    """One step of a cohort on device `meta`; the ids are looked up where they have values, as a stream does it."""
    settings = [TrainingSettings(batch_size=ROWS, embedding_weight_decay=0.1)] * len(found)
    given = batch()
    for model in found:
        model.lower(dtype)
    here = Cohort(found, settings).lookups(given)
    there = Cohort([_moved(model) for model in found], settings)
    lookups = {signature: lookup.to(META) for signature, lookup in here.items()}
    moved = Batch(given.numeric.to(META), given.categorical.to(META), given.label.to(META))
    losses = there.step(moved, lookups)
    there.average(0.9)
    there.use(averaged=True)
    return losses


def _moved(model: RankingModel) -> RankingModel:
    """The same architecture on device `meta`: a model that is in a cohort has given its tables away."""
    moved = build(model.architecture, model.schema, seed=1).to(META)
    moved.lower(model.dtype)
    return moved


@pytest.fixture(params=[(room, name) for room in (BLOCKS, SOURCES) for name in plugin_names(room)])
def plug(request: pytest.FixtureRequest) -> tuple[str, str]:
    room, name = request.param
    return room, name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_cohort_steps_on_any_device(plug: tuple[str, str], dtype: torch.dtype) -> None:
    room, name = plug
    found = models(name, room)
    assert found, f"none of the architectures of this file holds {name!r}; add one that does"
    losses = step_elsewhere(found, dtype)
    assert losses.device == META
    assert losses.shape == (len(found),)


def test_a_tensor_that_is_always_on_the_cpu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = RankingModel.interact

    def wired(self: RankingModel, raw: dict[int, torch.Tensor]) -> torch.Tensor:
        return real(self, raw) + torch.ones(ROWS)

    monkeypatch.setattr(RankingModel, "interact", wired)
    with pytest.raises(RuntimeError, match="device"):
        step_elsewhere(models("mlp", BLOCKS), torch.float32)
