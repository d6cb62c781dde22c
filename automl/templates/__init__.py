"""Configurations that are shipped: what `automl init` writes."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from automl._errors import ConfigError
from automl._files import write_text
from searchspaces import did_you_mean


def template_names() -> tuple[str, ...]:
    """Names that `write_template` knows."""
    return tuple(
        sorted(one.name.removesuffix(".yaml") for one in files(__package__).iterdir() if one.name.endswith(".yaml"))
    )


def write_template(name: str, out: Path | None = None) -> list[Path]:
    """Writes a shipped configuration to `out`, or to NAME.yaml here.

    Raises:
        ConfigError: no such name, or the file exists.
    """
    known = template_names()
    if name not in known:
        raise ConfigError("automl init", [f"no configuration {name!r} is shipped; {did_you_mean(name, known)}"])
    path = out or Path(f"{name}.yaml")
    if path.exists():
        raise ConfigError(str(path), ["exists already; name another file with --out PATH"])
    write_text(path, (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8"))
    return [path]
