"""The command of a trainer: words with placeholders, and the program that the first word names."""

from __future__ import annotations

import os
import shutil
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluators._errors import EvaluatorError
from searchspaces import did_you_mean

PLACEHOLDERS = ("candidate", "metrics", "folder", "seed", "replicate", "fidelity")


def check_command(command: Sequence[str]) -> None:
    """Returns silently where each word can be filled in.

    Raises:
        EvaluatorError: there are no words, or one has a placeholder that is not known.
    """
    if not command or not command[0]:
        raise EvaluatorError(f"'command' must name a program and its arguments, but is {list(command)!r}")
    for word in command:
        if "\0" in word:
            raise EvaluatorError(f"a word of 'command' must not hold a null character, but one is {word!r}")
        for name in _placeholders(word):
            if name not in PLACEHOLDERS:
                raise EvaluatorError(
                    f"'command' has no placeholder {{{name}}}; {did_you_mean(name, PLACEHOLDERS)}; "
                    "write {{ and }} for plain braces"
                )


def filled_in(command: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The words with the values of `PLACEHOLDERS` in their places."""
    return ["".join(_filled(word, values)) for word in command]


def found_program(name: str, folder: Path) -> str:
    """Path of the program: a name with a slash is looked up in `folder`, another one on the PATH.

    Raises:
        EvaluatorError: there is none, or it may not be executed.
    """
    if "/" not in name:
        path = shutil.which(name)
        if path is None:
            raise EvaluatorError(
                f"'command' must begin with a program, but {name!r} is not on the PATH; "
                f"write ./{name} for a file in working_folder"
            )
        return path
    file = folder / name
    if not file.is_file():
        raise EvaluatorError(
            f"'command' must begin with a program, but there is no file {file}; "
            "a relative path starts in working_folder"
        )
    if not os.access(file, os.X_OK):
        raise EvaluatorError(
            f"'command' must begin with a program that may be executed, but {file} may not; "
            "allow it with chmod +x, or begin with its interpreter"
        )
    return str(file)


def _filled(word: str, values: Mapping[str, str]) -> list[str]:
    return [text + (values[name] if name is not None else "") for text, name, _, _ in string.Formatter().parse(word)]


def _placeholders(word: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(word))
    except ValueError as error:
        raise EvaluatorError(
            f"a word of 'command' must have its braces in pairs, but {word!r} has not ({error}); "
            "write {{ and }} for plain braces"
        ) from error
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in parts
        if name is not None
    ]
