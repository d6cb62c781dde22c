"""Which input plays which role."""

import pytest

from searchspaces import ArchitectureError, Dense, Options
from searchspaces._ports import ports

TWO = [Dense(1), Dense(2)]


def test_inputs_of_one_port_keep_their_order() -> None:
    found = ports("b", [*TWO, Dense(3)], Options(ports=["y", "x", "y"]), ("x", "y"))
    assert found == {"x": (1,), "y": (0, 2)}


@pytest.mark.parametrize("options", [Options(), Options(ports=["x"]), Options(ports="xy")])
def test_each_input_needs_a_port(options: Options) -> None:
    message = "block 'b' needs the option 'ports' with one of x, y for each of its 2 inputs, but it is"
    with pytest.raises(ArchitectureError, match=message):
        ports("b", TWO, options, ("x", "y"))


def test_an_unknown_port_gets_the_known_ones() -> None:
    with pytest.raises(ArchitectureError, match=r"block 'b' has no port 'gates'; did you mean 'gate'\?"):
        ports("b", TWO, Options(ports=["gates", "value"]), ("value", "gate"))


def test_only_an_optional_port_may_stay_empty() -> None:
    options = Options(ports=["x", "x"])
    assert ports("b", TWO, options, ("x", "y"), optional=("y",)) == {"x": (0, 1), "y": ()}
    with pytest.raises(ArchitectureError, match="block 'b' needs an input at port 'y', but the ports are"):
        ports("b", TWO, options, ("x", "y"))
