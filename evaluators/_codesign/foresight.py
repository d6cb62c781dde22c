"""What the equations say of a plan before anything runs: the door through which predictors and searchers ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from evaluators._codesign.coefficients import Coefficients
from evaluators._codesign.step import Step, step
from evaluators._codesign.work import work
from searchspaces import SearchSpace
from searchspaces.deployment import Memory, Plan, RankingModel, memory_of, placed
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.tabled import Tabled


@dataclass(frozen=True)
class Foresight:
    """Metrics of a plan by name, and what its fullest device must hold; metrics stand even where that does not fit."""

    metrics: Mapping[str, float]
    memory: Memory


def foresee(model: RankingModel, plan: Plan, coefficients: Coefficients) -> Foresight:
    """Speed, price, memory, the seconds of a step and of each of its terms."""
    placement = placed(model, plan)
    held = memory_of(model, plan, placement)
    return Foresight(_metrics(plan, held, step(work(model, plan, placement), plan, coefficients)), held)


def layouts_of(space: SearchSpace) -> Codesign | None:
    """The space of layouts that a space is, or that the candidates of its table were drawn from."""
    source = space.source if isinstance(space, Tabled) else space
    return source if isinstance(source, Codesign) else None


def _metrics(plan: Plan, held: Memory, predicted: Step) -> Mapping[str, float]:
    rate = plan.global_batch / predicted.seconds
    return MappingProxyType(
        {
            "examples_per_second": rate,
            "qps": rate,
            "dollars_per_billion_examples": 1e9 * plan.cluster.dollars_per_second / rate,
            "peak_memory_bytes": held.needed,
            "step_seconds": predicted.seconds,
            **{f"step_seconds_{name}": seconds for name, seconds in predicted.terms.items()},
        }
    )
