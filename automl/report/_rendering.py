"""Fills a page that opens without a network: styles, figures and their library are all in the file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from automl.report._plotting import Figure

_FOLDER = Path(__file__).parent


def render(page: Path, content: Mapping[str, Any], figures: Sequence[tuple[str, Figure | None]]) -> str:
    """The text of a page that extends `shell.html` of this folder.

    `figures` are drawn into its elements `plot-KEY`; the library comes along where there is one at least.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    environment = Environment(
        loader=FileSystemLoader([page.parent, _FOLDER]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(page.name).render(
        **content,
        figures=[(key, figure) for key, figure in figures if figure],
        style=Markup((_FOLDER / "style.css").read_text(encoding="utf-8")),  # our own file
        plotly=Markup(get_plotlyjs()),  # from the installed package
        as_json=_as_json,
    )


def _as_json(figure: Figure) -> Any:
    """JSON that may stand inside a script element: no `<` can end it, NaN is refused."""
    from markupsafe import Markup

    text = json.dumps(figure.content, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028"))  # escaped just here
