"""House rules that a count can hold: sizes of files and functions, forbidden constructs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("automl", "searchspaces", "evaluators", "predictors", "storage")
FILES = sorted(path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py"))
FORBIDDEN_CALLS = {"eval", "exec", "hasattr"}
FORBIDDEN_IMPORTS = {"pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}


def _functions(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            if body:
                yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1


@dataclass(frozen=True)
class _Counted:
    """What the rules ask of one file, which is read and parsed once."""

    lines: int
    functions: tuple[tuple[str, int], ...]
    calls: frozenset[str]
    imports: frozenset[str]


@cache
def _counted(path: Path) -> _Counted:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    return _Counted(text.count("\n"), tuple(_functions(tree)), _calls(tree), _imports(tree))


def _own(package: str) -> list[Path]:
    return [path for path in FILES if path.relative_to(ROOT).parts[0] == package]


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_no_file_and_no_function_is_long(package: str) -> None:
    counts = {str(path.relative_to(ROOT)): _counted(path) for path in _own(package)}
    assert counts
    assert {name: count.lines for name, count in counts.items() if count.lines > 500} == {}
    functions = [(name, *function) for name, count in counts.items() for function in count.functions]
    assert [(name, function, lines) for name, function, lines in functions if lines > 50] == []


def test_medians_are_small() -> None:
    own = [_counted(path) for package in PACKAGES for path in _own(package)]
    assert median(count.lines for count in own) < 150
    assert median(lines for count in own for _, lines in count.functions) < 8


def _calls(tree: ast.AST) -> frozenset[str]:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return frozenset(call.id for call in calls if isinstance(call, ast.Name))


def _imports(tree: ast.AST) -> frozenset[str]:
    plain = [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    from_ = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return frozenset(name.split(".")[0] for name in (*plain, *from_))


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_runs_code_from_data(package: str) -> None:
    for path in _own(package):
        assert not FORBIDDEN_CALLS & _counted(path).calls, path
        assert not FORBIDDEN_IMPORTS & _counted(path).imports, path


def test_every_test_folder_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []
