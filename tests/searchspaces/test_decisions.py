"""Decisions and their conditions."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from searchspaces import Assignment, Condition, Decision, InputChoice, WidthChoice, count_assignments


def listed(decisions: list[Decision]) -> int:
    """Assignments of exactly the decisions that count, by listing them all."""
    whole = product(*(one.choices for one in decisions))
    return len({tuple(counting(decisions, values).items()) for values in whole})


def counting(decisions: list[Decision], values: tuple[object, ...]) -> Assignment:
    found: dict[str, bool | int | float | str] = {}
    for decision, value in zip(decisions, values, strict=True):
        if decision.counts(found):
            found[decision.slot] = value  # type: ignore[assignment]
    return found


@st.composite
def forests(draw: st.DrawFn) -> list[Decision]:
    decisions: list[Decision] = []
    for at in range(draw(st.integers(1, 5))):
        choices = tuple(range(draw(st.integers(1, 3))))
        on = draw(st.sampled_from([None, *decisions]))
        values = (
            () if on is None else tuple(draw(st.sets(st.integers(0, 3), min_size=1)))
        )  # 3 is no choice: it never holds
        decisions.append(Decision(f"d{at}", choices, Condition(on.slot, values) if on else None))
    return decisions


def test_a_decision_without_condition_always_counts() -> None:
    assert InputChoice("block1.dense", (False, True)).counts({})


def test_a_condition_looks_at_another_slot() -> None:
    width = WidthChoice("block1.width", (32, 64), Condition("block1.operator", ("mlp", "gate")))
    assert width.counts({"block1.operator": "gate"})
    assert not width.counts({"block1.operator": "fm"})
    assert not width.counts({})


@given(forests())
def test_assignments_are_counted_as_listing_them_does(decisions: list[Decision]) -> None:
    assert count_assignments(decisions) == listed(decisions)


def test_a_count_beyond_any_float_is_exact() -> None:
    assert count_assignments([InputChoice(f"edge{at}", (False, True)) for at in range(2000)]) == 2**2000
