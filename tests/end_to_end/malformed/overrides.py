"""Malformed `--set` arguments and other flags of searches."""

from __future__ import annotations

from tests.end_to_end.malformed.case import Case, nothing


def _set(name: str, setting: str, *names: str, verb: str = "create") -> Case:
    return Case(name, nothing, (verb, "study.yaml", "--set", setting), names)


CASES: list[Case] = [
    _set("no_equals", "budget.trials", "budget.trials", "key=value"),
    _set("only_equals", "=", "key=value"),
    _set("only_value", "=3", "key=value"),
    _set("empty", "", "key=value"),
    _set("unknown_key", "budget.trails=3", "budget.trails"),
    _set("unknown_section", "bugdet.trials=3", "bugdet"),
    _set("empty_part", "budget..trials=3", "budget"),
    _set("leading_dot", ".trials=3", "unknown key"),
    _set("trailing_dot", "budget.=3", "budget"),
    _set("below_a_number", "budget.trials.most=3", "budget.trials"),
    _set("below_a_list", "objectives.0.metric=auc", "objectives"),
    _set("wrong_type", "budget.trials=many", "budget.trials", "many"),
    _set("not_a_number", "budget.seconds=.nan", "budget.seconds"),
    _set("infinite", "budget.seconds=.inf", "budget.seconds"),
    _set("huge", f"budget.trials={'9' * 5000}", "budget.trials"),
    _set("hexadecimal_huge", f"study.seed=0x{'f' * 400}", "64 bits"),
    _set("open_bracket", "objectives=[{metric: ne}", "objectives"),
    _set("open_quote", 'study.name="fresh', "study.name"),
    _set("lines", "study.name=a\nb: c", "study.name"),
    _set("escaped_null", 'study.name="a\\0b"', "study.name"),
    _set("tab", "space=\t{", "space"),
    _set("tag", "space=!!python/name:os.system", "space"),
    _set("alias", "space=*space", "space"),
    _set("whole_section", "space=autoctr", "space", "autoctr"),
    _set("empty_value", "data=", "data"),
    _set("missing_data", "data=elsewhere", "elsewhere"),
    _set("version", "schema_version=2", "schema_version"),
    _set("long_key", "k" * 3000 + "=1", "kkk"),
    _set("deep_key", ".".join("a" * 300) + "=1", "unknown key"),
    _set("escape_character", "study.name=\x1b[31m", "study.name"),
    _set("escape_character_in_key", "\x1b[31m=1", "unknown key"),
    _set("storage_without_scheme", "storage=automl.db", "automl.db"),
    _set("doctor_set", "budget.trials", "key=value", verb="doctor"),
    _set("validate_set", "budget.trials=-1", "budget.trials", verb="validate"),
    Case("trials_text", nothing, ("search", "study.yaml", "--trials", "ten"), ("--trials",)),
    Case("trials_zero", nothing, ("search", "study.yaml", "--trials", "0"), ("budget.trials", "0")),
    Case("seed_negative", nothing, ("search", "study.yaml", "--seed", "-1"), ("study.seed", "-1")),
    Case("seed_huge", nothing, ("search", "study.yaml", "--seed", "9" * 30), ("999",)),
    Case("name_with_slash", nothing, ("search", "study.yaml", "--name", "a/b"), ("study.name", "a/b")),
    Case("name_empty", nothing, ("search", "study.yaml", "--name", ""), ("study.name",)),
    Case("workers_zero", nothing, ("search", "study.yaml", "--workers", "0"), ("--workers",)),
    Case("workers_text", nothing, ("search", "study.yaml", "--workers", "two"), ("--workers",)),
    Case(
        "workers_on_memory",
        nothing,
        ("search", "study.yaml", "--workers", "2", "--storage", "memory://"),
        ("memory://",),
    ),
    Case(
        "ray_nowhere",
        nothing,
        ("search", "study.yaml", "--ray", "not an address", "--storage", "memory://"),
        ("memory://",),
    ),
    Case("resume_zero", nothing, ("resume", "done", "--trials", "0"), ("--trials", "'0'")),
    Case("resume_plus_nothing", nothing, ("resume", "done", "--trials", "+"), ("--trials", "'+'")),
    Case("resume_negative", nothing, ("resume", "done", "--trials", "-5"), ("-5",)),
    Case("resume_digits_of_another_script", nothing, ("resume", "done", "--trials", "\u00b2"), ("--trials",)),
    Case("resume_huge", nothing, ("resume", "done", "--trials", "9" * 5000), ("--trials",)),
    Case("resume_beyond_64_bits", nothing, ("resume", "done", "--trials", "9" * 30), ("--trials",)),
]
