"""One-shot search: a policy learns from losses in a supernet which candidates are good, while the supernet trains.

Source: Wen et al. 2023, Rankitect: Ranking Architecture Search Battling World-class Engineers at Meta Scale (the
one-shot method there). What the paper leaves open is filled in as each option says.

Letters: K sub-networks of a step, B rows of it, L loss of a sub-network, L_B that of the baseline on the same rows.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from automl._checkpoint import Checkpoint, Json
from automl._errors import ConfigError, StudyError
from automl._read_out import VERDICT
from automl.methods._learner import Learner, Lessons
from automl.methods._one_shot_run import READ_OUTS, Course, OneShotRun
from automl.methods._pricing import PRICED, priced_cost
from automl.methods._reward import Price, TimedPrice
from automl.methods._supernets import FALLBACK_ROWS, Purse, model_mistakes, sampling_mistakes, score_of
from automl.proposals import CLOSED_FORM, closed_form_costs, count_mistakes, share_mistakes
from evaluators import (
    Objective,
    Sampler,
    Sampling,
    ScoringSettings,
    SupernetBesideBaseline,
    SupernetPlan,
    SupernetSettings,
    open_supernet,
)
from searchspaces import Candidate, FeatureSchema, SearchSpace, SearchSpaceError, zoo

__all__ = ["OneShot"]

LOG = logging.getLogger("automl")


@dataclass(eq=False)
class OneShot:
    """Trains a supernet and a baseline on one stream, and a policy on the difference of their losses.

    Each step draws K candidates from the policy. The reward of one is (L_B - L) / L_B on the batch before the step
    that is taken on it, less a price for cost beyond the budget; the baseline, trained in place on the same batches,
    takes out what makes a batch hard and how the stream drifts. The policy learns from what it has just drawn and, with
    clipped ratios, from what it drew before. The stream begins with a warm-up without lessons: candidates of the
    space's own distribution, widened to the full path with a chance that falls to nothing.

    At the end the shared weights stand still: candidates that the policy thinks of are scored on the same rows of the
    validation part, and the best are read out, to be trained from scratch. Before its score the layers of each adapt
    to the latest rows of training, which are held out of the supernet for that.

    rows                 of the stream; None takes what `share` of the budget's rows pays for, 100,000 without a budget.
                         Where both are given, the budget must pay for rows and scores
    share                of the study's budget in rows, for training and scoring here; the rest trains the read-out
    batch_size           B
    sampled              K; every row counts K + 1 times in the account
    learning_rate        largest one of AdaGrad outside tables, of both models; `embedding_learning_rate` of the tables,
                         five times that where not given
    sampling             of the warm-up: 'uniform' takes `sampled` candidates of the space's own distribution, 'fair'
                         each operator of a slot equally often in a step, 'sandwich' the largest, the smallest and two
                         others; the latter two take as many candidates as that needs. Lessons are not sampled so: a
                         policy learns from what it has drawn itself
    warm_up              part of the steps before the policy learns (Zhang et al. 2023, NASRec, take a fifth)
    baseline             human-made architecture to train in place; None takes the study's first control
    baseline_rate        its learning rates over those of the supernet, as its weights move at each step: after 60 steps
                         on kuairand_pure the loss of DeepFM is 0.75 at 1, and 0.65 at 0.2
    penalty              weight of the price: at 0.1, a tenth more than the budget counts like one per cent of loss
    cost                 that is priced: known in closed form ('flops', 'macs', 'params', 'embedding_bytes') or timed
                         ('latency_ms_p50', 'latency_ms_p99', 'qps'). None takes the first objective in closed form,
                         else the first that is timed; without either there is no price, which is told. Candidates are
                         timed beside the baseline, nine requests of each in turn, of which the fastest counts, so that
                         the pace of the machine cancels; each once, when it is first drawn. That takes as long as a
                         step on a small model, and is in the seconds of a step. Times never repeat exactly, so with
                         such a price neither does a run
    cost_budget          in the unit of `cost`; None takes the bound of its objective, else what the baseline has
    policy_learning_rate of Adam; on 60 planted decisions of four choices, with noise as large as the signal, the
                         likeliest candidate after 400 steps has 86 % of what could be gained at 0.02, the draws half
    entropy              weight of the entropy bonus at first, and `last_entropy` at the end; of standardised rewards
    decay                of the moving mean and spread of rewards
    replay_age           steps after which what was drawn is forgotten; 0 learns from fresh draws alone
    read_out             'policy' scores the likeliest candidate and draws of the policy; with 'rl' a copy of the policy
                         goes on learning on these by their scores, less the price; 'evolution' begins with a
                         population of these and mutates the best
    candidates           scored at the end
    keep                 read out, the best first
    recalibrate, refit, ridge, calibration_rows, evaluation_rows, adapt
                         how a sub-network is scored, as the evaluator `weight_sharing` says
    hash_cap             rows that a table has at most
    checkpoint_seconds   between two checkpoints
    device               'auto' (CUDA where there is one), 'cpu', 'cuda' or 'cuda:N'

    Raises:
        ConfigError: an option breaks its rule, or there is no baseline.
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
    sampled: int = 2
    learning_rate: float = 0.02
    embedding_learning_rate: float | None = None
    sampling: str = "uniform"
    warm_up: float = 0.15
    baseline: str | None = None
    baseline_rate: float = 0.2
    penalty: float = 0.1
    cost: str | None = None
    cost_budget: float | None = None
    policy_learning_rate: float = 0.02
    entropy: float = 0.01
    last_entropy: float = 0.001
    decay: float = 0.95
    replay_age: int = 2000
    read_out: str = "policy"
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
            sampled=self.sampled,
            candidates=self.candidates,
            keep=self.keep,
            **({} if self.rows is None else {"rows": self.rows}),
        )
        mistakes += share_mistakes(share=self.share, warm_up=self.warm_up, decay=self.decay)
        mistakes += [*self._mistakes(), *self._range_mistakes()]
        if mistakes:
            raise ConfigError("the method 'one_shot'", mistakes)
        self._scoring = ScoringSettings(
            self.recalibrate, self.refit, self.ridge, self.calibration_rows, self.evaluation_rows, self.adapt
        )
        self._beside = self._baseline()
        self._cost = priced_cost(self.objectives, metric=self.cost, bound=self.cost_budget)
        self._price = self._price_of_cost()
        self._settings(rows=self.rows or FALLBACK_ROWS)  # rates and the like are wrong now or never
        self._stream = self._affordable()

    def run(self, checkpoint: Checkpoint) -> Iterator[Candidate]:
        """Trains, scores, and yields the best candidates."""
        net, learner, state = self._begun(checkpoint)
        price = self._price or self._timed_price(net, state)
        state[VERDICT] = {"words": [self._words(state)]}
        if not self._cost and "steps" not in state:
            LOG.warning(self._words(state))
        course = Course(
            self.space,
            price,
            self.study_seed,
            steps=math.ceil(state["rows"] / self.batch_size),
            warm_up=self.warm_up,
            sampled=self.sampled,
            read_out=self.read_out,
            candidates=self.candidates,
            keep=self.keep,
            checkpoint_seconds=self.checkpoint_seconds,
        )
        yield from OneShotRun(course, checkpoint, net, learner, state).read_out()

    def scores(self, checkpoint: Checkpoint, candidates: Sequence[Candidate]) -> list[float | None]:
        """`supernet_ne` of each, by the weights of the run that the checkpoint holds."""
        if checkpoint.kept() is None:
            raise StudyError(f"candidates are scored by the weights of a run, but {checkpoint.folder} holds none")
        net, _, _ = self._begun(checkpoint)
        return [score_of(net, one) for one in candidates]

    def _mistakes(self) -> Iterator[str]:
        yield from model_mistakes(self.space)
        yield from sampling_mistakes(self.sampling)
        if self.read_out not in READ_OUTS:
            yield f"read_out must be one of {', '.join(READ_OUTS)}, but is {self.read_out!r}"
        if self.cost not in (None, *PRICED):
            yield f"cost must be one of {', '.join(PRICED)}, but is {self.cost!r}"
        elif self.cost_budget and not priced_cost(self.objectives, metric=self.cost, bound=None):
            yield f"cost_budget is {self.cost_budget}, but nothing says of which cost: name one of {', '.join(PRICED)}"
        if self.keep > self.candidates:
            yield f"only what is scored can be read out, but keep is {self.keep} and candidates {self.candidates}"
        if not 0.0 <= self.last_entropy <= self.entropy:
            yield f"last_entropy must lie between zero and entropy, {self.entropy}, but is {self.last_entropy}"
        if self.entropy and not self.last_entropy:
            yield "last_entropy must be more than zero where entropy is: it falls by a factor, which never ends at zero"

    def _range_mistakes(self) -> Iterator[str]:
        for name in ("policy_learning_rate", "baseline_rate", "cost_budget", "checkpoint_seconds"):
            value = getattr(self, name)
            if value is not None and not 0.0 < value < math.inf:
                yield f"{name} must be more than zero, but is {value}"
        for name in ("penalty", "replay_age"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                yield f"{name} must be zero or more, but is {value}"

    def _baseline(self) -> Candidate:
        if self.baseline is not None:
            try:
                return zoo(self.baseline, self.schema)
            except SearchSpaceError as error:
                raise ConfigError("the method 'one_shot'", [f"baseline: {error}"]) from error
        if not self.controls:
            way_out = "name a human-made one with 'baseline', or let the study have some"
            raise ConfigError("the method 'one_shot'", [f"a baseline is trained beside the supernet: {way_out}"])
        return self.controls[0]

    def _price_of_cost(self) -> Price | None:
        """None where it has to be timed, for which there must be a supernet."""
        if self._cost is None or not self.penalty:
            return Price(self.schema, next(iter(CLOSED_FORM)), 1.0, 0.0)
        if self._cost.is_timed:
            return None
        own = float(closed_form_costs(self._beside, self.schema, [self._cost.metric])[0])
        return Price(self.schema, self._cost.metric, self._cost.bound or own, self.penalty)

    def _words(self, state: Json) -> str:
        """What candidates have paid for."""
        if not self.penalty:
            return "no candidate has paid for its cost, as penalty is 0"
        if self._cost is None:
            return (
                f"no candidate has paid for its cost: the study has no objective on {', '.join(PRICED)}; "
                "add one, or name one with 'cost'"
            )
        if self._price is not None:
            return f"candidates have paid for {self._cost.metric} beyond {self._price.budget:,.10g}"
        return (
            f"candidates have paid for {self._cost.metric}, timed on this machine, where they took more than "
            f"{state['free_time']:.3g} times what the baseline takes ({state['baseline_serving']:.3g})"
        )

    def _timed_price(self, net: SupernetBesideBaseline, state: Json) -> TimedPrice:
        """What the baseline takes is measured once, when a run begins."""
        assert self._cost is not None  # else there is a price without times
        metric = self._cost.metric
        if "times" not in state:
            own = net.serving_of_baseline()[metric].value
            state |= {"baseline_serving": own, "free_time": self._cost.free_time(own), "times": {}}

        def timed(candidate: Candidate) -> float:
            assert candidate.architecture is not None  # the spaces of a supernet have some
            return net.relative_time(candidate.architecture, metric=metric)

        return TimedPrice(timed, state["free_time"], self.penalty, state["times"])

    def _settings(self, *, rows: int) -> SupernetSettings:
        rates = self.learning_rate, self.embedding_learning_rate
        return SupernetSettings(rows, self.batch_size, *rates, Sampling(self.sampling))

    def _begun(self, checkpoint: Checkpoint) -> tuple[SupernetBesideBaseline, Learner, Json]:
        """Where the checkpoint ends, or the beginning."""
        lessons = Lessons(self.policy_learning_rate, self.entropy, self.last_entropy, self.decay, self.replay_age)
        learner, kept = Learner(self.space.decisions(), lessons), checkpoint.kept()
        if kept is None:
            return self._open(self._stream), learner, {"rows": self._stream, "scores": {}}
        net = self._open(kept.facts["rows"])
        net.restore(kept.files)
        learner.restore(kept.files)
        return net, learner, dict(kept.facts)

    def _open(self, rows: int) -> SupernetBesideBaseline:
        architecture = self._beside.architecture
        assert architecture is not None  # controls are models
        return open_supernet(
            SupernetPlan(
                self.dataset,
                self.space,
                architecture,
                self.study_seed,
                self._settings(rows=rows),
                self._scoring,
                self.device,
                self.hash_cap,
                self.baseline_rate,
            )
        )

    def _affordable(self) -> int:
        """Rows of the stream, beside what scoring takes of the budget."""
        purse = Purse("one_shot", self.budget_rows, self.share, self.candidates + 1, self._scoring)
        return purse.training_rows(self.dataset, each=self._models() + 1, batch_size=self.batch_size, said=self.rows)

    def _models(self) -> float:
        """Sub-networks of a step, as a mean over the warm-up and the lessons."""
        at_once = Sampler(self.space, Sampling(self.sampling)).per_step
        silent = math.ceil(self.sampled / at_once) * at_once
        return self.warm_up * silent + (1.0 - self.warm_up) * self.sampled
