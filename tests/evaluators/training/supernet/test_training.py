from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators import EvaluatorError
from evaluators._training.examples import Examples
from evaluators._training.supernet.checkpoint import FACTS_FILE, restore, save
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.sampling import Sampling
from evaluators._training.supernet.settings import SupernetSettings
from evaluators._training.supernet.shared import SIDE, Shared
from evaluators._training.supernet.training import Training
from searchspaces.spaces.dhen import DHEN
from tests.evaluators.small_data import SCHEMA, part

SETTINGS = SupernetSettings(rows=120, batch_size=20)
SPACE = DHEN(SCHEMA, layers=1, head_layers=1, head_widths=(4, 8), embedding_dims=(4, 8))


def training(folder: Path | None = None, *, settings: SupernetSettings = SETTINGS, seed: int = 1) -> Training:
    examples = Examples(part(100, 1), torch.device("cpu"))
    return Training(Supernet(SCHEMA, seed), SPACE, examples, settings, folder)


def everything(net: Supernet) -> dict[str, torch.Tensor]:
    shared = {key: torch.nan_to_num(one.take(one.labels), nan=-1.0) for key, one in net.shared.items()}
    return shared | {key: one.weight for key, one in net.tables.items()}


def assert_equal(one: Supernet, other: Supernet) -> None:
    left, right = everything(one), everything(other)
    assert left.keys() == right.keys()
    assert all(torch.equal(left[key], right[key]) for key in left)


def test_rows_say_how_many_steps_there_are() -> None:
    one = training()
    one.run()
    assert one.net.steps == 6


def test_a_training_that_was_interrupted_ends_where_another_does(tmp_path: Path) -> None:
    whole, first, second = training(), training(tmp_path), training(tmp_path)
    whole.run()
    first.run(until=4)
    second.run(every=1)
    assert second.net.steps == 6
    assert_equal(second.net, whole.net)


def test_a_finished_training_is_read_and_not_trained_again(tmp_path: Path) -> None:
    first, again = training(tmp_path), training(tmp_path)
    first.run()
    again.run()
    assert again.net.steps == 6
    assert_equal(first.net, again.net)


def test_a_checkpoint_keeps_all_tiles_and_how_long_nobody_could_be_trained(tmp_path: Path) -> None:
    net, again = Supernet(SCHEMA, 1), Supernet(SCHEMA, 1)
    labels = np.arange(SIDE + 2, dtype=np.uint64)
    shared = net.shared["wide"] = Shared.empty(2, torch.zeros(1))
    shared.put((labels, labels), torch.arange(len(labels) ** 2, dtype=torch.float32).view(len(labels), -1))
    shared.learn((labels, labels), torch.ones(len(labels), len(labels)), rate=0.5, epsilon=0.0)
    net.barren = 7
    save(net, tmp_path, {})
    restore(again, tmp_path, {})
    assert_equal(again, net)
    assert len(again.shared["wide"].tiles) == 4
    assert all((one.squares == 1.0).all() for one in again.shared["wide"].used().values())
    assert again.barren == 7


def test_one_checkpoint_is_kept_and_nothing_half_written(tmp_path: Path) -> None:
    training(tmp_path).run(every=2)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["step-6.safetensors", FACTS_FILE]


@pytest.mark.parametrize(
    "other",
    [
        lambda folder: training(folder, seed=2),
        lambda folder: training(folder, settings=SupernetSettings(rows=120, batch_size=20, warm_up=False)),
    ],
)
def test_a_checkpoint_of_another_supernet_is_refused(tmp_path: Path, other: Callable[[Path], Training]) -> None:
    training(tmp_path).run(until=1)
    with pytest.raises(EvaluatorError, match=r"differs in (seed|settings); name another folder"):
        other(tmp_path).run()


def test_a_damaged_checkpoint_is_told(tmp_path: Path) -> None:
    training(tmp_path).run(until=1)
    (tmp_path / "step-1.safetensors").write_bytes(b"nothing")
    with pytest.raises(EvaluatorError, match=r"must be whole.*remove it to begin again"):
        training(tmp_path).run()


def test_without_a_checkpoint_nothing_is_restored(tmp_path: Path) -> None:
    net = Supernet(SCHEMA, 1)
    restore(net, tmp_path / "none", {})
    assert net.steps == 0


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    one, net = training(), Supernet(SCHEMA, 1)
    one.run(until=2)
    save(one.net, tmp_path, {"a": 1})
    restore(net, tmp_path, {"a": 1})
    assert_equal(net, one.net)


def test_the_rate_rises_then_falls_and_the_full_path_ends() -> None:
    settings = SupernetSettings(rows=1000, batch_size=10, learning_rate=0.1)
    rates = [settings.rates(step).weights for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert rates[9] == pytest.approx(0.1)
    assert rates[99] < 0.001
    assert settings.rates(9).tables == pytest.approx(0.5)
    assert [settings.full_path(step) for step in (0, 10, 20, 50)] == [1.0, 0.5, 0.0, 0.0]


def test_without_warm_up_there_is_no_full_path() -> None:
    assert SupernetSettings(warm_up=False).full_path(0) == 0.0


def test_a_step_of_fair_sampling_trains_several() -> None:
    one = training(settings=SupernetSettings(rows=20, batch_size=20, sampling=Sampling.FAIR))
    one.run()
    assert one.net.steps == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"rows": 0}, "'rows' must be a whole"), ({"learning_rate": 0.0}, "'learning_rate' must be more than zero")],
)
def test_settings_keep_their_rules(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        SupernetSettings(**wrong)  # type: ignore[arg-type]  # the rule is what is tested
