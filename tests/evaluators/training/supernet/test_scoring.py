from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators import EvaluatorError
from evaluators._training.examples import Examples
from evaluators._training.loop import score
from evaluators._training.metrics import quality
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import Scorer, first_rows, held_out
from evaluators._training.supernet.settings import Rates, ScoringSettings
from searchspaces import Architecture, Node, Options
from tests.evaluators.small_data import SCHEMA, part
from tests.evaluators.training.supernet.spaces import batch

BARE = ScoringSettings(recalibrate=False, adapt=0)


def model(norm: str = "none", width: int = 8) -> Architecture:
    nodes = (
        Node("numeric"),
        Node("full", (), Options(dim=4)),
        Node("mlp", (0, 1), Options(width=width, norm=norm)),
        Node("logit", (2,)),
    )
    return Architecture(nodes)


def supernet() -> Supernet:
    net = Supernet(SCHEMA, 1)
    for step in range(4):
        net.step([model("batch"), model()], batch(64, seed=step), Rates(0.1, 0.2), batch_size=64)
    return net


NET = supernet()


def scorer(settings: ScoringSettings, net: Supernet = NET) -> Scorer:
    device = torch.device("cpu")
    return Scorer(net, Examples(part(400, 4), device), Examples(part(300, 5), device), settings)


def test_a_bare_score_is_the_ne_of_the_subnetwork_as_it_stands() -> None:
    rows = Examples(part(300, 5), torch.device("cpu"))
    expected = quality(score(NET.subnetwork(model()), rows), rows.labels)
    found = scorer(BARE).score(model())
    assert found["supernet_ne"].value == pytest.approx(expected["ne"].value, abs=1e-12)
    assert found["supernet_auc"].value == pytest.approx(expected["auc"].value, abs=1e-12)
    assert "ne" not in found


def test_a_refitted_head_fits_the_calibration_rows_better() -> None:
    settings = ScoringSettings(recalibrate=False, refit=True, adapt=0)
    rows = Examples(part(400, 4), torch.device("cpu"))
    bare, refitted = (Scorer(NET, rows, rows, one).score(model())["supernet_ne"].value for one in (BARE, settings))
    assert refitted < bare - 0.01


def test_norms_over_the_batch_see_the_calibration_rows() -> None:
    one = scorer(ScoringSettings(adapt=0))
    found = NET.subnetwork(model("batch"))
    one._recalibrate(found)
    twin = NET.subnetwork(model("batch")).eval()
    units: list[torch.Tensor] = []
    mlp = next(layer for name, layer in twin.nodes.items() if name.endswith("_mlp"))
    mlp.get_submodule("layers.0").register_forward_hook(lambda *given: units.append(given[2]))
    rows = part(400, 4)
    with torch.no_grad():
        twin(torch.from_numpy(rows.numeric), torch.from_numpy(rows.categorical.astype(np.int64)))
    norm = dict(found.named_buffers())
    mean = next(value for name, value in norm.items() if name.endswith("running_mean"))
    torch.testing.assert_close(mean, units[0].mean(0), rtol=0, atol=1e-5)


def test_recalibration_matters_where_there_is_a_norm_over_the_batch_and_nowhere_else() -> None:
    with_it = ScoringSettings(adapt=0)
    for norm, is_same in (("batch", False), ("none", True)):
        bare, again = (scorer(one).score(model(norm))["supernet_ne"].value for one in (BARE, with_it))
        assert (bare == again) is is_same


def test_an_adapted_subnetwork_fits_better_and_leaves_the_supernet_as_it_was() -> None:
    settings = ScoringSettings(recalibrate=False, adapt=3)
    rows = Examples(part(400, 4), torch.device("cpu"))
    bare, adapted, again, after = (
        Scorer(NET, rows, rows, one).score(model())["supernet_ne"].value for one in (BARE, settings, settings, BARE)
    )
    assert adapted < bare - 0.002
    assert (adapted, bare) == (again, after)


def test_all_layers_adapt_and_no_table_does() -> None:
    one = scorer(ScoringSettings(adapt=1))
    shared, adapted = NET.subnetwork(model("batch")), one.adapted(model("batch"))
    before = dict(shared.named_parameters())
    moved = {name for name, now in adapted.named_parameters() if not torch.equal(now, before[name])}
    tables = {name for name in before if ".tables." in name or "embedding" in name or name.startswith("nodes.0")}
    assert moved
    assert moved.isdisjoint(tables)
    assert moved == before.keys() - tables


def test_rows_of_a_score_count_each_pass_over_the_calibration_rows() -> None:
    assert scorer(BARE).rows == 300
    assert scorer(ScoringSettings(adapt=2)).rows == 300 + 3 * 400


def test_scores_do_not_depend_on_who_was_scored_before() -> None:
    alone = scorer(ScoringSettings()).score(model())
    busy = scorer(ScoringSettings())
    for width in (4, 32):
        busy.score(model("batch", width))
    assert busy.score(model()) == alone


def test_first_rows_are_what_they_say() -> None:
    rows = part(10, 1)
    assert np.array_equal(first_rows(rows, 3).label, rows.label[:3])
    assert len(first_rows(rows, None)) == 10


def test_calibration_rows_are_the_last_ones_and_no_part_of_training() -> None:
    rows = part(10, 1)
    train, calibration = held_out(rows, 4)
    assert np.array_equal(train.label, rows.label[:6])
    assert np.array_equal(calibration.label, rows.label[6:])
    assert [len(one) for one in held_out(rows, 40)] == [5, 5]


def test_settings_keep_their_rules() -> None:
    with pytest.raises(EvaluatorError, match="'calibration_rows' must be a whole number"):
        ScoringSettings(calibration_rows=0)
    with pytest.raises(EvaluatorError, match="'adapt' must be a whole number of passes, 0 for none, but is -1"):
        ScoringSettings(adapt=-1)
    with pytest.raises(EvaluatorError, match="'ridge' must be more than zero"):
        ScoringSettings(ridge=0.0)


@pytest.mark.parametrize("rows", [100, 1000])
def test_rows_of_a_score_are_known_from_those_of_the_parts(rows: int) -> None:
    settings = ScoringSettings(refit=True, calibration_rows=rows, evaluation_rows=rows)
    _, latest = held_out(part(400, 4), rows)
    device = torch.device("cpu")
    one = Scorer(NET, Examples(latest, device), Examples(first_rows(part(300, 5), rows), device), settings)
    assert settings.rows(train=400, valid=300) == one.rows
