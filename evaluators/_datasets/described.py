"""Data that only its owner has: a schema without rows, for trainers of the user's own.

    name: clicks
    fields:
      - {name: price, kind: numeric, mean: 1.2, std: 0.8}
      - {name: user, kind: categorical, vocabulary_size: 25157}

A field's ids run from 0 to `vocabulary_size - 1`; `mean` and `std` describe sign(x) * log(1 + |x|) and may be
left out. The file is YAML or JSON.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from evaluators._datasets.dataset import Dataset, Facts
from evaluators._datasets.part import Part
from evaluators._errors import DataError
from evaluators._plain_yaml import plain_yaml, unfit_character
from searchspaces import FeatureSchema, Field, Kind, SchemaError, did_you_mean

SUFFIXES = (".yaml", ".yml", ".json")
NO_DATA = "none"
"""What a study names where nothing is trained, because candidates are predicted or looked up."""
KEYS = ("name", "fields")
FIELD_KEYS = ("name", "kind", "vocabulary_size", "mean", "std")
MAX_BYTES = 10_000_000
LONGEST_NAME = 200
_KINDS = (Kind.NUMERIC.value, Kind.CATEGORICAL.value)


@dataclass(frozen=True)
class DescribedData(Dataset):
    """A dataset that has a schema and a digest, and no rows. `folder` is the file that describes it."""

    def part(self, name: str) -> Part:
        """Refuses: there are no rows.

        Raises:
            DataError: always.
        """
        return self._refuse(f"part {name!r}")

    def vocabularies(self) -> list[list[str | None]]:
        """Refuses: there are no values.

        Raises:
            DataError: always.
        """
        return self._refuse("a vocabulary")

    def verify(self) -> None:
        """Refuses: there is no content.

        Raises:
            DataError: always.
        """
        self._refuse("its content")

    def _refuse(self, wanted: str) -> NoReturn:
        raise DataError(
            f"{self.folder} describes columns without rows, but {wanted} was asked for; "
            "use the evaluator 'external' or `automl ask`, or describe a table"
        )


def is_description(path: Path) -> bool:
    """Whether the file describes fields and names no table."""
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    try:
        content = _content(path)
    except DataError:
        return False  # a table's description has its own words for that
    return isinstance(content, dict) and "fields" in content and "table" not in content


def read_description(path: Path) -> DescribedData:
    """Opens a description.

    Raises:
        DataError: the file cannot be read, or breaks rules; names every mistake at once.
    """
    content = _content(path)
    if not isinstance(content, dict):
        raise DataError(f"a description maps {' and '.join(KEYS)}, but {path} holds {reprlib.repr(content)}")
    mistakes = list(_mistakes(content))
    if mistakes:
        raise DataError(f"{path} has {len(mistakes)} mistake(s):\n" + "\n".join(f"- {one}" for one in mistakes))
    try:
        schema = FeatureSchema(tuple(map(_field, content["fields"])))
    except SchemaError as error:
        raise DataError(f"{path} describes no schema: {error}") from error
    name = content.get("name", path.stem)
    return DescribedData(path, schema, Facts(name, source=f"description {path.name}"), _digest(name, schema), {}, {})


def no_data() -> DescribedData:
    """A description of one number that nobody has."""
    schema = FeatureSchema((Field("nothing", Kind.NUMERIC),))
    facts = Facts(NO_DATA, source="no data: nothing is trained")
    return DescribedData(Path(NO_DATA), schema, facts, _digest(NO_DATA, schema), {}, {})


def _content(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"a description takes at most {MAX_BYTES} bytes, but {path} has {path.stat().st_size}")
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else plain_yaml(text)
    except (OSError, ValueError, RecursionError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"a description must be readable YAML or JSON, but {path} is not ({error})") from error


def _field(told: Mapping[str, Any]) -> Field:
    mean, std = float(told.get("mean", 0.0)), float(told.get("std", 1.0))
    return Field(told["name"], Kind(told["kind"]), told.get("vocabulary_size", 0), mean, std)


def _digest(name: str, schema: FeatureSchema) -> str:
    text = json.dumps({"name": name, **schema.to_dict()}, sort_keys=True)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _mistakes(content: Mapping[Any, Any]) -> Iterator[str]:
    for key in content:
        if key not in KEYS:
            yield f"unknown key {reprlib.repr(key)}; {did_you_mean(str(key)[:50], KEYS)}"
    name = content.get("name", "-")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME or unfit_character(name):
        yield f"name must be a text of 1 to {LONGEST_NAME} characters, but is {reprlib.repr(name)}"
    fields = content.get("fields")
    if not isinstance(fields, list) or not fields:
        yield f"fields must be a list of at least one field, but is {reprlib.repr(fields)}"
        return
    for at, field in enumerate(fields):
        yield from (f"fields.{at}: {mistake}" for mistake in _field_mistakes(field))


def _field_mistakes(field: object) -> Iterator[str]:
    if not isinstance(field, dict):
        example = "{name: user, kind: categorical, vocabulary_size: 100}"
        yield f"a field looks like {example}, but is {reprlib.repr(field)}"
        return
    for key in field:
        if key not in FIELD_KEYS:
            yield f"unknown key {reprlib.repr(key)}; {did_you_mean(str(key)[:50], FIELD_KEYS)}"
    if not isinstance(field.get("name"), str) or not field["name"]:
        yield f"name must be a text, but is {reprlib.repr(field.get('name'))}"
    kind = field.get("kind")
    if kind not in _KINDS:
        yield f"kind must be {' or '.join(_KINDS)}, but is {reprlib.repr(kind)}"
    yield from _number_mistakes(field)


def _number_mistakes(field: Mapping[Any, Any]) -> Iterator[str]:
    size = field.get("vocabulary_size", 0)
    if type(size) is not int or not 0 <= size < 2**31:
        yield f"vocabulary_size must be a whole number from 1 to {2**31 - 1}, but is {reprlib.repr(size)}"
    elif field.get("kind") == Kind.CATEGORICAL and size < 1:
        yield f"a categorical field needs its vocabulary_size, out-of-vocabulary id included, but has {size}"
    for key, default in (("mean", 0.0), ("std", 1.0)):
        value = field.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
            yield f"{key} must be a finite number, but is {reprlib.repr(value)}"
        elif key == "std" and value <= 0:
            yield f"std must be more than zero, but is {value!r}"
