"""Sources of every kind in training: among others, in low precision, and without what they need."""

from dataclasses import replace

import pytest
import torch

from evaluators._errors import EvaluatorError
from evaluators._training.cohort import Cohort
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, Candidate, Node, Options
from searchspaces.build import build
from searchspaces.cost import cost

SOURCES = [
    Node("full", (), Options(dim=4, fields=["field1"])),
    Node("hashed", (), Options(dim=4, rows=10)),
    Node("quotient_remainder", (), Options(dim=4, collisions=4, threshold=10)),
    Node("mixed_dimension", (), Options(dim=4, alpha=0.5)),
    Node("multi_embedding", (), Options(dim=4, tables=2)),
    Node("numeric", (), Options(missing=True)),
    Node("numeric_linear", (), Options(dim=4, bias=True, missing=True)),
    Node("quantile_bins", (), Options(dim=4, bins=16)),
    Node("piecewise_linear", (), Options(dim=4, bins=16)),
    Node("autodis", (), Options(dim=4, buckets=6)),
    Node("frequency"),
]
SETTINGS = TrainingSettings(batch_size=128)


def on(*sources: Node) -> Candidate:
    inputs = tuple(range(len(sources)))
    hidden = Node("mlp", inputs, Options(width=8))
    return Candidate(Architecture((*sources, hidden, Node("logit", (len(sources),)))))


def logits(outcome: Trained | Exception) -> list[float]:
    assert isinstance(outcome, Trained), outcome
    return list(outcome.logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_each_source_learns_what_it_would_alone(data: SearchData, dtype: torch.dtype) -> None:
    jobs = [Job(on(source), SETTINGS) for source in SOURCES]
    together = train_jobs(jobs, data, seed=1, dtype=dtype)
    for at, job in enumerate(jobs):
        assert logits(train_jobs([job], data, seed=1, dtype=dtype)[0]) == logits(together[at])


def test_all_sources_feed_one_model(data: SearchData) -> None:
    found = train_jobs([Job(on(*SOURCES), SETTINGS)], data, seed=1)[0]
    assert len(logits(found)) == len(data.valid.labels)


def test_the_optimizer_keeps_what_the_closed_form_tells(data: SearchData) -> None:
    candidate = on(*SOURCES)
    assert candidate.architecture is not None
    cohort = Cohort([build(candidate.architecture, data.schema, seed=1)], [SETTINGS])
    kept = sum(stack._squares.nbytes for stack in cohort._tables.values())
    assert kept == cost(candidate.architecture, data.schema).optimizer_bytes


@pytest.mark.parametrize("source", [Node("frequency"), Node("quantile_bins", (), Options(dim=2, bins=2))])
def test_nothing_is_trained_without_the_statistics_that_it_needs(data: SearchData, source: Node) -> None:
    architecture = on(source).architecture
    assert architecture is not None
    model = build(architecture, replace(data.schema, statistics=None), seed=1)
    message = f"the source '{source.block}' needs statistics of the training part, but the schema .* has none"
    with pytest.raises(EvaluatorError, match=message):
        Cohort([model], [SETTINGS])
