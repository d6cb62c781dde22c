"""A search space from its decisions and the way between them and a candidate: what all such spaces share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decisions import Assignment, Choice, Decision, InputChoice
from searchspaces._errors import CandidateError

Genotype = dict[str, Choice]
Token = tuple[Decision, ...]
"""What a mutation draws again in one go; it counts where its first decision does."""

MOST_POINTS = 50_000
"""Fingerprints that are remembered: some 6 MB."""


class Coding(Protocol):
    """What a space of its own adds: its slots, and both ways between choices and candidates."""

    def decisions(self) -> Sequence[Decision]:
        """Every slot, in an order where conditions point backwards."""
        ...

    def candidate(self, genotype: Assignment) -> Candidate:
        """The canonical candidate of one choice for each decision that counts; asked for no other."""
        ...

    def read(self, candidate: Candidate) -> Assignment:
        """Choices that the candidate tells, found in its canonical form; slots that do not exist do no harm.

        It may believe what it sees: that the choices are some and decode to the candidate is checked afterwards.

        Raises:
            CandidateError: it has another form than candidates of this space.
        """
        ...


class DecidedSpace:
    """A `SearchSpace` over a `Coding`; `chances` are those of an input to be drawn, a half where not given.

    `groups` are what a mutation chooses among: first a group, then one of its tokens. Where none are given all
    decisions are one group, and each of them is a token.

    A choice is told apart by its text: 64, 64.0 and True are three choices.
    """

    def __init__(
        self,
        coding: Coding,
        *,
        chances: Mapping[str, float] | None = None,
        groups: Sequence[Sequence[Token]] | None = None,
    ) -> None:
        self._coding = coding
        self._chances = chances or {}
        self._decisions = tuple(coding.decisions())
        tokens = groups or [[(decision,) for decision in self._decisions]]
        open_ = [[token for token in group if len(token[0].choices) > 1] for group in tokens]
        self._groups = [group for group in open_ if group]
        self._known: tuple[Candidate, Assignment] | None = None
        self._points: set[str] = set()

    def decisions(self) -> tuple[Decision, ...]:
        """Every slot, in an order where conditions point backwards."""
        return self._decisions

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """Decodes an assignment into a canonical candidate.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        counting: Genotype = {}
        for decision in self._decisions:
            if decision.counts(counting):
                if decision.slot not in assignment:
                    raise CandidateError(
                        f"an assignment decides every slot that counts, but {decision.slot!r} is missing"
                    )
                counting[decision.slot] = _choice(decision, assignment[decision.slot])
        return self._remembered(self._coding.candidate(counting))

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """The assignment that the candidate tells; where it leaves a decision open, its first choice.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        return self._counting(self._genotype(candidate, free=lambda decision: decision.choices[0]))

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a point of the space.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        self.to_assignment(candidate)

    def sample(self, rng: np.random.Generator) -> Candidate:
        """Every decision uniform among its choices, but for inputs with a chance of their own."""
        return self._decoded({decision.slot: self._drawn(decision, rng) for decision in self._decisions})

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """Re-draws one token that counts, both uniform, until the fingerprint differs.

        A change without effect is kept and the next one made on top of it, so that what takes two steps is in reach.

        Raises:
            CandidateError: the parent is not a point of this space.
        """
        genotype = self._genotype(parent, free=lambda decision: self._drawn(decision, rng))
        while True:
            self._redraw_token(genotype, rng)
            child = self._decoded(genotype)
            if child.fingerprint != parent.fingerprint:
                return child

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """Each decision from one of the two at random, from the one where it counts if it does so in one alone.

        Raises:
            CandidateError: a parent is not a point of this space.
        """
        parents = [self._genotype(each, free=lambda decision: self._drawn(decision, rng)) for each in (one, other)]
        counting = [self._counting(parent) for parent in parents]
        child: Genotype = {}
        for decision in self._decisions:
            donors = [each for each in counting if decision.slot in each] or parents
            child[decision.slot] = donors[int(rng.integers(len(donors)))][decision.slot]
        return self._decoded(child)

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """Numbers and switches by their rank, from 0 to 1, other choices as one-hot; zeros where nothing is decided.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        assignment = self.to_assignment(candidate)
        columns = [number for decision in self._decisions for number in _columns(decision, assignment)]
        return np.array(columns, dtype=np.float64)

    def _genotype(self, candidate: Candidate, *, free: Callable[[Decision], Choice]) -> Genotype:
        """Every decision, counting or not; `free` gives what the candidate leaves open."""
        known = self._known  # a parent has a hundred mutants: it is read and compared once
        is_known = known is not None and known[0] is candidate
        told = known[1] if known is not None and is_known else self._coding.read(candidate)
        genotype: Genotype = {}
        counting: Genotype = {}
        for decision in self._decisions:
            if decision.counts(counting) and decision.slot in told:
                choice = told[decision.slot] if is_known else _choice(decision, told[decision.slot])
                genotype[decision.slot] = counting[decision.slot] = choice
            else:
                genotype[decision.slot] = free(decision)
                if decision.counts(counting):
                    counting[decision.slot] = genotype[decision.slot]
        if not is_known:
            if candidate.architecture is not None or candidate.fingerprint not in self._points:
                _check_same(candidate, self._coding.candidate(counting))
                self._remembered(candidate)
            self._known = candidate, {slot: choice for slot, choice in counting.items() if slot in told}
        return genotype

    def _remembered(self, candidate: Candidate) -> Candidate:
        """A point of the space that need not be compared again: settings alone are one form of their fingerprint."""
        if candidate.architecture is None:
            if len(self._points) >= MOST_POINTS:
                self._points.clear()
            self._points.add(candidate.fingerprint)
        return candidate

    def _counting(self, genotype: Assignment) -> Genotype:
        counting: Genotype = {}
        for decision in self._decisions:
            if decision.counts(counting):
                counting[decision.slot] = genotype[decision.slot]
        return counting

    def _decoded(self, genotype: Assignment) -> Candidate:
        return self._remembered(self._coding.candidate(self._counting(genotype)))

    def _redraw_token(self, genotype: Genotype, rng: np.random.Generator) -> None:
        counting = self._counting(genotype)
        group = self._groups[int(rng.integers(len(self._groups)))]
        tokens = [token for token in group if token[0].slot in counting]
        token = tokens[int(rng.integers(len(tokens)))]
        if len(token) > 1:
            genotype.update({decision.slot: self._drawn(decision, rng) for decision in token})
            return
        (decision,) = token
        others = [choice for choice in decision.choices if not _same(choice, genotype[decision.slot])]
        genotype[decision.slot] = others[int(rng.integers(len(others)))]

    def _drawn(self, decision: Decision, rng: np.random.Generator) -> Choice:
        if isinstance(decision, InputChoice) and decision.slot in self._chances:
            return bool(rng.random() < self._chances[decision.slot])
        return decision.choices[int(rng.integers(len(decision.choices)))]


