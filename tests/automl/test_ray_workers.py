"""Workers on a Ray cluster of several node processes on this machine."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl import Study
from automl._errors import StudyError
from automl.workers import Crew
from evaluators import Trial, TrialState
from tests.automl.planted_study import planted_study

ray = pytest.importorskip("ray", reason="needs the extra [ray]")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # Ray's own warnings are not ours to mend


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without room for work and two nodes with room for one worker each."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster
    cluster.shutdown()  # type: ignore[no-untyped-call]


def _searched(cluster: Any, study: Study, folder: Path, *, on_end: Any = None) -> list[Trial]:
    from automl.ray_workers import RayLauncher

    launcher = RayLauncher(
        study.name, storage=f"sqlite:///{folder / 'automl.db'}", driver=study.worker, address=cluster.address
    )
    try:
        Crew(study, launcher, workers=2).run(callbacks=[on_end] if on_end else [])
        return study.trials
    finally:
        launcher.close()


def test_two_nodes_share_a_study_and_a_lost_node_loses_no_trial(cluster: Any, tmp_path: Path) -> None:
    study = planted_study(
        tmp_path,
        budget={"trials": 60},
        searcher={"name": "random_search"},
        evaluator={"name": "planted", "seconds": 0.1},
    )
    doomed = next(iter(cluster.worker_nodes))

    def lose_a_node(_study: Study, trial: Trial) -> None:
        if trial.finish_order == 5:
            cluster.remove_node(doomed, allow_graceful=False)
            cluster.add_node(num_cpus=1)

    trials = _searched(cluster, study, tmp_path, on_end=lose_a_node)
    assert [trial.number for trial in trials] == list(range(60))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert max(Counter(trial.suggestion.identity for trial in trials).values()) == 1


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    from automl.ray_workers import RayLauncher

    with pytest.raises(
        StudyError, match=r"no Ray cluster answers at '127.0.0.1:1' .* start one with `ray start --head`"
    ):
        RayLauncher("s", storage=f"sqlite:///{tmp_path / 'automl.db'}", driver="d", address="127.0.0.1:1")


def test_nodes_of_several_machines_refuse_a_file_as_store() -> None:
    from automl.ray_workers import check_can_be_reached

    nodes = [{"NodeManagerHostname": name, "Alive": True} for name in ("one", "two")]
    with pytest.raises(StudyError, match="workers on 2 machines need a store that all of them reach, but sqlite:///a"):
        check_can_be_reached("sqlite:///a.db", nodes)
    check_can_be_reached("postgresql+psycopg://host/a", nodes)
    check_can_be_reached("sqlite:///a.db", nodes[:1])
