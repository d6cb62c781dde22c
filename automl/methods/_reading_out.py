"""Which candidates are scored at the end of a run, and which of them are read out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from automl.methods._learner import Learner, Lessons
from automl.methods._reward import WORST
from automl.proposals import Identity, Policy, unseen_mutant
from evaluators import Suggestion
from searchspaces import Candidate, SearchSpace

POPULATION, TOURNAMENT = 24, 8
DRAWS = 20
"""Draws for each candidate that is wanted: a sharp policy draws the same ones over and over."""

LEARNT = 4
LEARNING_RATE = 0.1
"""Draws of a step over scores, and the step on the logits: those of `proposals.Schedule`, for few looks as well."""

Worth = Callable[[Candidate], float]
"""What a candidate is worth; larger is better, minus infinity where it cannot be scored."""


def drawn(policy: Policy, space: SearchSpace, count: int, rng: np.random.Generator) -> Iterator[Candidate]:
    """Up to `count` different candidates: the likeliest one, then what the policy draws."""
    met: set[str] = set()
    rows = (policy.sample(1, rng)[0] for _ in range(DRAWS * count))
    assignments = chain([policy.likeliest()], (policy.assignment(row) for row in rows))
    for candidate in map(space.to_candidate, assignments):
        if candidate.fingerprint not in met:
            met.add(candidate.fingerprint)
            yield candidate
        if len(met) == count:
            return


def evolved(
    policy: Policy, space: SearchSpace, count: int, worth: Worth, rng: np.random.Generator
) -> Iterator[Candidate]:
    """Up to `count` different candidates: a population that the policy draws, then mutants of the best of some of them.

    The oldest leaves, as in Real et al. 2019, Regularized Evolution for Image Classifier Architecture Search.
    """
    population: deque[Candidate] = deque(maxlen=POPULATION)
    taken: set[Identity] = set()
    for candidate in drawn(policy, space, min(POPULATION, count), rng):
        population.append(candidate)
        taken.add(Suggestion(candidate).identity)
        yield candidate
    while len(taken) < count:
        places = rng.permutation(len(population))[:TOURNAMENT]
        parent = max((population[int(at)] for at in places), key=worth)
        child = unseen_mutant(space, parent, taken, rng)
        if child is None:
            return
        population.append(child)
        taken.add(Suggestion(child).identity)
        yield child


def learned(
    policy: Policy, space: SearchSpace, count: int, worth: Worth, rng: np.random.Generator
) -> Iterator[Candidate]:
    """Up to `count` different candidates: the likeliest one, then draws of the policy, which goes on learning on them.

    A step of REINFORCE is taken on every few draws, by what they are worth by score; the policy of the run stays. What
    it draws again costs no score, and teaches again.
    """
    met: set[str] = set()
    worths: list[float] = []
    learner = Learner(policy.decisions, Lessons(LEARNING_RATE, entropy=0.0, replay_age=0))
    learner.policy = policy
    rows = policy.row(policy.likeliest())[None]
    for step in range(DRAWS * count):
        candidates = [space.to_candidate(learner.policy.assignment(row)) for row in rows]
        for candidate in candidates:
            if candidate.fingerprint not in met:
                met.add(candidate.fingerprint)
                yield candidate
            if len(met) == count:
                return
        found = [worth(one) for one in candidates]
        worths += [one for one in found if one > -np.inf]
        values = np.fmax(found, min(worths, default=WORST))  # what cannot be scored is as bad as the worst that can
        learner.learn(rows, values, step=step, progress=0.0, rng=rng)
        rows = learner.policy.sample(LEARNT, rng)
