"""Malformed winner files, weights and models of the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.end_to_end.malformed.case import (
    Case,
    changed,
    cut,
    dangling,
    dropped,
    edited,
    folder_instead,
    nothing,
    overwritten,
    removed,
    replaced,
    written,
)
from tests.end_to_end.malformed.studies import BOMB

TRAIN = ("train", "winner.yaml", "--data", "data")
PREDICT = ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "table.yaml")
VALID = ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "data", "--part", "valid")
OWN = ("create", "study.yaml", "--set", "baseline=model.json")
TRAINED = (*OWN, "--set", "evaluator={name: train}")
OWN_WINNER = ("create", "study.yaml", "--set", "baseline=winner.yaml")
HUGE = 10**30


def _winner(name: str, *path: str | int, to: object, names: tuple[str, ...] = ("winner.yaml",)) -> Case:
    command = TRAIN if len(name) % 2 else OWN_WINNER
    return Case(f"winner_{name}", edited("winner.yaml", *path, to=to), command, names)


def _model(name: str, *path: str | int, to: object, names: tuple[str, ...]) -> Case:
    return Case(f"model_{name}", edited("model.json", *path, to=to), OWN, names)


def _node(name: str, number: int, key: str, value: object, *names: str) -> Case:
    return _model(name, "architecture", "nodes", number, key, to=value, names=(*names, "node"))


def _many_nodes(content: Any) -> None:
    content["architecture"]["nodes"][2:3] = [{"block": "mlp", "inputs": [0], "options": {"width": 8, "depth": 1}}] * 50


def _cycle(content: Any) -> None:
    content["architecture"]["nodes"][2]["inputs"] = [0, 3]


def _dead_end(content: Any) -> None:
    content["architecture"]["nodes"].append({"block": "mlp", "inputs": [0], "options": {"width": 8}})


CASES: list[Case] = [
    Case("winner_missing", removed("winner.yaml"), TRAIN, ("winner.yaml", "automl export")),
    Case("winner_folder", folder_instead("winner.yaml"), TRAIN, ("winner.yaml",)),
    Case("winner_dangling", dangling("winner.yaml"), OWN_WINNER, ("winner.yaml",)),
    Case("winner_empty", written("winner.yaml", ""), TRAIN, ("winner.yaml",)),
    Case("winner_text", written("winner.yaml", "hello"), TRAIN, ("winner.yaml",)),
    Case("winner_list", written("winner.yaml", "[1, 2]"), OWN_WINNER, ("winner.yaml",)),
    Case("winner_cut", cut("winner.yaml", 700), TRAIN, ("winner.yaml",)),
    Case("winner_cut_own", cut("winner.yaml", 700), OWN_WINNER, ("winner.yaml",)),
    Case("winner_noise", written("winner.yaml", bytes(range(256))), TRAIN, ("winner.yaml",)),
    Case("winner_utf16", written("winner.yaml", "kind: ctr-automl winner".encode("utf-16")), TRAIN, ("winner.yaml",)),
    Case("winner_bomb", written("winner.yaml", BOMB), TRAIN, ("winner.yaml",)),
    Case("winner_bomb_own", written("winner.yaml", BOMB), OWN_WINNER, ("winner.yaml",)),
    Case("winner_own_alias", written("winner.yaml", "kind: &a [*a]\n"), TRAIN, ("winner.yaml",)),
    Case("winner_deep", written("winner.yaml", "kind: " + "[" * 900), TRAIN, ("winner.yaml",)),
    Case(
        "winner_tag", replaced("winner.yaml", "kind: ctr", "kind: !!python/name:os.system ctr"), TRAIN, ("winner.yaml",)
    ),
    Case(
        "winner_weights_instead",
        lambda place: _copy(place, "weights.safetensors", "winner.yaml"),
        TRAIN,
        ("winner.yaml",),
    ),
    Case(
        "winner_study_instead", lambda place: _copy(place, "study.yaml", "winner.yaml"), TRAIN, ("winner.yaml", "kind")
    ),
    Case(
        "winner_study_instead_own",
        lambda place: _copy(place, "study.yaml", "winner.yaml"),
        OWN_WINNER,
        ("winner.yaml", "schema_version"),
    ),
    _winner("version_newer", "format_version", to=2, names=("winner.yaml", "version")),
    _winner("version_text", "format_version", to="one"),
    _winner("kind_other", "kind", to="ctr-automl weights"),
    _winner("kind_list", "kind", to=["ctr-automl winner"]),
    _winner("schema_text", "schema", to="price"),
    _winner("schema_fields_text", "schema", "fields", to="price"),
    _winner("schema_field_text", "schema", "fields", 0, to="price"),
    _winner("schema_no_fields", "schema", "fields", to=[]),
    _winner("schema_size_huge", "schema", "fields", 1, "vocabulary_size", to=2**62),
    _winner("schema_size_text", "schema", "fields", 1, "vocabulary_size", to="ten"),
    _winner("schema_size_other", "schema", "fields", 1, "vocabulary_size", to=77),
    _winner("schema_std_zero", "schema", "fields", 0, "std", to=0.0),
    _winner("schema_std_text", "schema", "fields", 0, "std", to="wide"),
    _winner("schema_mean_list", "schema", "fields", 0, "mean", to=[1]),
    _winner("schema_field_list_key", "schema", "fields", 0, "name", to=["price"]),
    _winner("architecture_null", "architecture", to=None),
    _winner("architecture_list", "architecture", to=[]),
    _winner("architecture_version", "architecture", "version", to=9),
    _winner("nodes_empty", "architecture", "nodes", to=[]),
    _winner("nodes_text", "architecture", "nodes", to="mlp"),
    _winner("node_number", "architecture", "nodes", 0, to=3),
    _winner("node_block_unknown", "architecture", "nodes", 0, "block", to="numerics"),
    _winner("node_block_path", "architecture", "nodes", 0, "block", to="../../os"),
    _winner("node_input_forward", "architecture", "nodes", 2, "inputs", to=[99]),
    _winner("node_input_negative", "architecture", "nodes", 2, "inputs", to=[-1]),
    _winner("node_input_text", "architecture", "nodes", 2, "inputs", to=["0"]),
    _winner("node_option_unknown", "architecture", "nodes", 2, "options", to={"widht": 8}),
    _winner("node_width_huge", "architecture", "nodes", 2, "options", to={"width": 2**62}),
    _winner("node_option_mapping", "architecture", "nodes", 2, "options", to={"width": {"a": 1}}),
    _winner("training_text", "training", to="fast"),
    _winner("training_list_value", "training", "learning_rate", to={"a": 1}),
    Case("winner_training_key", edited("winner.yaml", "training", "learning_rat", to=0.1), TRAIN, ("learning_rat",)),
    _winner("training_rate_text", "training", "learning_rate", to="fast"),
    _winner("training_rate_infinite", "training", "learning_rate", to=float("inf")),
    _winner("training_cap_text", "training", "hash_cap", to="ten"),
    _winner("training_cap_zero", "training", "hash_cap", to=0),
    _winner("training_batch_zero", "training", "batch_size", to=0),
    _winner("measured_list", "measured", to=[]),
    _winner("measured_text", "measured", "ne", to="low"),
    _winner("measured_value_text", "measured", "ne", "value", to="low"),
    _winner("measured_key", "measured", "ne", "vlaue", to=1),
    _winner("cost_list", "cost", to=[]),
    _winner("cost_other", "cost", "parameters", to=17, names=("winner.yaml", "17")),
    _winner("cost_text", "cost", "parameters", to="few"),
    _winner("cost_macs", "cost", "macs", to=1, names=("winner.yaml", "MAC")),
    _winner("cost_key", "cost", "params", to=1, names=("winner.yaml", "params")),
    _winner("provenance_text", "provenance", to="mine"),
    _winner(
        "fingerprint_other",
        "provenance",
        "architecture_fingerprint",
        to="sha256:0",
        names=("architecture_fingerprint",),
    ),
    _winner("fingerprint_number", "provenance", "architecture_fingerprint", to=7),
    _winner("top_key", "extra", to=1, names=("extra",)),
    *(
        Case(f"winner_without_{key}", dropped("winner.yaml", key), TRAIN, ("winner.yaml", key.rpartition("_")[2]))
        for key in ("format_version", "kind", "schema", "architecture", "training", "measured", "cost", "provenance")
    ),
    Case("winner_of_other_fields", edited("data/schema.json", "fields", 0, "name", to="prize"), TRAIN, ("price",)),
    Case("winner_train_data_missing", nothing, ("train", "winner.yaml", "--data", "nowhere"), ("nowhere",)),
    Case("winner_train_device", nothing, (*TRAIN, "--device", "tpu"), ("tpu",)),
    Case("winner_train_cuda_number", nothing, (*TRAIN, "--device", "cuda:99"), ("cuda",)),
    Case("winner_train_no_seeds", nothing, (*TRAIN, "--seeds", "0"), ("--seeds",)),
    Case("winner_train_negative_seed", nothing, (*TRAIN, "--seed", "-1"), ("--seed",)),
    Case("weights_missing", removed("weights.safetensors"), PREDICT, ("weights.safetensors",)),
    Case("weights_empty", written("weights.safetensors", b""), PREDICT, ("weights.safetensors",)),
    Case("weights_text", written("weights.safetensors", "no weights"), PREDICT, ("weights.safetensors",)),
    Case("weights_cut", cut("weights.safetensors", -100), PREDICT, ("weights.safetensors",)),
    Case("weights_header_huge", overwritten("weights.safetensors", 0, b"\xff" * 8), PREDICT, ("weights.safetensors",)),
    Case(
        "weights_header_noise", overwritten("weights.safetensors", 8, b"\xff" * 30), PREDICT, ("weights.safetensors",)
    ),
    Case("weights_folder", folder_instead("weights.safetensors"), PREDICT, ("weights.safetensors",)),
    Case(
        "weights_winner_instead",
        lambda place: _copy(place, "winner.yaml", "weights.safetensors"),
        PREDICT,
        ("weights.safetensors",),
    ),
    Case("weights_of_no_kind", lambda place: _plain_tensors(place), PREDICT, ("weights.safetensors", "kind")),
    Case(
        "weights_of_other_version",
        lambda place: _metadata(place, format_version="9"),
        PREDICT,
        ("weights.safetensors", "9"),
    ),
    Case("weights_of_other_model", lambda place: _metadata(place, fingerprint="sha256:0"), PREDICT, ("sha256:0",)),
    Case("weights_lack_a_tensor", lambda place: _tensors(place, "model."), PREDICT, ("tensors",)),
    Case(
        "weights_lack_a_vocabulary",
        lambda place: _tensors(place, "vocabulary.0.text"),
        PREDICT,
        ("weights.safetensors", "vocabular"),
    ),
    Case(
        "weights_of_odd_vocabulary",
        lambda place: _odd(place, "vocabulary.0.ends"),
        PREDICT,
        ("weights.safetensors", "vocabular"),
    ),
    Case(
        "weights_of_noise_vocabulary",
        lambda place: _odd(place, "vocabulary.0.text"),
        PREDICT,
        ("weights.safetensors", "vocabular"),
    ),
    Case(
        "weights_of_numberless_vocabulary",
        lambda place: _renamed(place, "vocabulary.0.text", "vocabulary.x.text"),
        PREDICT,
        ("weights.safetensors", "vocabular"),
    ),
    Case("weights_not_finite", lambda place: _not_finite(place), PREDICT, ("weights.safetensors", "finite")),
    Case("predict_part_unknown", nothing, (*PREDICT, "--part", "tset"), ("tset",)),
    Case("predict_data_missing", nothing, (*PREDICT[:-1], "nowhere"), ("nowhere",)),
    Case("predict_other_fields", nothing, (*PREDICT[:-1], "fields"), ("price",)),
    Case("predict_table_without_column", edited("table.yaml", "categorical", to=["user"]), PREDICT, ("item",)),
    Case(
        "predict_table_latin1",
        written("table.yaml", "table: caf\u00e9.csv".encode("latin-1")),
        PREDICT,
        ("table.yaml",),
    ),
    Case("predict_csv_empty", written("clicks.csv", ""), (*PREDICT[:-1], "clicks.csv"), ("clicks.csv",)),
    Case("predict_device", nothing, (*PREDICT, "--device", "gpu"), ("gpu",)),
    Case("predict_out_below_a_file", nothing, (*VALID, "--out", "clicks.csv/scores.csv"), ("clicks.csv",)),
    Case("predict_out_folder", nothing, (*VALID, "--out", "fields"), ("fields",)),
    Case("model_missing", removed("model.json"), OWN, ("model.json",)),
    Case("model_folder", folder_instead("model.json"), OWN, ("model.json",)),
    Case("model_empty", written("model.json", ""), OWN, ("model.json",)),
    Case("model_cut", cut("model.json", 120), OWN, ("model.json",)),
    Case("model_list", written("model.json", "[]"), OWN, ("model.json",)),
    Case("model_noise", written("model.json", bytes(range(256))), OWN, ("model.json",)),
    Case("model_bomb", written("model.json", BOMB + "architecture: *i\n"), OWN, ("model.json",)),
    Case("model_deep", written("model.json", '{"architecture": ' + "[" * 900), OWN, ("model.json",)),
    Case("model_cycle", changed("model.json", _cycle), OWN, ("model.json", "earlier nodes")),
    Case("model_dead_end", changed("model.json", _dead_end), OWN, ("model.json", "logit")),
    Case("model_many_wrong_nodes", changed("model.json", _many_nodes), OWN, ("model.json", "depth")),
    Case("model_without_architecture", dropped("model.json", "architecture"), OWN, ("model.json", "architecture")),
    _model("architecture_list", "architecture", to=[], names=("architecture",)),
    _model("architecture_text", "architecture", to="mlp", names=("architecture",)),
    _model("version_missing", "architecture", "version", to=None, names=("version",)),
    _model("version_text", "architecture", "version", to="1", names=("version",)),
    _model("nodes_mapping", "architecture", "nodes", to={}, names=("nodes",)),
    _model("nodes_empty", "architecture", "nodes", to=[], names=("nodes",)),
    _model("one_source", "architecture", "nodes", to=[{"block": "numeric"}], names=("numeric",)),
    _model("training_list", "training", to=[], names=("training",)),
    Case("model_training_key", edited("model.json", "training", "learning_rat", to=0.1), TRAINED, ("learning_rat",)),
    Case("model_training_rate", edited("model.json", "training", "learning_rate", to="fast"), TRAINED, ("rate",)),
    _model("training_nested", "training", "learning_rate", to={"a": [1]}, names=("learning_rate",)),
    _model("system_text", "system", to="fast", names=("system",)),
    _model("unknown_key", "architectur", to={}, names=("architectur",)),
    _node("block_unknown", 2, "block", "attention", "attention"),
    _node("block_number", 2, "block", 5),
    _node("block_null", 2, "block", None),
    _node("block_private", 2, "block", "_mlp", "_mlp"),
    _node("block_dotted", 2, "block", "os.path", "os.path"),
    _node("block_source_with_inputs", 2, "block", "full", "full"),
    _node("block_without_inputs", 2, "inputs", [], "mlp"),
    _node("input_itself", 2, "inputs", [2], "2"),
    _node("input_negative", 2, "inputs", [-1], "-1"),
    _node("input_fraction", 2, "inputs", [0.5], "0.5"),
    _node("input_boolean", 2, "inputs", [True], "True"),
    _node("input_text", 2, "inputs", "0", "'0'"),
    _node("input_huge", 2, "inputs", [2**62]),
    _node("options_list", 2, "options", [8], "options"),
    _node("options_missing", 2, "options", {}, "width"),
    _node("options_unknown", 2, "options", {"width": 8, "depth": 2}, "depth"),
    _node("width_zero", 2, "options", {"width": 0}, "width"),
    _node("width_text", 2, "options", {"width": "wide"}, "width"),
    _node("width_boolean", 2, "options", {"width": True}, "width"),
    _node("width_fraction", 2, "options", {"width": 8.5}, "width"),
    _node("width_huge", 2, "options", {"width": 2**40}, "width"),
    _node("widths_and_width", 2, "options", {"width": 8, "widths": [8]}, "width"),
    _node("widths_empty", 2, "options", {"widths": []}, "widths"),
    _node("dropout_one", 2, "options", {"width": 8, "dropout": 1.0}, "dropout"),
    _node("ports_short", 2, "options", {"width": 8, "ports": ["a"]}, "ports"),
    _node("option_null", 2, "options", {"width": None}, "width"),
    _node("dim_zero", 1, "options", {"dim": 0}, "dim"),
    _node("dim_huge", 1, "options", {"dim": 2**62}, "dim"),
    _node("logit_with_options", 3, "options", {"width": 2}, "width"),
]


def _copy(place: Path, source: str, target: str) -> None:
    (place / target).write_bytes((place / source).read_bytes())


def _load(place: Path) -> tuple[dict[str, Any], dict[str, str]]:
    from safetensors import safe_open

    with safe_open(place / "weights.safetensors", framework="pt") as opened:
        return {name: opened.get_tensor(name) for name in opened.keys()}, opened.metadata()  # noqa: SIM118


def _save(place: Path, tensors: dict[str, Any], metadata: dict[str, str] | None) -> None:
    from safetensors.torch import save_file

    save_file(tensors, place / "weights.safetensors", metadata)


def _metadata(place: Path, **changes: str) -> None:
    tensors, metadata = _load(place)
    _save(place, tensors, {**metadata, **changes})


def _plain_tensors(place: Path) -> None:
    tensors, _ = _load(place)
    _save(place, tensors, None)


def _tensors(place: Path, without: str) -> None:
    tensors, metadata = _load(place)
    gone = next(name for name in tensors if name.startswith(without))
    _save(place, {name: one for name, one in tensors.items() if name != gone}, metadata)


def _odd(place: Path, name: str) -> None:
    tensors, metadata = _load(place)
    tensors[name] = tensors[name].flip(0).contiguous() if name.endswith("ends") else tensors[name] * 0 + 255
    _save(place, tensors, metadata)


def _not_finite(place: Path) -> None:
    tensors, metadata = _load(place)
    name = next(name for name, one in tensors.items() if one.is_floating_point())
    _save(place, {**tensors, name: tensors[name] / 0}, metadata)


def _renamed(place: Path, old: str, new: str) -> None:
    tensors, metadata = _load(place)
    tensors[new] = tensors.pop(old)
    _save(place, tensors, metadata)
