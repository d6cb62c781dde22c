"""Search space of a training system: how a given model is laid out on a cluster, knob by knob.

Source of the idea: Wen et al. 2024, CubicML: automated ML for large ML systems co-design with ML prediction of
performance; the knobs are those of TorchRec, FSDP, two-dimensional sparse parallelism and disaggregated towers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from searchspaces._candidate import Candidate
from searchspaces._decided_space import DecidedSpace
from searchspaces._decisions import Assignment, Choice, Decision
from searchspaces._errors import CandidateError, SpaceError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces.deployment import Plan, RankingModel
from searchspaces.deployment.reading import ClusterChoices, read_cluster, read_model
from searchspaces.deployment.winner_file import read_winner_file
from searchspaces.spaces._codesign_knobs import SHARDING, chosen, decisions, is_neutral, table_choices
from searchspaces.spaces._codesign_room import Room
from searchspaces.spaces._codesign_rules import broken, contradiction, kept

__all__ = ["Codesign"]


class Codesign(DecidedSpace):
    """Every knob of training one model: the cluster, sharding of each table, memory tier, groups, towers, number kinds.

    Candidates have system settings and no architecture. What contradicts itself is decoded into the nearest that does
    not (four groups of six devices into three), and what cannot fit into memory into a plan that spreads large tables
    first: so no candidate is a sure failure, unless no change of sharding, groups, micro-batch and tier helps.

    model      the path of a winner file, or {tables: [{rows, dim, hotness, name, count}], dense: {macs, parameters}}
    cluster    {device: [H100], hosts: [1, 2, 4], devices_per_host: [8], devices: {H100: {dollars_per_hour: 2.5}}}
    knobs      choices by knob where they are not the usual ones: {global_batch: [65536], sharding: [row, table]}

    Raises:
        SpaceError: an option is wrong, two knobs contradict each other whatever is chosen, or no plan fits.
    """

    has_models: ClassVar[bool] = False

    def __init__(
        self,
        schema: FeatureSchema,
        *,
        model: str | Mapping[str, Any],
        cluster: Mapping[str, Any],
        knobs: Mapping[str, Any] | None = None,
    ) -> None:
        del schema  # nothing is trained: the model is described, whatever the data of the study is
        known = read_winner_file(Path(model)) if isinstance(model, str) else read_model(model)
        self._layout = Layout(known, read_cluster(cluster), knobs or {})
        super().__init__(self._layout)

    @property
    def model(self) -> RankingModel:
        """What is laid out."""
        return self._layout.room.model

    def plan(self, candidate: Candidate) -> Plan:
        """The plan that a candidate stands for.

        Raises:
            CandidateError: it is not a point of this space.
        """
        self.validate(candidate)
        return self._layout.plan(candidate)

    def risks(self, candidate: Candidate) -> tuple[str, ...]:
        """Slots of the candidate whose knobs can change what is learned, so that its quality must be measured.

        Raises:
            CandidateError: it is not a point of this space.
        """
        return tuple(slot for slot in self.to_assignment(candidate) if not is_neutral(slot))


class Layout:
    """The `Coding` of the space: choices of every slot, rules between them, and room in memory."""

    def __init__(self, model: RankingModel, cluster: ClusterChoices, knobs: Mapping[str, Any]) -> None:
        self.room = Room(model, cluster.devices)
        choices = chosen(knobs)
        tables = {table.name: table_choices(table.name, table.dim, choices[SHARDING]) for table in model.tables}
        self._decisions = tuple(decisions({**vars(cluster), **choices}, tables))
        self._choices = {decision.slot: decision.choices for decision in self._decisions}
        self._rules = self.room.rules
        wrong = contradiction(self._rules, self._choices)
        if wrong is not None:
            raise SpaceError(f"{wrong}; add or leave out choices of either")
        self.room.check(self._choices)

    def decisions(self) -> Sequence[Decision]:
        """Those of the cluster, the knobs and the tables."""
        return self._decisions

    def candidate(self, genotype: Assignment) -> Candidate:
        """The nearest settings that keep all rules and fit into memory; knobs that do not count are left out."""
        settings = self._settings(genotype)
        found = kept(settings, self._rules, self._choices)
        if not self.room.fits(found):
            found = next((one for one in self._roomier(found) if self.room.fits(one)), found)
        counting = {one.slot: found[one.slot] for one in self._decisions if one.counts(found)}
        return Candidate(None, system=Options(counting))

    def read(self, candidate: Candidate) -> Assignment:
        """Choices by slot.

        Raises:
            CandidateError: there is an architecture, a setting is no knob, or two knobs contradict each other.
        """
        if candidate.architecture is not None:
            raise CandidateError("this space lays a given model out, but the candidate has an architecture of its own")
        unknown = [name for name in candidate.system if name not in self._choices]
        if unknown:
            raise CandidateError(f"no knob {unknown[0]!r} in this space; knobs are {', '.join(self._choices)}")
        told: dict[str, Choice] = {
            slot: value for slot, value in candidate.system.items() if isinstance(value, bool | int | float | str)
        }
        if all(told.get(slot, values[0]) in values for slot, values in self._choices.items()):
            wrong = list(broken(self._settings(told), self._rules))
            if wrong:
                raise CandidateError("; ".join(wrong))
        return told

    def plan(self, candidate: Candidate) -> Plan:
        """The plan of a candidate that is one of the space."""
        return self.room.plan({**self._settings({}), **candidate.system})

    def _settings(self, genotype: Assignment) -> dict[str, Choice]:
        return {slot: genotype.get(slot, values[0]) for slot, values in self._choices.items()}

    def _roomier(self, settings: Mapping[str, Choice]) -> Iterator[dict[str, Choice]]:
        return (kept(one, self._rules, self._choices) for one in self.room.roomier(settings, self._choices))
