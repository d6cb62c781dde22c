"""Differentiable search: the logits of all decisions descend the loss of mixed sub-networks, while a supernet trains.

Sources: Wu et al. (2019), FBNet: hardware-aware efficient ConvNet design via differentiable neural architecture search
(Gumbel-softmax, temperature, weights first); Wen et al. (2023), Rankitect: ranking architecture search battling
world-class engineers at Meta scale, compare such a search with others on one space but print neither constants nor
code, so that what is left open is filled in as each option says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from automl._checkpoint import Checkpoint, Json
from automl._errors import ConfigError, StudyError
from automl.methods._dnas_course import DnasCourse, LogitSettings
from automl.methods._dnas_run import DnasRun, ReadOutPlan, begin_again
from automl.methods._even_draws import EvenDraws
from automl.methods._forks import Graphs, Prices, distinct
from automl.methods._relaxation import Draw, Target
from automl.methods._supernets import FALLBACK_ROWS, Purse, model_mistakes, sampling_mistakes, score_of
from automl.methods._turns import Turns
from automl.proposals import Policy, count_mistakes, share_mistakes
from evaluators import (
    Objective,
    Sampling,
    ScoringSettings,
    SplitPlan,
    SplitSupernet,
    SupernetSettings,
    open_split_supernet,
)
from searchspaces import Candidate, FeatureSchema, SearchSpace

__all__ = ["DNAS"]

FORKED = 32
"""Draws whose forks are counted to tell what a step on logits costs."""


@dataclass(eq=False)
class DNAS:
    """Trains a supernet on draws of a policy, and the policy on what the choices of a few decisions would have said.

    A step on logits takes a draw, and of some of its decisions the sub-network of each choice. Their click logits are
    mixed by a Gumbel-softmax, their multiply-adds as well; the loss is that of the mixture, and `penalty` times the
    share by which it misses the target. Weights learn from the even rows of training, logits from the odd ones.
    The decisions are those of the space, whatever it is; a decision that makes no difference gets no gradient.

    Choices without weights look best as long as the weights of others are young, so that differentiable searches
    collapse to them. The guard therefore trains the weights evenly at first, and keeps the probability of choices with
    weights at `floor` or more. What it did, and whether the search ended at choices without weights all the same, is
    told in the log and kept in the checkpoint (`verdict`).

    At the end the shared weights stand still: the likeliest candidate and draws of the policy that meet the target
    within `tolerance` are scored on the same rows of the validation part, and the best are read out, to be trained from
    scratch. Before its score the layers of each adapt to the latest rows of training, which are held out of the
    supernet for that.

    rows                 that the weights learn from; None takes what `share` of the budget's rows pays for, 100,000
                         without a budget. Where both are given, the budget must pay for rows, asking and scores
    share                of the study's budget in rows, for training, asking and scoring here; the rest trains the
                         read-out
    batch_size           rows of a step on weights; a step on logits asks each sub-network about `asked_rows`
    learning_rate        largest one of AdaGrad outside tables; `embedding_learning_rate` of the tables, five times that
                         where not given
    sampling             of the even draws, those before the first step on logits and of the guard: 'uniform' draws each
                         decision by itself; 'fair' has each operator of a slot equally often, 'sandwich' the largest,
                         the smallest and two others, one a step, in rounds. All other steps train what the policy
                         draws, whose losses are not those of other draws
    weights_first        part of the steps before the first on logits (FBNet takes a tenth)
    weight_slice         steps on weights between `logit_slice` steps on logits
    temperature          of the first draw; falls exponentially to `last_temperature` (FBNet begins with 5)
    straight             part of the steps, the last ones, in which each choice counts by its own loss instead of that
                         of a mixture: what straight-through estimates guess
    logit_learning_rate  of Adam on the logits, with `logit_weight_decay`; FBNet takes 0.01 for 90 passes
    forks                decisions that a step on logits looks at
    guard                whether choices with weights are kept, and no price is paid, for the first part `guarded` of
                         the steps; without it there is no such part
    floor                probability that they keep together
    target_macs          multiply-adds to have; None takes the bound of the objective `macs` or `flops`, else what the
                         study's first control has
    penalty              in log loss, for having none or twice as many; rises from nothing between the `guarded` part
                         and the `straight` one, so that operators are chosen before widths fill the target
    tolerance            by which a candidate that is read out may miss the target, where any is so near
    candidates           scored at the end
    keep                 read out, the best first
    recalibrate, refit, ridge, calibration_rows, evaluation_rows, adapt
                         how a sub-network is scored, as the evaluator `weight_sharing` says
    hash_cap             rows that a table has at most
    checkpoint_seconds   between two checkpoints
    device               'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'

    Raises:
        ConfigError: an option breaks its rule, or there is no target.
        EvaluatorError: the same, for what is the supernet's.
    """

    space: SearchSpace
    schema: FeatureSchema
    objectives: Sequence[Objective]
    dataset: Path
    study_seed: int
    controls: Sequence[Candidate] = ()
    budget_rows: int | None = None
    _: KW_ONLY
    rows: int | None = None
    share: float = 0.5
    batch_size: int = 256
    asked_rows: int = 512
    learning_rate: float = 0.02
    embedding_learning_rate: float | None = None
    sampling: str = "uniform"
    weights_first: float = 0.1
    weight_slice: int = 4
    logit_slice: int = 1
    temperature: float = 5.0
    last_temperature: float = 0.5
    straight: float = 0.2
    logit_learning_rate: float = 0.05
    logit_weight_decay: float = 0.01
    forks: int = 4
    guard: bool = True
    guarded: float = 0.4
    floor: float = 0.5
    target_macs: float | None = None
    penalty: float = 0.1
    tolerance: float = 0.1
    candidates: int = 64
    keep: int = 10
    recalibrate: bool = True
    refit: bool = False
    ridge: float = 1.0
    calibration_rows: int = 4096
    evaluation_rows: int | None = 8192
    adapt: int = 1
    hash_cap: int | None = None
    checkpoint_seconds: float = 60.0
    device: str = "auto"

    def __post_init__(self) -> None:
        mistakes = count_mistakes(
            batch_size=self.batch_size,
            asked_rows=self.asked_rows,
            weight_slice=self.weight_slice,
            logit_slice=self.logit_slice,
            forks=self.forks,
            candidates=self.candidates,
            keep=self.keep,
            **({} if self.rows is None else {"rows": self.rows}),
        )
        shares = {name: getattr(self, name) for name in ("share", "weights_first", "straight", "guarded")}
        mistakes += share_mistakes(**shares)
        mistakes += list(self._mistakes())
        if mistakes:
            raise ConfigError("the method 'dnas'", mistakes)
        self._prices = Prices(self.schema)
        self._scoring = ScoringSettings(
            self.recalibrate, self.refit, self.ridge, self.calibration_rows, self.evaluation_rows, self.adapt
        )
        self._how = LogitSettings(
            Target(self._target(), self.penalty),
            self.logit_learning_rate,
            self.logit_weight_decay,
            self.forks,
            self.floor if self.guard else None,
        )
        self._settings(rows=self.rows or FALLBACK_ROWS)  # rates and the like are wrong now or never
        self._check_budget()

    def run(self, checkpoint: Checkpoint) -> Iterator[Candidate]:
        """Trains in turns, scores, and yields the best candidates."""
        course, state = self._begun(checkpoint)
        plan = ReadOutPlan(self.candidates, self.keep, self.tolerance, self.checkpoint_seconds)
        yield from DnasRun(course, checkpoint, plan, state).read_out()

    def scores(self, checkpoint: Checkpoint, candidates: Sequence[Candidate]) -> list[float | None]:
        """`supernet_ne` of each, by the weights of the run that the checkpoint holds."""
        if checkpoint.kept() is None:
            raise StudyError(f"candidates are scored by the weights of a run, but {checkpoint.folder} holds none")
        course, _ = self._begun(checkpoint)
        return [score_of(course.net, one) for one in candidates]

    def _mistakes(self) -> Iterator[str]:
        yield from model_mistakes(self.space)
        yield from sampling_mistakes(self.sampling)
        if self.keep > self.candidates:
            yield f"only what is scored can be read out, but keep is {self.keep} and candidates {self.candidates}"
        if not 0.0 < self.floor < 1.0:
            yield f"floor must lie between zero and one, but is {self.floor}"
        above_zero = ("temperature", "last_temperature", "logit_learning_rate", "target_macs", "tolerance")
        for name in (*above_zero, "checkpoint_seconds"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                yield f"{name} must be more than zero, but is {value}"
        for name in ("penalty", "logit_weight_decay"):
            if not 0.0 <= getattr(self, name) < math.inf:
                yield f"{name} must be zero or more, but is {getattr(self, name)}"
        if self.target_macs is None and self._bound() is None and not self.controls:
            yield "there must be a target: give target_macs, a bound to the objective flops, or controls to the study"

    def _target(self) -> float:
        known = self.target_macs or self._bound()
        if known is not None:
            return known
        architecture = self.controls[0].architecture
        assert architecture is not None  # controls are models
        return float(self._prices.of(architecture).macs)

    def _bound(self) -> float | None:
        """Of the first objective on multiply-adds that has one; an operation of `flops` is half a multiply-add."""
        macs = {"macs": 1.0, "flops": 0.5}
        bounds = (one.bound * macs[one.metric] for one in self.objectives if one.metric in macs and one.bound)
        return next(bounds, None)

    def _settings(self, *, rows: int) -> SupernetSettings:
        return SupernetSettings(rows, self.batch_size, self.learning_rate, self.embedding_learning_rate)

    def _turns(self, *, rows: int) -> Turns:
        return Turns.for_weights(
            math.ceil(rows / self.batch_size),
            weights_first=self.weights_first,
            weight_slice=self.weight_slice,
            logit_slice=self.logit_slice,
            temperature=self.temperature,
            last_temperature=self.last_temperature,
            straight_share=self.straight,
            guarded_share=self.guarded if self.guard else 0.0,
        )

    def _begun(self, checkpoint: Checkpoint) -> tuple[DnasCourse, Json]:
        """Where the checkpoint ends, or the beginning."""
        kept = checkpoint.kept()
        state: Json = {"rows": self._weights_rows, "scores": {}} if kept is None else dict(kept.facts)
        net, turns = self._open(state["rows"]), self._turns(rows=state["rows"])
        even = None
        if self.sampling != Sampling.UNIFORM:
            even = EvenDraws(self.space, Sampling(self.sampling), self.study_seed)
        course = DnasCourse(net, self.space, self._prices, turns, self._how, seed=self.study_seed, even=even)
        if kept is not None:
            begin_again(course, state, kept.files)
        return course, state

    def _open(self, rows: int) -> SplitSupernet:
        return open_split_supernet(
            SplitPlan(
                self.dataset,
                self.space,
                self.study_seed,
                self._settings(rows=rows),
                self.asked_rows,
                self._scoring,
                self.device,
                self.hash_cap,
            )
        )

    def _check_budget(self) -> None:
        """Refuses a budget that pays for too little.

        Forks are counted, for seconds in large spaces, only where it does not pay for as many as there can be: the
        method is made whenever its study is opened.
        """
        if self.budget_rows is None:
            return
        with suppress(ConfigError):
            self._affordable(self._asked_at_most())
            return
        _ = self._weights_rows

    @cached_property
    def _weights_rows(self) -> int:
        """Rows that the weights learn from, beside those of asking and scoring."""
        return self._affordable(0.0 if self.budget_rows is None else self._asked_for_one())

    def _affordable(self, asked: float) -> int:
        """The same where sub-networks are asked about so many rows for each of them."""
        purse = Purse("dnas", self.budget_rows, self.share, self.candidates, self._scoring)
        return purse.training_rows(self.dataset, each=1.0 + asked, batch_size=self.batch_size, said=self.rows)

    def _asked_at_most(self) -> float:
        """As `_asked_for_one`, if each step looked at the decisions with the most choices, and all were different."""
        counts = sorted((len(one.choices) for one in self.space.decisions()), reverse=True)
        return self._asked(sum(counts[: self.forks]))

    def _asked_for_one(self) -> float:
        """Rows that sub-networks are asked about for each that weights learn from, by a few draws."""
        rng, policy = np.random.default_rng([self.study_seed, 4]), Policy.uniform(self.space.decisions())
        graphs = Graphs(self.space)
        ways = [
            len(distinct(graphs.forks(Draw.of(policy, rng).assignment, rng, most=self.forks))) for _ in range(FORKED)
        ]
        return self._asked(float(np.mean(ways)))

    def _asked(self, ways: float) -> float:
        """Rows for each that weights learn from, if a step on logits asks so many sub-networks."""
        turns = self._turns(rows=self.rows or FALLBACK_ROWS)
        asked = turns.logit_steps_before(turns.steps) * self.asked_rows * ways
        return asked / (turns.weight_steps * self.batch_size)
