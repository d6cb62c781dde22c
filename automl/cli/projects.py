"""Verbs around a project: init, validate, ui, data prepare, plugins list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, Storage
from automl.cli._output import emit, say


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    app.command()(init)
    app.command()(validate)
    app.command()(ui)
    data = typer.Typer(help="Prepare data for searches.", no_args_is_help=True)
    data.command("prepare")(prepare_data)
    app.add_typer(data, name="data")
    database = typer.Typer(help="Look after stores.", no_args_is_help=True)
    database.command("upgrade")(upgrade_database)
    database.callback()(_database)
    app.add_typer(database, name="db")
    plugins = typer.Typer(help="Look at plug-ins.", no_args_is_help=True)
    plugins.command("list")(list_plugins)
    plugins.callback()(_plugins)
    data.callback()(_data)
    app.add_typer(plugins, name="plugins")


def _plugins() -> None:
    """Look at plug-ins."""


def _data() -> None:
    """Prepare data for searches."""


def _database() -> None:
    """Look after stores."""


def init(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A shipped configuration; 'list' names them.")],
    *,
    out: Out = None,
) -> None:
    """Write a configuration to start from."""
    from automl.templates import template_names, write_template

    if name == "list":
        for one in template_names():
            typer.echo(one)
        return
    for path in write_template(name, out):
        typer.echo(str(path))


def validate(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of a study.")],
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, metavar="N", help="Predict for a search with so many workers.")
    ] = 1,
    quick: Annotated[bool, typer.Option("--quick", help="Try the operators, but time nothing.")] = False,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Check a configuration, its data and every operator, and predict hours, memory and disk of its search."""
    from automl.cli._foresight import readable_facts
    from automl.cli.searching import pairs
    from automl.config import load_config
    from automl.validation import facts

    overrides = {**pairs(settings or []), **({"storage": storage} if storage else {})}
    found = facts(load_config(config, overrides), workers=workers, is_quick=quick)
    emit(readable_facts(found) if layout is Format.TABLE else [found], layout)
    for kind in ("problems", "warnings", "not_predicted"):
        for text in found[kind]:
            say(f"automl: {kind.removesuffix('s').replace('_', ' ')}: {text}")
    if found["problems"]:
        raise typer.Exit(1)


def ui(
    *,
    uri: Annotated[
        str | None,
        typer.Option(
            "--uri",
            metavar="URL",
            envvar="MLFLOW_TRACKING_URI",
            show_default="sqlite:///mlflow.db",
            help="MLflow's store.",
        ),
    ] = None,
    study: Annotated[str | None, typer.Option(metavar="STUDY", help="Open the table of this study's problem.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000,
) -> None:
    """Serve MLflow on this machine alone and print the link to the table of trials."""
    from automl.cli._serving import serve

    raise typer.Exit(serve(uri, study=study, port=port))


def prepare_data(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A recipe (movielens-100k, synthetic, criteo, avazu, kdd12), a folder with fields.json, "
            "or a YAML that describes a table.",
        ),
    ],
    *,
    out: Out = None,
    copy: Annotated[
        Path | None, typer.Option("--from", metavar="PATH", help="Your own copy of the recipe's files.")
    ] = None,
    minimum_count: Annotated[
        int | None,
        typer.Option(
            min=1,
            show_default="the recipe's or table's, else 2",
            help="Ids seen less often in the training part share one id.",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="How criteo, avazu and kdd12 are divided: order (of the file), time (avazu), hash, "
            "or stratified, which is the published random split.",
            show_default="order, time, hash",
        ),
    ] = None,
) -> None:
    """Prepare data: fitted on the training part, split by time where there is one, in bounded memory."""
    from automl.validation import prepare

    options = None if split is None else {"split": split}
    dataset = prepare(source, out=out, copy=copy, minimum_count=minimum_count, options=options)
    say(f"automl: {dataset.name}: {dict(dataset.rows)} rows, {len(dataset.schema.fields)} fields, {dataset.digest}")
    typer.echo(str(dataset.folder))


def upgrade_database(*, storage: Storage = None) -> None:
    """Bring a store of an older release to the schema of this one."""
    from automl.config import resolve_url
    from automl.opening import default_storage
    from storage import masked, upgrade_store

    url = resolve_url(storage or default_storage(), Path.cwd())
    copy = upgrade_store(url)
    kept = f"; a copy of it as it was: {copy}" if copy else ""
    say(f"automl: {masked(url)} has the schema of this release{kept}")


def list_plugins(*, layout: FormatOption = Format.TABLE) -> None:
    """List every plug-in by room, with where it comes from and what it is."""
    from automl import plugins

    rows = [
        {"room": kind, "name": name, "origin": plugins.origin(kind, name), "what": plugins.summary(kind, name)}
        for kind in plugins.ROOMS
        for name in plugins.names(kind)
    ]
    emit(rows, layout)
