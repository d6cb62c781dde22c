"""Verbs that take something out of a study: export, train, predict, report."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, Storage, StudyName
from automl.cli._output import emit, say

if TYPE_CHECKING:
    from automl.export import Blend

WinnerFile = Annotated[Path, typer.Argument(metavar="WINNER", help="YAML that `automl export` wrote.")]
Data = Annotated[str, typer.Option("--data", metavar="FOLDER", help="Prepared folder, source folder or table YAML.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]


class Target(StrEnum):
    """What an export writes."""

    CONFIG = "config"
    WEIGHTS = "weights"
    TORCHREC = "torchrec"
    TORCHRUN = "torchrun"

    @property
    def suffix(self) -> str:
        """Of the file that is written."""
        return {"config": "yaml", "weights": "safetensors", "torchrec": "json", "torchrun": "sh"}[self.value]


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    for verb in (export, train, predict, report):
        app.command()(verb)


def export(
    study: StudyName,
    *,
    best: Annotated[
        bool, typer.Option("--best", help="The best measurement; else what the searcher declares.")
    ] = False,
    trial: Annotated[int | None, typer.Option(metavar="N", help="A trial by number.")] = None,
    max_flops: Annotated[float | None, typer.Option(metavar="X", help="The best trial of at most X FLOPs.")] = None,
    to: Annotated[
        Target, typer.Option(help="A config that trains again, weights as well; of a training plan sharding or launch.")
    ] = Target.CONFIG,
    out: Out = None,
    storage: Storage = None,
) -> None:
    """Write a winner as a config that trains again, or train it and write its weights beside that."""
    from automl._files import write_text
    from automl.export import read_winner, write_winner
    from automl.opening import load_study
    from automl.publishing import chosen_trial, training_plan, winner
    from automl.training import Training, train_winner

    if sum((best, trial is not None, max_flops is not None)) > 1:
        raise typer.BadParameter("name one of --best, --trial and --max-flops")
    if to is Target.WEIGHTS and out is not None and out.suffix in (".yaml", ".yml"):
        raise typer.BadParameter(f"weights are safetensors, but {out} is a YAML file's name", param_hint="--out")
    loaded = load_study(study, storage=storage)
    chosen = chosen_trial(loaded, number=trial, max_flops=max_flops, is_measured=best)
    path = out or Path(f"{study}-{chosen.number}.{to.suffix}")
    if to in (Target.TORCHREC, Target.TORCHRUN):
        write_text(path, training_plan(loaded, chosen, is_launch=to is Target.TORCHRUN))
        typer.echo(str(path))
        return
    config = write_winner(path if to is Target.CONFIG else path.with_suffix(".yaml"), winner(loaded, chosen))
    typer.echo(str(config))
    if to is Target.WEIGHTS:
        plan = Training(seed=loaded.record.seed, is_tested=False)
        train_winner(read_winner(config), loaded.config.data, plan, weights=path)
        typer.echo(str(path))


def train(
    winner: WinnerFile,
    *,
    data: Data,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The seeds are derived from it.")] = 0,
    device: Device = "auto",
    out: Annotated[Path | None, typer.Option(metavar="PATH", help="Write the first model's weights.")] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Train a winner at full fidelity and report test metrics with their spread over seeds."""
    from automl.export import read_winner
    from automl.training import Training, train_winner

    found = train_winner(read_winner(winner), data, Training(seeds, seed, device), weights=out)
    if layout is Format.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    emit(found["seeds"], layout)
    for name, one in found["spread"].items():
        say(f"{name}: {one['mean']:.4f}" + ("" if one["sd"] is None else f" ± {one['sd']:.4f} over {seeds} seeds"))
    say(f"The test part of {found['data']} has been opened {found['test_openings']} times.")


def predict(
    winner: Annotated[Path, typer.Argument(metavar="WINNER", help="Winner file, or the blend of `automl finals`.")],
    *,
    weights: Annotated[
        Path | None, typer.Option(metavar="W", help="Weights that `automl train --out` wrote; a blend has its own.")
    ] = None,
    data: Data,
    part: Annotated[str, typer.Option(help="Which part of the data.")] = "test",
    device: Device = "auto",
    out: Out = None,
) -> None:
    """Score data with trained weights: a csv of probabilities, in the order of the rows."""
    from automl._files import check_place, write_text
    from automl.export import predict_blend as score
    from automl.training import described

    if out is not None:
        check_place(out)
    probabilities, labels = score(_models(winner, weights), Path(data), part=part, device=device)
    text = "probability\n" + "".join(f"{one:.8f}\n" for one in probabilities)
    if out is None:
        typer.echo(text, nl=False)
    else:
        write_text(out, text)
        typer.echo(str(out))
    if labels is not None:
        say(described(probabilities, labels))


def _models(winner: Path, weights: Path | None) -> Blend:
    """One winner with its weights, or the members of a blend."""
    from automl.export import Blend, is_blend, read_blend, read_weights, read_winner

    if is_blend(winner):
        if weights is not None:
            raise typer.BadParameter("a blend names its own weights; leave it out", param_hint="--weights")
        return read_blend(winner)
    if weights is None:
        raise typer.BadParameter("a winner needs weights; `automl train --out` writes them", param_hint="--weights")
    return Blend(((read_winner(winner), read_weights(weights)),))


def report(study: StudyName, *, out: Out = None, storage: Storage = None) -> None:
    """Write a study's report: one HTML file that opens without a network."""
    from automl.opening import load_study
    from automl.publishing import write_study_report

    path = out or Path(f"{study}.html")
    typer.echo(str(write_study_report(load_study(study, storage=storage), path)))
