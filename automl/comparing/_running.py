"""Runs what is compared: a study for each entry and seed, each to its end and through the same finals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl import plugins
from automl._errors import StudyError
from automl._files import write_text
from automl._method import ScoresCandidates
from automl.comparing._account import comparison_of
from automl.comparing._checks import check_begun, check_first, check_settings
from automl.comparing._entries import Entry
from automl.comparing._judging import Diagnosis, judged
from automl.comparing._page import write_page
from automl.comparing._ran import Ran
from automl.config import BudgetSection, StudyConfig, StudySection
from automl.finals import Plan as FinalsPlan
from automl.finals import finals
from automl.opening import open_new
from automl.study import Study
from evaluators._datasets import open_dataset

RESULT_FILE, PAGE_FILE = "compare.json", "compare.html"
FINALS = "finals"


@dataclass(frozen=True)
class Plan:
    """Entries, each under `seeds` seeds from the configuration's on, with `rows` to train on in each study.

    Everything is kept in `folder` and in the store, so that the same plan goes on where it stopped. Finals train the
    `top` candidates of each study over `final_seeds` fresh seeds. `diagnosis` says what is trained beside the studies,
    to tell how far the orders of methods can be trusted.
    """

    config: StudyConfig
    entries: tuple[Entry, ...]
    rows: int
    seeds: int
    folder: Path
    top: int = 1
    final_seeds: int = 3
    device: str = "auto"
    diagnosis: Diagnosis = field(default_factory=Diagnosis)


def compare(plan: Plan, *, conduct: Callable[[Study], None] = Study.optimize) -> dict[str, Any] | None:
    """Runs what is missing and returns what was found, kept as JSON and as a page; None where a study was stopped.

    `conduct` runs a study to the end of its budget, or stops it. Seeds come one after the other, and in each of them
    the entries, so that a comparison that is looked at early is a whole one over fewer seeds.

    Raises:
        ConfigError: what an entry says is wrong, the rows do not pay for it, or finals cannot be held on this data or
            evaluator; nothing has run then.
        StudyError: a study of that name began with other settings, and nothing has run; or its finals cannot be held.
    """
    configs = _configs(plan)
    check_first(configs[: len(plan.entries)], open_dataset(plan.config.data))
    check_begun(configs)
    found: list[Ran] = []
    for number in range(plan.seeds):
        of_seed: list[Ran] = []
        for entry in plan.entries:
            ran = _ran(plan, entry, plan.config.study.seed + number, of_seed, conduct)
            if ran is None:
                _close(of_seed)
                return None
            of_seed.append(ran)
        found += judged(of_seed, plan.folder, plan.diagnosis)
        _close(of_seed)
    told = comparison_of(found, name=plan.config.study.name, rows=plan.rows)
    write_text(plan.folder / RESULT_FILE, json.dumps(told, indent=2) + "\n")
    write_page(plan.folder / PAGE_FILE, told)
    return told


def _close(of_seed: list[Ran]) -> None:
    for one in of_seed:
        one.study.close()


def _configs(plan: Plan) -> list[StudyConfig]:
    """Of all studies, seed by seed."""
    seeds = range(plan.config.study.seed, plan.config.study.seed + plan.seeds)
    return [config_of(plan, entry, seed) for seed in seeds for entry in plan.entries]


def config_of(plan: Plan, entry: Entry, seed: int) -> StudyConfig:
    """The configuration of one study: the plan's, with a name of its own, and the rows alone as its budget.

    Where it is known how many rows a training takes, the trials that they pay for are a limit too: some searchers plan
    their end by it. An entry without options of its own has those that the configuration gives to its name.
    """
    config = plan.config
    said = config.method if entry.kind == "method" else config.searcher
    spec = said if said is not None and dict(entry.spec) == {"name": said["name"]} else entry.spec
    searches: dict[str, Any] = {"method": spec, "fidelity": None}
    if entry.kind == "searcher":
        searches = {"method": None, "searcher": spec}
    trials = None if entry.kind == "method" else _affordable(plan)
    return config.model_copy(
        update={
            "study": StudySection(name=f"{config.study.name}-{entry.slug}-{seed}", seed=seed),
            "budget": BudgetSection(rows=plan.rows, trials=trials),
            **searches,
        }
    )


def _affordable(plan: Plan) -> int | None:
    options = plugins.options("evaluator", plan.config.evaluator)
    varies = options.get("racing") or options.get("negative_rate", 1.0) != 1.0 or plan.config.fidelity
    if plan.config.evaluator["name"] != "train" or varies:
        return None
    whole = open_dataset(plan.config.data).rows["train"]
    rows: int = min(options.get("rows") or whole, whole) * options.get("passes", 1)
    return math.ceil(plan.rows / rows)


def _ran(plan: Plan, entry: Entry, seed: int, before: list[Ran], conduct: Callable[[Study], None]) -> Ran | None:
    study = opened(plan, entry, seed)
    conduct(study)
    study.wiring.evaluator.close()
    if study.is_stopped:
        study.close()
        return None
    folder = plan.folder / FINALS / study.name
    reuse = before[0].folder if before else None
    asked = FinalsPlan(folder, plan.top, plan.final_seeds, device=plan.device, reuse=reuse)
    return Ran(entry, seed, study, folder, finals(study, asked))


def opened(plan: Plan, entry: Entry, seed: int) -> Study:
    """The study of an entry and a seed, new or as it was left.

    Raises:
        StudyError: it began with other settings.
    """
    config = config_of(plan, entry, seed)
    study = open_new(config, load_if_exists=True, is_checked=True)
    try:
        check_settings(study.record, config)
    except StudyError:
        study.close()
        raise
    # what the method thinks of all candidates is asked at the end
    study.keeps_files = isinstance(study.wiring.method, ScoresCandidates)
    return study
