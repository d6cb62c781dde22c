"""Opens prepared data: what a search may see of it, never the test part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluators._datasets.part import PART_NAMES, Part, read_part, stored_part
from evaluators._datasets.schema_content import content_mistakes
from evaluators._datasets.training_statistics import TrainingStatistics
from evaluators._errors import DataError
from searchspaces import FeatureSchema, SchemaError

if TYPE_CHECKING:
    from evaluators._datasets.vocabulary import Vocabulary

FORMAT_VERSION = 1
SCHEMA_FILE = "schema.json"
RESERVED_KINDS = ("bag", "sequence", "weight", "group")


@dataclass(frozen=True)
class Facts:
    """What is known of a dataset beside its columns.

    `split` is the rule that made the parts, `bayes_ne` the normalised entropy of the true probabilities by
    part where they are known, `meanings` a text for each field that has one.
    """

    name: str
    label: str = "label"
    time_column: str | None = None
    split: Mapping[str, Any] | None = None
    minimum_count: int = 1
    bayes_ne: Mapping[str, float] | None = None
    source: str = ""
    licence: str = ""
    meanings: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset. `rows` and `base_rate` are by part; `digest` names its content."""

    folder: Path
    schema: FeatureSchema
    facts: Facts
    digest: str
    rows: Mapping[str, int]
    base_rate: Mapping[str, float]

    @property
    def name(self) -> str:
        """What its source calls it."""
        return self.facts.name

    @property
    def bayes_ne(self) -> Mapping[str, float] | None:
        """Normalised entropy by part of the true probabilities; None where nobody knows them."""
        return self.facts.bayes_ne

    @property
    def vocabulary_files(self) -> tuple[Path, ...]:
        """One parquet file (value, count) per categorical field, in order."""
        return tuple(self.folder / "vocabulary" / f"{n:03}.parquet" for n in range(len(self.schema.categorical)))

    def vocabularies(self) -> list[list[str | None]]:
        """The values of each categorical field; the value at index i has id i + 1, None is the missing value."""
        return [vocabulary.values for vocabulary in self._vocabularies()]

    def part(self, name: str) -> Part:
        """Opens the part `train` or `valid`.

        Raises:
            DataError: another part; the test part opens through `open_test_part` alone, which counts it.
        """
        if name == "test":
            raise DataError(
                "a search must not see the test part, but 'test' was asked for; "
                "take 'valid', or open_test_part, which records the opening"
            )
        if name not in PART_NAMES:
            raise DataError(f"a dataset has the parts 'train' and 'valid', but {name!r} was asked for")
        return self.checked(name, read_part(self.folder, name))

    def checked(self, name: str, part: Part) -> Part:
        """The same part, of which the schema and the rows are what the dataset says.

        Raises:
            DataError: they are not: somebody has edited the folder.
        """
        found = (len(part), part.numeric.shape[1], part.categorical.shape[1])
        told = (self.rows.get(name), len(self.schema.numeric), len(self.schema.categorical))
        if found != told:
            raise DataError(
                f"a part has the rows and fields that {SCHEMA_FILE} names, {told[0]} rows of {told[1]} numeric and "
                f"{told[2]} categorical fields, but the arrays in {self.folder / name} have {found[0]} of {found[1]} "
                f"and {found[2]}; prepare the data again"
            )
        return part

    def verify(self) -> None:
        """Reads everything once and compares it with the digest.

        Raises:
            DataError: the content is not what was prepared.
        """
        from evaluators._datasets.digest import data_digest

        for name in self.rows:
            read_part(self.folder, name)  # refuses what is damaged, by its name
        parts = {name: stored_part(self.folder, name) for name in self.rows}
        found = data_digest(parts, schema=self.schema, vocabularies=self._vocabularies())
        if found != self.digest:
            raise DataError(
                f"prepared data must have the content that {SCHEMA_FILE} names, {self.digest}, but {self.folder} "
                f"has {found}; prepare the data again"
            )

    def _vocabularies(self) -> Iterator[Vocabulary]:
        """One at a time: all of them together may be large."""
        from evaluators._datasets.vocabulary import Vocabulary

        return (Vocabulary.read(file) for file in self.vocabulary_files)


def is_prepared(folder: Path) -> bool:
    """Whether the folder holds prepared data, of whatever version."""
    try:
        return (folder / SCHEMA_FILE).is_file()
    except OSError:  # a name that is too long, or a folder that may not be entered
        return False


def read_dataset(folder: Path) -> Dataset:
    """Opens a prepared folder.

    Raises:
        DataError: it is of another format version, or its schema is damaged.
    """
    path = folder / SCHEMA_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"a prepared folder needs a readable {path} ({error}); prepare the data again") from error
    version = content.get("format_version") if isinstance(content, dict) else None
    if version != FORMAT_VERSION:
        raise DataError(
            f"prepared data must be of format version {FORMAT_VERSION}, but {path} says {version!r}; "
            "prepare the data again"
        )
    wrong = [*content_mistakes(content)]
    try:
        schema = FeatureSchema.from_dict(content)
    except SchemaError as error:
        wrong.append(f"'fields' are none of a schema: {error}")
    if wrong:
        raise DataError(f"{path} lacks or garbles what a dataset needs ({'; '.join(wrong)}); prepare the data again")
    return _from_content(folder, content, schema)


def to_content(dataset: Dataset) -> dict[str, Any]:
    """What `schema.json` holds, JSON types only."""
    facts = dataset.facts
    return {
        "format_version": FORMAT_VERSION,
        "name": facts.name,
        "label": facts.label,
        "fields": dataset.schema.to_dict()["fields"],
        "rows": dict(dataset.rows),
        "base_rate": dict(dataset.base_rate),
        "time_column": facts.time_column,
        "split": dict(facts.split or {}),
        "minimum_count": facts.minimum_count,
        "digest": dataset.digest,
        "bayes_ne": dict(facts.bayes_ne) if facts.bayes_ne is not None else None,
        "source": facts.source,
        "licence": facts.licence,
        "meanings": dict(facts.meanings or {}),
        "reserved_kinds": list(RESERVED_KINDS),
    }


def _from_content(folder: Path, content: Mapping[str, Any], schema: FeatureSchema) -> Dataset:
    facts = Facts(
        name=content["name"],
        label=content["label"],
        time_column=content["time_column"],
        split=content["split"],
        minimum_count=content["minimum_count"],
        bayes_ne=content["bayes_ne"],
        source=content["source"],
        licence=content["licence"],
        meanings=content.get("meanings"),
    )
    known = replace(schema, statistics=TrainingStatistics(folder, schema, content["digest"]))
    return Dataset(folder, known, facts, content["digest"], content["rows"], content["base_rate"])