def _same(one: object, other: object) -> bool:
    return repr(one) == repr(other)


def _choice(decision: Decision, value: object) -> Choice:
    for choice in decision.choices:
        if _same(choice, value):
            return choice
    raise CandidateError(f"{decision.slot!r} must be one of {list(decision.choices)}, but is {value!r}")


def _columns(decision: Decision, assignment: Assignment) -> list[float]:
    """One column for ordered choices, one for each of the others."""
    choices = decision.choices
    is_ordered = not any(isinstance(choice, str) for choice in choices)
    if decision.slot not in assignment:
        return [0.0] * (1 if is_ordered else len(choices))
    rank = next(at for at, choice in enumerate(choices) if _same(choice, assignment[decision.slot]))
    if not is_ordered:
        return [float(at == rank) for at in range(len(choices))]
    if all(isinstance(choice, bool) for choice in choices):
        return [float(choices[rank])]
    return [(rank + 1) / len(choices)]


def _check_same(candidate: Candidate, expected: Candidate) -> None:
    """Compares what was given with what its decisions say.

    Raises:
        CandidateError: they are two candidates; the message tells the first difference.
    """
    if candidate.fingerprint == expected.fingerprint:
        return
    for kind, own, other in (
        ("training", candidate.training, expected.training),
        ("system", candidate.system, expected.system),
    ):
        if not _same(own, other):
            raise CandidateError(f"in this space the {kind} settings would be {dict(other)}, but are {dict(own)}")
    told, wanted = (_nodes(one) for one in (candidate, expected))
    for at in range(max(len(told), len(wanted))):
        own_node, other_node = (nodes[at] if at < len(nodes) else "nothing" for nodes in (told, wanted))
        if own_node != other_node:
            raise CandidateError(
                f"in this space node {at} of the canonical form would be {other_node}, but is {own_node}"
            )


def _nodes(candidate: Candidate) -> list[str]:
    nodes = canonical(candidate.architecture).nodes if candidate.architecture else ()
    return [f"{node.block}({dict(node.options)}) of {list(node.inputs)}" for node in nodes]
