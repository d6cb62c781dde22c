"""The control of a study: what every candidate is compared with on the same rows.

It is the user's own model, or else the human-made one with the best NE where it is trained as the study says, for the
study's first replicate. Since a member's numbers are the same in any company, a control that was trained once stands
beside every later cohort of the same plan as if it were trained in its pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray

from evaluators._training.evaluate import Job, Reference, Trained, reference_of, train_jobs
from evaluators._training.loop import Judge
from evaluators._training.metrics import quality
from evaluators._training.racing import RacingRule, losers
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan
from evaluators._training.warm_tables import WarmTables
from searchspaces import Candidate, Options

MOST_REFERENCES = 16
"""References that are kept: one holds a number for each row of the validation part."""

CHUNKS = 200
"""Pieces of a whole training that members are compared on."""

Key = tuple[Plan, int | None, bool]


@dataclass(eq=False)
class Controls:
    """Trains the control where it is needed. `candidates` are in question for it; an own model stands alone there."""

    candidates: Sequence[Candidate]
    data: SearchData
    settings: TrainingSettings
    seed: int
    dtype: torch.dtype
    _chosen: Candidate | None = None
    _known: dict[Key, Reference | None] = field(default_factory=dict)
    _tables: tuple[tuple[int, int | None], WarmTables | None] | None = None

    def beside(self, settings: TrainingSettings, *, seed: int, fidelity: Options) -> Reference | None:
        """The reference for members with these settings; None where there is no control or it cannot be trained."""
        if not self.candidates:
            return None
        key = (Plan.of(settings, len(self.data.train), seed=seed), settings.hash_cap, settings.warm_tables)
        if key not in self._known:
            if len(self._known) >= MOST_REFERENCES:
                self._known.clear()
            chosen = self._choose()
            # rows, passes and the like are those of the members, so that both see the same batches
            shared = {name: getattr(settings, name) for name in SHARED}
            own = self.settings.overridden(chosen.training, fidelity, shared)
            warm = self.tables(seed=seed, hash_cap=own.hash_cap) if own.warm_tables else None
            (found,) = train_jobs([Job(chosen, own)], self.data, seed=seed, dtype=self.dtype, warm=warm).values()
            self._known[key] = reference_of(found, self.data) if isinstance(found, Trained) else None
        return self._known[key]

    def tables(self, *, seed: int, hash_cap: int | None) -> WarmTables | None:
        """The tables of the control after a full training as the study says; None where it cannot be trained.

        Those of one seed and hash cap are kept, since a table may take most of the memory.
        """
        if not self.candidates:
            return None
        if self._tables is None or self._tables[0] != (seed, hash_cap):
            chosen = self._choose()
            own = replace(self.settings.overridden(chosen.training), hash_cap=hash_cap, warm_tables=False)
            (found,) = train_jobs([Job(chosen, own)], self.data, seed=seed, dtype=self.dtype).values()
            self._tables = ((seed, hash_cap), WarmTables.of(found.model) if isinstance(found, Trained) else None)
        return self._tables[1]

    def _choose(self) -> Candidate:
        if self._chosen is None:
            self._chosen = self.candidates[0] if len(self.candidates) == 1 else self._best()
        return self._chosen

    def _best(self) -> Candidate:
        """By validation NE; the first one where none can be trained."""
        jobs = [Job(one, self.settings) for one in self.candidates]
        found = train_jobs(jobs, self.data, seed=self.seed, dtype=self.dtype)
        nes = {
            at: quality(one.logits, self.data.valid.labels)["ne"].value
            for at, one in found.items()
            if isinstance(one, Trained) and np.isfinite(one.logits).all()
        }
        return self.candidates[min(nes, key=lambda at: (nes[at], at)) if nes else 0]


SHARED = ("rows", "prefix", "negative_rate", "passes", "batch_size", "hash_cap", "warm_tables")
"""Settings that decide which batches come; the rest is a member's own."""


def race(flops: Sequence[float], rule: RacingRule, reference: Reference) -> Judge:
    """Stops members that are surely worse than another of no more FLOPs; the control is never stopped."""
    looked: list[int] = []

    def judge(running: Mapping[int, NDArray[np.float64]], rows: NDArray[np.int64], share: float) -> list[int]:
        look = rule.look_at(share)
        if look is None or look in looked:
            return []
        looked.append(look)
        steps = len(rows)
        chunk = max(1, round(steps / share / CHUNKS))
        starts = np.arange(0, steps - steps % chunk, chunk)
        control = len(flops)
        curves = {**running, control: reference.course[:steps]}
        losses = np.zeros((control + 1, len(starts)))
        for number, curve in curves.items():
            losses[number] = np.add.reduceat(curve[: len(starts) * chunk], starts) / np.add.reduceat(
                rows[: len(starts) * chunk], starts
            )
        mask = np.array([number in curves for number in range(control + 1)])
        return list(losers(losses, [*flops, reference.flops], control, mask, share, rule))

    return judge
