"""Lets searchers race, and writes down every run as it ends."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl import plugins
from automl._errors import AutomlError, ConfigError
from automl.bench.race.ground import Course
from automl.bench.race.log import Log
from automl.bench.race.peers import peer_mistakes
from automl.bench.race.running import Entrant, Rules, run

LOG = logging.getLogger("automl")

TOLD_EVERY = 10.0
"""Seconds between two words about the time that is left."""


@dataclass(frozen=True)
class Plan:
    """Who races over how many seeds from the first one on, by which rules, and where the log is kept."""

    entrants: tuple[Entrant, ...]
    seeds: int
    log: Path
    rules: Rules = field(default_factory=Rules)
    first_seed: int = 0


def race(course: Course, plan: Plan) -> Log:
    """Runs what the log lacks.

    Raises:
        ConfigError: a searcher or its options are wrong.
        AutomlError: the log is of another race, or the table is too small for so many trials.
    """
    _check(course, plan)
    log = Log.opened(plan.log, course.ground, plan.rules)
    entrants = {one.label: one for one in plan.entrants}
    missing = log.missing(entrants, range(plan.first_seed, plan.first_seed + plan.seeds))
    started = told = time.monotonic()
    for done, (label, seed) in enumerate(missing, start=1):
        log.append(run(course, entrants[label], seed, plan.rules))
        now = time.monotonic()
        if now - told > TOLD_EVERY or done == len(missing):
            told, left = now, (now - started) / done * (len(missing) - done)
            LOG.info("%d of %d runs, about %.0f min left", done, len(missing), left / 60)
    return log


def entrants_of(text: str) -> tuple[Entrant, ...]:
    """Searchers from `a,b:option=value:other=value`; a value is JSON, or else a word.

    >>> [one.spec for one in entrants_of("random_search,autoctr:faithful=true:population=10")]
    [{'name': 'random_search'}, {'name': 'autoctr', 'faithful': True, 'population': 10}]

    Raises:
        AutomlError: a searcher is named twice, or an option has no value.
    """
    labels = _split(text, ",")
    if len(set(labels)) < len(labels) or not all(labels):
        raise AutomlError(f"searchers are named once each, separated by commas, but are {text!r}")
    return tuple(Entrant(label, spec_of(label)) for label in labels)


def spec_of(label: str) -> dict[str, Any]:
    """A plug-in with its options from `name:option=value:...`.

    Raises:
        AutomlError: an option has no value.
    """
    name, *options = _split(label, ":")
    found: dict[str, Any] = {"name": name}
    for option in options:
        key, separator, value = option.partition("=")
        if not separator:
            raise AutomlError(f"an option is written name=value, but {label!r} has {option!r}")
        try:
            found[key] = json.loads(value)
        except json.JSONDecodeError:
            found[key] = value
    return found


def _split(text: str, separator: str) -> list[str]:
    """Parts between separators that are in no bracket."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "[{") - (letter in "]}")
        if letter == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]


def _check(course: Course, plan: Plan) -> None:
    wrong = [line for one in plan.entrants for line in peer_mistakes(one.spec, one.label)]
    if plan.rules.judge is not None:
        wrong += plugins.mistakes("predictor", plan.rules.judge, "--judge")
    if wrong:
        raise ConfigError("the race", wrong)
    _check_sizes(len(course.numbers), plan.rules)


def _check_sizes(candidates: int, rules: Rules) -> None:
    if not 0 <= rules.initial < rules.trials <= candidates:
        raise AutomlError(
            f"a race has fewer shared first trials than trials, and no more trials than candidates, but has "
            f"{rules.initial}, {rules.trials} and {candidates}; change --initial or --trials"
        )
