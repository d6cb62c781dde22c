"""The family of errors."""

import searchspaces
from searchspaces._errors import did_you_mean


def test_one_base_catches_every_error_of_the_package() -> None:
    errors = [getattr(searchspaces, name) for name in searchspaces.__all__ if name.endswith("Error")]
    assert len(errors) == 6
    assert all(issubclass(error, searchspaces.SearchSpaceError) for error in errors)


def test_a_hint_names_the_closest_and_all() -> None:
    assert did_you_mean("mpl", ("fm", "mlp")) == "did you mean 'mlp'? (known: fm, mlp)"
    assert did_you_mean("transformer", ("fm", "mlp")) == "(known: fm, mlp)"
    assert did_you_mean("mlp", ()) == "(known: none)"


def test_of_many_known_names_the_first_are_listed() -> None:
    known = [f"column{number:03}" for number in range(1000)]
    assert did_you_mean("zzz", known) == f"(known: {', '.join(known[:20])}, ...)"
