"""Batches are the same ones whoever puts them together, and nobody waits for one that will not come."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from itertools import islice

import pytest
import torch

from evaluators import EvaluatorError
from evaluators._distributed.loaders import Loaders
from evaluators._distributed.loading import Loading, Share, ahead, batches, shapes_of
from evaluators._training.examples import Batch, Examples
from tests.evaluators.small_data import write_small_data

SHARE = Share(batch_size=300, seed=1, rank=1, size=2)
WANTED = 20  # three passes of 2,000 rows


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    dataset = write_small_data(tmp_path_factory.mktemp("data") / "small")
    return Examples(dataset.part("train"), torch.device("cpu"))


def _first(found: Iterator[Batch]) -> list[torch.Tensor]:
    """Copies, as a place in shared memory is filled again."""
    rows = islice(found, WANTED)
    return [torch.cat([one.numeric, one.categorical.double(), one.label[:, None]], dim=1) for one in rows]


def _is_alive(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False


@pytest.mark.parametrize(
    "loading",
    [
        Loading(is_resident=True),
        Loading(prefetch=2),
        Loading(processes=1),
        Loading(processes=3),
        Loading(is_resident=True, processes=2),
    ],
)
def test_batches_are_the_same_in_whatever_way_they_are_loaded(examples: Examples, loading: Loading) -> None:
    plain, other = (_first(batches(examples, SHARE, one)) for one in (Loading(), loading))
    assert all(torch.equal(one.nan_to_num(), two.nan_to_num()) for one, two in zip(plain, other, strict=True))
    assert plain[0].shape == (150, 6)


def test_shares_of_ranks_are_a_whole_batch(examples: Examples) -> None:
    shares = [Share(300, 1, rank, 3) for rank in range(3)]
    parts = [next(batches(examples, one, Loading())).numeric for one in (*shares, Share(300, 1))]
    assert torch.equal(torch.cat(parts[:3]).nan_to_num(), parts[3].nan_to_num())


def test_a_batch_that_cannot_be_made_is_told_and_not_waited_for(examples: Examples) -> None:
    def breaking() -> Iterator[Batch]:
        yield next(batches(examples, SHARE, Loading()))
        raise MemoryError("no more")

    found = ahead(breaking(), 1)
    next(found)
    with pytest.raises(MemoryError, match="no more"):
        next(found)


def test_a_loader_that_fails_tells_what_of(examples: Examples) -> None:
    def breaking(one: int, of: int) -> Iterator[Batch]:
        raise MemoryError(f"none for {one} of {of}")
        yield

    with pytest.raises(RuntimeError, match="has ended: MemoryError: none for 0 of 1"):
        next(iter(Loaders(breaking, 1, shapes_of(examples, 10))))


def test_loaders_end_with_who_asks_them(examples: Examples) -> None:
    def made(one: int, of: int) -> Iterator[Batch]:
        return examples.stream(SHARE.orders(len(examples), one=one, of=of), SHARE.rows)

    loaders = Loaders(made, 2, shapes_of(examples, SHARE.rows))
    pids = loaders.pids
    assert all(map(_is_alive, pids))
    for one in loaders._loaders:
        os.close(one.free)
    ends_at = time.monotonic() + 10
    while any(_is_alive(pid) for pid in pids) and time.monotonic() < ends_at:
        time.sleep(0.01)
    assert not any(map(_is_alive, pids))


def test_too_few_rows_are_told(examples: Examples) -> None:
    with pytest.raises(EvaluatorError, match=r"at most as many rows as the training part, 2000, but .* is 4000"):
        batches(examples, Share(4000, 1), Loading())


def test_processes_that_load_need_a_cpu(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "device", torch.device("cuda"))
    with pytest.raises(EvaluatorError, match="'loader_workers' must be 0 on device 'cuda', but is 2"):
        batches(examples, SHARE, Loading(processes=2))
