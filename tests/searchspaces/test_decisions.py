"""Decisions and their conditions."""

from searchspaces import Condition, InputChoice, WidthChoice


def test_a_decision_without_condition_always_counts() -> None:
    assert InputChoice("block1.dense", (False, True)).counts({})


def test_a_condition_looks_at_another_slot() -> None:
    width = WidthChoice("block1.width", (32, 64), Condition("block1.operator", ("mlp", "gate")))
    assert width.counts({"block1.operator": "gate"})
    assert not width.counts({"block1.operator": "fm"})
    assert not width.counts({})
