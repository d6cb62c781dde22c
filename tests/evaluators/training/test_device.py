"""Where training runs."""

from __future__ import annotations

import pytest
import torch

from evaluators import EvaluatorError
from evaluators._training.cores import cores_of_each
from evaluators._training.device import choose_device


def test_auto_is_the_cpu_where_there_is_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"


def test_auto_is_cuda_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert choose_device("auto").type == "cuda"


def test_a_cuda_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(EvaluatorError, match=r"device 'cuda:1' needs that CUDA device, but torch .* sees 1; take"):
        choose_device("cuda:1")


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:9999", "meta", ""])
def test_a_device_of_another_name_is_refused(name: str) -> None:
    with pytest.raises(EvaluatorError, match=f"'device' must be 'auto', 'cpu', 'cuda' or 'cuda:N', but is {name!r}"):
        choose_device(name)


def test_workers_of_one_machine_share_its_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluators._training.cores.usable_cores", lambda: 10)
    assert [cores_of_each(workers) for workers in (1, 2, 4, 99)] == [10, 5, 2, 1]
    assert cores_of_each() == 10
    monkeypatch.setenv("AUTOML_WORKERS", "3")
    assert cores_of_each() == 3
