from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch
from numpy.typing import NDArray
from ruamel.yaml.representer import RepresenterError
from safetensors.torch import load_file, save_file

from automl._errors import ExportError
from automl.export import (
    Weights,
    Winner,
    predict,
    read_weights,
    read_winner,
    winner_document,
    write_weights,
    write_winner,
)
from automl.export.prediction import load_model
from evaluators import Evaluation, Metric, Suggestion, Trial, TrialState
from evaluators._datasets import Dataset, open_dataset
from searchspaces import Architecture, Candidate, FeatureSchema, Node, Options, canonical
from searchspaces.build import build
from searchspaces.cost import cost
from storage import StudyRecord

RECORD = StudyRecord("uid-1", "demo", 3, "clicks:ne+flops", {}, 0.0)
CREATED = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
ARCHITECTURE = Architecture(
    (
        Node("numeric"),
        Node("full", (), Options(dim=4)),
        Node("mlp", (0, 1), Options(width=8)),
        Node("fm", (1,)),
        Node("logit", (2, 3)),
    )
)
ROWS = 60


def write_source(folder: Path, parts: tuple[str, ...] = ("train", "valid", "test")) -> Path:
    """A small folder with `fields.json`: values that look like other types, a missing one, non-ASCII text."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    kinds = {"age": "dense", "city": "categorical", "code": "categorical"}
    (folder / "fields.json").write_text(json.dumps({name: {"kind": kind} for name, kind in kinds.items()}))
    for part in parts:
        frame = pl.DataFrame(
            {
                "age": rng.lognormal(size=ROWS),
                "city": rng.choice(["Zürich", "北京", "no", ""], ROWS).tolist(),
                "code": [None if number % 7 == 0 else str(number % 5) for number in range(ROWS)],
                "label": (np.arange(ROWS) % 3 == 0).astype(np.int64),
            }
        )
        frame.write_parquet(folder / f"{part}.parquet")
    return folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AUTOML_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    return open_dataset(write_source(tmp_path / "clicks"))


def trial(candidate: Candidate | None = None) -> Trial:
    chosen = candidate or Candidate(ARCHITECTURE, Options(learning_rate=3e-4))
    evaluation = Evaluation({"ne": Metric(0.9, 1e-3), "flops": Metric(1e16)})
    return Trial(7, "search", Suggestion(chosen), TrialState.COMPLETE, evaluation)


def document(dataset: Dataset, one: Trial | None = None, training: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return winner_document(
        RECORD,
        one or trial(),
        dataset={"name": dataset.name, "digest": dataset.digest},
        schema=dataset.schema,
        training={"passes": 1, "learning_rate": 1e-3, "rows": 20_000} if training is None else training,
        created=CREATED,
    )


@pytest.fixture
def path(dataset: Dataset, tmp_path: Path) -> Path:
    return write_winner(tmp_path / "winner.yaml", document(dataset))


def edit(path: Path, change: Callable[[str], str]) -> Path:
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return path


def test_a_winner_comes_back_as_it_was_written(path: Path, dataset: Dataset) -> None:
    winner = read_winner(path)
    assert winner.schema == dataset.schema
    assert winner.architecture == canonical(ARCHITECTURE)
    assert winner.measured == {"ne": Metric(0.9, 1e-3), "flops": Metric(1e16)}
    expected = cost(ARCHITECTURE, dataset.schema)
    assert (winner.parameters, winner.macs) == (expected.parameters, expected.macs)


def test_the_candidates_settings_override_the_evaluators_and_the_fidelity_stays_out(path: Path) -> None:
    assert read_winner(path).training == {"passes": 1, "learning_rate": 3e-4}


def test_a_winner_says_where_it_comes_from(path: Path, dataset: Dataset) -> None:
    provenance = dict(read_winner(path).provenance)
    versions = provenance.pop("versions")
    assert set(versions) == {"ctr-automl", "torch", "python"}
    assert provenance == {
        "study": {"name": "demo", "uid": "uid-1", "seed": 3},
        "trial": 7,
        "fingerprint": trial().candidate.fingerprint,
        "architecture_fingerprint": Candidate(ARCHITECTURE).fingerprint,
        "dataset": "clicks",
        "data_digest": dataset.digest,
        "schema_digest": dataset.schema.digest,
        "created": "2030-01-02T03:04:05+00:00",
    }


def test_nodes_and_fields_stand_on_one_line_each(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert "  - {block: mlp, inputs: [0, 1], options: {width: 8}}" in lines
    assert sum(line.lstrip().startswith("- {name: ") for line in lines) == 3
    assert lines[0] == "format_version: 1"


@pytest.mark.parametrize("name", ["no", "1e-3", "null", "0x1f", "a: b", "- x", "2030-01-02", "Zürich\n", "~", "'\""])
def test_names_that_look_like_other_values_stay_names(dataset: Dataset, tmp_path: Path, name: str) -> None:
    fields = (replace(dataset.schema.fields[0], name=name), *dataset.schema.fields[1:])
    content = document(replace(dataset, schema=FeatureSchema(fields)))
    assert read_winner(write_winner(tmp_path / "w.yaml", content)).schema.fields[0].name == name


def test_a_hash_cap_of_the_candidate_caps_the_model(dataset: Dataset, tmp_path: Path) -> None:
    capped = trial(Candidate(ARCHITECTURE, Options(hash_cap=2)))
    winner = read_winner(write_winner(tmp_path / "w.yaml", document(dataset, capped)))
    assert winner.schema == dataset.schema
    assert winner.parameters == cost(ARCHITECTURE, dataset.schema.capped(2)).parameters


def test_dead_blocks_are_not_exported(dataset: Dataset) -> None:
    dead = Architecture((Node("full", (), Options(dim=4)), Node("numeric"), Node("logit", (1,))))
    blocks = [node["block"] for node in document(dataset, trial(Candidate(dead)))["architecture"]["nodes"]]
    assert blocks == ["numeric", "logit"]


def test_a_candidate_without_an_architecture_is_not_exported(dataset: Dataset) -> None:
    with pytest.raises(ExportError, match="only an architecture can be exported, but trial 7 has none"):
        document(dataset, trial(Candidate()))


def test_an_export_without_the_datas_digest_is_refused(dataset: Dataset) -> None:
    with pytest.raises(ExportError, match="a winner file names its data, but the dataset's digest is missing"):
        document(replace(dataset, digest=""))


def test_a_missing_winner_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no winner file at .*w\.yaml; `automl export STUDY --best"):
        read_winner(tmp_path / "w.yaml")


def test_a_folder_is_no_winner_file(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"the winner file .* cannot be read"):
        read_winner(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", r"line 1, column 6: not YAML"),
        ("a: 1\na: 2", r"not YAML \(found duplicate key"),
        ("a: !!python/object:os.system 1", r"not YAML \(could not determine a constructor"),
        ("- 1", "a winner file holds a mapping, but .* holds list"),
        ("kind: other", "has kind 'other'; `automl export` writes winner files"),
        ("kind: ctr-automl winner\nformat_version: 2", "reads winner files of format version 1, but .* has 2"),
        ("kind: ctr-automl winner\nformat_version: 1", "the file has no 'schema'; no 'architecture'"),
    ],
)
def test_what_is_no_winner_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "w.yaml"
    file.write_text(text)
    with pytest.raises(ExportError, match=message):
        read_winner(file)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("training:", "trainign:", "unknown key 'trainign'; did you mean 'training'\\? \\(known: .*\\); no 'training'"),
        ("macs:", "mac:", "'cost' has unknown key 'mac'; did you mean 'macs'"),
        ("data_digest:", "digest:", "'provenance' has unknown key 'digest'.*no 'data_digest'"),
        ("block: mlp", "blok: mlp", "'architecture' is malformed: node 3 must be an object with a 'block' name"),
        ("block: mlp", "block: mpl", "the architecture does not fit the schema: .*'mpl'.*did you mean 'mlp'"),
        ("inputs: [2, 3]", "inputs: [2, 9]", "'architecture' is malformed: inputs must point to earlier nodes"),
        ("kind: numeric", "kind: word", "'schema' is malformed: a field must have name, kind"),
        ("value: 0.9", "value: .nan", "'measured' is malformed: a metric must be finite"),
        ("  passes: 1", "  passes: {a: 1}", "'training' is malformed: an option must be"),
        ("  passes: 1", "  hash_cap: few", "'hash_cap' must be a whole number of at least 1, but is 'few'"),
        ("measured:", "measured: 3\nrest:", "unknown key 'rest'"),
        (
            "training:\n  passes: 1\n  learning_rate: 0.0003\n",
            "training: 3\n",
            "'training' must be a mapping, but is int",
        ),
    ],
)
def test_a_malformed_winner_file_names_its_mistake(path: Path, old: str, new: str, message: str) -> None:
    assert old in path.read_text(encoding="utf-8")
    with pytest.raises(ExportError, match=message):
        read_winner(edit(path, lambda text: text.replace(old, new, 1)))


def test_a_parameter_count_that_does_not_match_is_refused_with_both_counts(path: Path, dataset: Dataset) -> None:
    stated = cost(ARCHITECTURE, dataset.schema).parameters
    wider = Architecture((*ARCHITECTURE.nodes[:2], Node("mlp", (0, 1), Options(width=9)), *ARCHITECTURE.nodes[3:]))
    actual = cost(wider, dataset.schema).parameters
    with pytest.raises(ExportError, match=rf"states {stated} and they give {actual}; most likely .* edited by hand"):
        read_winner(edit(path, lambda text: text.replace("width: 8", "width: 9")))


def test_a_mac_count_that_does_not_match_is_refused(path: Path, dataset: Dataset) -> None:
    macs = cost(ARCHITECTURE, dataset.schema).macs
    with pytest.raises(ExportError, match=f"MAC count must be .* states 1 and they give {macs}"):
        read_winner(edit(path, lambda text: text.replace(f"macs: {macs}", "macs: 1")))


def test_an_architecture_of_another_fingerprint_is_refused_with_both(path: Path) -> None:
    stated, found = Candidate(ARCHITECTURE).fingerprint, read_winner(path).fingerprint
    assert stated == found
    other = stated[:-4] + "beef"
    with pytest.raises(
        ExportError, match=rf"must be that of its architecture, but .* states '{other}' and it has '{found}'"
    ):
        read_winner(
            edit(
                path,
                lambda text: text.replace(f"architecture_fingerprint: {stated}", f"architecture_fingerprint: {other}"),
            )
        )


def test_an_edit_that_keeps_the_cost_is_refused_by_the_fingerprint(dataset: Dataset, tmp_path: Path) -> None:
    layer = Options(width=4)
    chain = (Node("numeric"), Node("mlp", (0,), layer), Node("mlp", (1,), layer), Node("mlp", (2,), layer))
    candidate = Candidate(Architecture((*chain, Node("logit", (2, 3)))))
    file = write_winner(tmp_path / "w.yaml", document(dataset, trial(candidate)))
    with pytest.raises(ExportError, match="architecture_fingerprint must be that of its architecture"):
        read_winner(edit(file, lambda text: text.replace("inputs: [2], ", "inputs: [1], ")))


def test_a_winner_file_of_absurd_size_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "w.yaml"
    with file.open("wb") as stream:
        stream.truncate(20_000_001)
    with pytest.raises(ExportError, match="at most 20000000 bytes"):
        read_winner(file)


def test_a_place_that_cannot_be_written_is_named(path: Path, dataset: Dataset) -> None:
    with pytest.raises(ExportError, match=r"w\.yaml cannot be written \(.*name another place with --out"):
        write_winner(path / "w.yaml", document(dataset))


def test_a_write_that_breaks_off_leaves_the_old_file(path: Path, dataset: Dataset) -> None:
    before = path.read_text(encoding="utf-8")
    content = {**document(dataset), "training": {"bad": object()}}
    with pytest.raises(RepresenterError):
        write_winner(path, content)
    assert path.read_text(encoding="utf-8") == before
    assert not list(path.parent.glob(".*"))


@pytest.fixture
def winner(path: Path) -> Winner:
    return read_winner(path)


@pytest.fixture
def model(winner: Winner) -> torch.nn.Module:
    return build(winner.architecture, winner.model_schema, seed=5).eval()


@pytest.fixture
def weights_file(tmp_path: Path, winner: Winner, model: torch.nn.Module, dataset: Dataset) -> Path:
    return write_weights(tmp_path / "w.safetensors", model, winner=winner, vocabularies=dataset.vocabularies())


@pytest.fixture
def weights(weights_file: Path) -> Weights:
    return read_weights(weights_file)


def probabilities_of(model: torch.nn.Module, folder: Path, part: str) -> NDArray[np.float64]:
    """Straight from the prepared arrays of the test part, past every door."""
    numeric = torch.from_numpy(np.load(folder / part / "numeric.npy"))
    categorical = torch.from_numpy(np.load(folder / part / "categorical.npy").astype(np.int64))
    with torch.no_grad():
        found: NDArray[np.float64] = torch.sigmoid(model(numeric, categorical).double()).numpy()
    return found


def test_weights_come_back_bit_by_bit(weights: Weights, model: torch.nn.Module, dataset: Dataset) -> None:
    state = model.state_dict()
    assert set(weights.state) == set(state)
    assert all(torch.equal(weights.state[name], state[name]) for name in state)
    assert [list(values) for values in weights.vocabularies] == dataset.vocabularies()


def test_an_empty_text_and_a_missing_value_stay_apart(weights: Weights) -> None:
    assert "" in weights.vocabularies[0]
    assert None not in weights.vocabularies[0]
    assert None in weights.vocabularies[1]


def test_prepared_data_is_scored_as_the_model_itself_does(
    winner: Winner, weights: Weights, model: torch.nn.Module, dataset: Dataset
) -> None:
    probabilities, labels = predict(winner, weights, dataset.folder)
    assert probabilities == pytest.approx(probabilities_of(model, dataset.folder, "test"), abs=1e-6)
    assert labels is not None
    assert labels.tolist() == (np.arange(ROWS) % 3 == 0).tolist()


def test_scoring_the_test_part_of_prepared_data_is_on_record(
    winner: Winner, weights: Weights, dataset: Dataset, home: Path
) -> None:
    predict(winner, weights, dataset.folder, part="valid")
    assert not (home / "test_openings.jsonl").exists()
    predict(winner, weights, dataset.folder)
    assert (home / "test_openings.jsonl").read_text().count(dataset.digest) == 1


def test_a_source_with_a_test_part_alone_gets_the_same_scores(
    winner: Winner, weights: Weights, dataset: Dataset, tmp_path: Path
) -> None:
    alone = write_source(tmp_path / "alone")
    for part in ("train", "valid"):
        (alone / f"{part}.parquet").unlink()
    probabilities, _ = predict(winner, weights, alone)
    assert probabilities == pytest.approx(predict(winner, weights, dataset.folder)[0])


def test_a_csv_without_labels_gets_the_same_scores_and_no_record(
    winner: Winner, weights: Weights, dataset: Dataset, tmp_path: Path, home: Path
) -> None:
    rows = pl.read_parquet(tmp_path / "clicks" / "test.parquet").drop("label")
    rows.write_csv(tmp_path / "rows.csv", quote_style="non_numeric")
    probabilities, labels = predict(winner, weights, tmp_path / "rows.csv")
    assert labels is None
    assert not (home / "test_openings.jsonl").exists()
    assert probabilities == pytest.approx(predict(winner, weights, dataset.folder)[0])


def test_the_two_files_are_enough(weights_file: Path, path: Path, dataset: Dataset, tmp_path: Path) -> None:
    expected, _ = predict(read_winner(path), read_weights(weights_file), dataset.folder, part="valid")
    source = tmp_path / "clicks"
    dataset.folder.rename(tmp_path / "gone")
    found, _ = predict(read_winner(path), read_weights(weights_file), source, part="valid")
    assert found == pytest.approx(expected)


def test_prepared_data_of_another_digest_is_refused_with_the_way_out(
    winner: Winner, weights: Weights, dataset: Dataset
) -> None:
    other = replace(weights, data_digest="sha256:0")
    with pytest.raises(
        ExportError, match=r"trained on \(sha256:0\).*give the source that it was prepared from instead"
    ):
        predict(winner, other, dataset.folder)


def test_weights_of_another_architecture_are_refused(winner: Winner, weights: Weights, dataset: Dataset) -> None:
    other = replace(winner, architecture=Architecture((Node("numeric"), Node("logit", (0,)))))
    with pytest.raises(ExportError, match="weights must belong to the winner's architecture"):
        predict(other, weights, dataset.folder)


def test_weights_of_another_schema_are_refused(winner: Winner, weights: Weights, dataset: Dataset) -> None:
    other = replace(winner, schema=FeatureSchema(winner.schema.fields[:2]))
    with pytest.raises(ExportError, match="weights must belong to the winner's schema"):
        predict(other, weights, dataset.folder)


def test_a_missing_tensor_is_named(winner: Winner, weights: Weights) -> None:
    name = next(iter(weights.state))
    rest = {key: tensor for key, tensor in weights.state.items() if key != name}
    with pytest.raises(ExportError, match=rf"exactly the tensors of the winner's model.*{name}"):
        load_model(winner, replace(weights, state=rest))


def test_a_vocabulary_too_few_is_refused(winner: Winner, model: torch.nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="the schema has 2 such fields and there are 1 vocabularies"):
        write_weights(tmp_path / "w", model, winner=winner, vocabularies=[["a"]])
    assert not (tmp_path / "w").exists()


def test_a_vocabulary_of_another_size_is_refused(winner: Winner, model: torch.nn.Module, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="field 'city' has 5 ids and 1 values"):
        write_weights(tmp_path / "w", model, winner=winner, vocabularies=[["a"], ["b"]])


def test_missing_weights_say_who_writes_them(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"no weights file at .*; `automl train"):
        read_weights(tmp_path / "none.safetensors")


def test_a_pickle_is_no_weights_file(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "w.pt")
    with pytest.raises(ExportError, match=r"weights are a safetensors file, but .* cannot be read as one"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({}, "has kind None"),
        ({"kind": "ctr-automl weights", "format_version": "9"}, "reads weights of format version 1, but .* has '9'"),
        ({"kind": "ctr-automl weights", "format_version": "1"}, "has no fingerprint, schema_digest, data_digest"),
    ],
)
def test_foreign_metadata_is_refused(tmp_path: Path, metadata: dict[str, str], message: str) -> None:
    save_file({"a": torch.zeros(2)}, tmp_path / "w.safetensors", metadata)
    with pytest.raises(ExportError, match=message):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("change", ["ends", "null"])
def test_damaged_vocabularies_are_refused(weights_file: Path, weights: Weights, change: str) -> None:
    tensors = load_file(weights_file)
    if change == "ends":
        tensors["vocabulary.0.ends"] = tensors["vocabulary.0.ends"] + 1
    else:
        del tensors["vocabulary.1.null"]
    metadata = {
        "kind": "ctr-automl weights",
        "format_version": "1",
        "fingerprint": weights.fingerprint,
        "schema_digest": weights.schema_digest,
        "data_digest": weights.data_digest,
    }
    save_file(tensors, weights_file, metadata)
    with pytest.raises(ExportError, match=r"the vocabularies in .* are damaged"):
        read_weights(weights_file)
