"""One run of the differentiable method: its turns, what its guard found, the scores, and what is kept on the way."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automl._checkpoint import Advance, Checkpoint, Json
from automl._read_out import TRAINING, VERDICT
from automl.methods._dnas_course import DnasCourse, GuardRecord
from automl.methods._supernets import SCORING, score_of
from automl.proposals import Policy
from searchspaces import Architecture, Candidate

LOG = logging.getLogger("automl")

LOGITS = "logits"
POLICY_FILE = "policy.safetensors"

DRAWS = 20
"""Candidates that are thought of for each that is scored: most miss the target where the policy is not sharp."""

COLLAPSED = 0.5
"""Share of the decisions between choices with weights and without that must end without, to be called a collapse."""

EXPECTED_FROM = 64
"""Draws whose mean tells the expected multiply-adds."""


@dataclass(frozen=True)
class ReadOutPlan:
    """`candidates` are scored, `keep` read out; `tolerance` is how far they may miss the target, as a share of it."""

    candidates: int
    keep: int
    tolerance: float
    checkpoint_seconds: float


@dataclass(eq=False)
class DnasRun:
    """A run from where its state is. `state` is JSON: rows of the weights, acts of the guard, scores by fingerprint."""

    course: DnasCourse
    checkpoint: Checkpoint
    plan: ReadOutPlan
    state: Json

    def read_out(self) -> list[Candidate]:
        """The best candidates; none where the checkpoint said stop on the way."""
        self._train()
        if self.checkpoint.is_stopped:
            return []
        thought_of = self._near_target()
        for number, one in enumerate(thought_of, start=1):
            if self.checkpoint.is_stopped:
                return []
            self._score(one)
            self.checkpoint.tell(Advance(SCORING, number, len(thought_of)))
        self.checkpoint.keep(self.state)
        scored = [one for one in thought_of if self._loss(one) < np.inf]
        return sorted(scored, key=self._loss)[: self.plan.keep]

    def _train(self) -> None:
        course = self.course
        while course.step < course.turns.steps and not self.checkpoint.is_stopped:
            phase = LOGITS if course.turns.is_on_logits(course.step) else TRAINING
            rows = course.advance()
            self.checkpoint.spend(phase, rows=rows, peak_bytes=course.net.peak_bytes())
            self.checkpoint.tell(self._advance(phase))
            if self.checkpoint.is_due(self.plan.checkpoint_seconds):
                self._keep_all()
        if self.state.get("steps") != course.step:
            self._keep_all()
        if course.step == course.turns.steps and VERDICT not in self.state:
            self.state[VERDICT] = verdict(course)
            _tell(self.state[VERDICT])

    def _advance(self, phase: str) -> Advance:
        """How far it is within a phase: steps on weights and on logits are counted apart."""
        turns, step = self.course.turns, self.course.step
        before = turns.logit_steps_before(step)
        whole = turns.logit_steps_before(turns.steps)
        open_ = float(np.exp(self.course.policy.entropies()).mean())
        done, total = (before, whole) if phase == LOGITS else (step - before, turns.steps - whole)
        return Advance(phase, done, total, f"{open_:.2f} choices open a decision")

    def _near_target(self) -> list[Candidate]:
        """The likeliest candidate and draws of the policy that meet the target; the nearest ones where none does."""
        near, met = [], list[Candidate]()
        for one in self._drawn():
            met.append(one)
            if self._missed(one) <= self.plan.tolerance:
                near.append(one)
            if len(near) == self.plan.candidates:
                break
        return near or self._nearest(met)

    def _nearest(self, met: list[Candidate]) -> list[Candidate]:
        found = sorted(met, key=self._missed)
        told = (
            f"no candidate that the policy draws is within {self.plan.tolerance:.0%} of "
            f"{self.course.how.target.macs:.0f} multiply-adds; the nearest misses them by {self._missed(found[0]):.0%}"
        )
        words: list[str] = self.state[VERDICT]["words"]
        if told not in words:  # a run that goes on has said so before
            words.append(told)
            LOG.warning(told)
        return found[: self.plan.candidates]

    def _drawn(self) -> Iterator[Candidate]:
        """Different candidates: the likeliest, then what the policy draws; not more draws than `DRAWS` for each."""
        course = self.course
        rng = np.random.default_rng([course.seed, course.step, 2])
        rows = course.policy.sample(DRAWS * self.plan.candidates, rng)
        seen: set[Architecture] = set()
        for assignment in chain([course.policy.likeliest()], map(course.policy.assignment, rows)):
            architecture = course.graphs.of(assignment)
            if architecture not in seen:
                seen.add(architecture)
                yield course.space.to_candidate(assignment)

    def _missed(self, candidate: Candidate) -> float:
        assert candidate.architecture is not None  # the course has refused other spaces
        macs = float(self.course.prices.of(candidate.architecture).macs)
        return float(self.course.how.target.missed(np.array(macs)))

    def _score(self, candidate: Candidate) -> None:
        scores, net = self.state["scores"], self.course.net
        if candidate.fingerprint in scores:
            return
        scores[candidate.fingerprint] = score_of(net, candidate)
        self.checkpoint.spend(SCORING, rows=net.scoring_rows, peak_bytes=net.peak_bytes())
        if self.checkpoint.is_due(self.plan.checkpoint_seconds):
            self.checkpoint.keep(self.state)

    def _loss(self, candidate: Candidate) -> float:
        score = self.state["scores"].get(candidate.fingerprint)
        return np.inf if score is None else float(score)

    def _keep_all(self) -> None:
        def write(folder: Path) -> None:
            self.course.net.save(folder / "supernet")
            save_policy(self.course, folder)

        self.state |= {"steps": self.course.step, "guard": asdict(self.course.record)}
        self.checkpoint.keep(self.state, write)


def begin_again(course: DnasCourse, state: Json, folder: Path) -> None:
    """Puts a fresh course to where a checkpoint ends."""
    course.net.restore(folder / "supernet")
    restore_policy(course, folder)
    course.step, course.record = state["steps"], GuardRecord(**state["guard"])


def save_policy(course: DnasCourse, folder: Path) -> None:
    """Writes what the logits will be next into a file of the folder, to the last bit."""
    from safetensors.numpy import save_file

    arrays: dict[str, NDArray[np.generic]] = {
        "logits": course.policy.logits,
        "seen": course.guard.seen,
        "light": course.guard.light,
    }
    arrays |= {f"adam.{name}": one for name, one in course.adam.arrays().items()}
    save_file({name: np.ascontiguousarray(one) for name, one in arrays.items()}, folder / POLICY_FILE)


def restore_policy(course: DnasCourse, folder: Path) -> None:
    """Goes on from what `save_policy` has written."""
    from safetensors.numpy import load_file

    arrays = load_file(folder / POLICY_FILE)
    course.policy = Policy(course.policy.decisions, arrays["logits"])
    course.guard.seen, course.guard.light = arrays["seen"], arrays["light"]
    course.adam.restore({name: arrays[f"adam.{name}"] for name in course.adam.arrays()})


def verdict(course: DnasCourse) -> Json:
    """What the search ended at: multiply-adds, and the decisions that it left to choices without weights."""
    likeliest = course.policy.likeliest()
    light = {slot: str(one) for slot, one in course.guard.given_up(course.policy.logits).items() if slot in likeliest}
    mixed = [slot for slot in course.guard.mixed_slots() if slot in likeliest]
    found = {
        "likeliest": likeliest,
        "likeliest_macs": course.macs_of(likeliest),
        "expected_macs": round(float(np.mean(list(_drawn_macs(course)))), 1),
        "target_macs": course.how.target.macs,
        "guard": asdict(course.record),
        "without_weights": light,
        "collapsed": len(light) >= COLLAPSED * len(mixed) > 0,
    }
    return {**found, "words": list(_words(found))}


def _drawn_macs(course: DnasCourse) -> Iterator[float]:
    rng = np.random.default_rng([course.seed, course.step, 3])
    for row in course.policy.sample(EXPECTED_FROM, rng):
        yield course.macs_of(course.policy.assignment(row))


def _words(found: Json) -> Iterator[str]:
    """What a reader should not miss; a collapse comes last."""
    likeliest, target = found["likeliest_macs"], found["target_macs"]
    yield f"the likeliest candidate has {likeliest:,} multiply-adds, and the target is {target:,.0f}"
    if found["guard"]["acts"]:
        yield (
            f"the guard lowered choices without weights in {found['guard']['acts']} decisions, "
            f"from step {found['guard']['first']} to {found['guard']['last']}"
        )
    if found["collapsed"]:
        slots = ", ".join(f"{slot}: {choice}" for slot, choice in found["without_weights"].items())
        yield f"the search has collapsed to choices without weights ({slots}); guard it longer, or train longer"


def _tell(found: Json) -> None:
    for number, one in enumerate(found["words"], start=1):
        is_collapse = found["collapsed"] and number == len(found["words"])
        LOG.log(logging.WARNING if is_collapse else logging.INFO, one)
