"""The interface of a method: a search that is one long training run, and reads out candidates at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

from automl._checkpoint import Checkpoint
from searchspaces import Candidate


class Method(Protocol):
    """Searches while it trains, and reads out what is worth training from scratch.

    Promises: the same constructor arguments give the same read-out, however often the run was stopped, or killed, and
    begun again from its checkpoint; candidates are points of the space with different fingerprints, the most
    promising first; everything trained or scored is reported to the checkpoint, which is the account of the method.
    Where a price is a measured time, a run that was stopped may decide otherwise than another.

    What there is to say of how it ended may be kept as `verdict` in the facts of the checkpoint, a JSON object with
    sentences for people as `words`: its trial carries it, and `automl status`, `show` and `compare` tell it.

    A constructor may take `space`, `schema`, `objectives`, `dataset` (the prepared folder), `study_seed`, `controls`
    (the models that the study compares with, the user's own alone where there is one) and `budget_rows` (all rows that
    the study may train on; None where that is not limited), which are injected, and options by keyword.
    """

    def run(self, checkpoint: Checkpoint) -> Iterator[Candidate]:
        """Goes on from the checkpoint to the end and yields the read-out.

        Where `checkpoint.is_stopped` it keeps its state and ends without yielding anything.

        Raises:
            EvaluatorError: the training diverged, or the checkpoint is another method's.
        """
        ...


@runtime_checkable
class ScoresCandidates(Protocol):
    """A method that can say, after its run, what it thinks of any candidates: how far its order is to be trusted."""

    def scores(self, checkpoint: Checkpoint, candidates: Sequence[Candidate]) -> list[float | None]:
        """A loss for each, in order; None where the method cannot score it. Nothing of this is in the account.

        Raises:
            StudyError: the checkpoint holds no run.
        """
        ...
