"""How what is between sources and output is computed: results agree, the speed depends on machine and models."""

from __future__ import annotations

from enum import StrEnum


class Way(StrEnum):
    """MEMBERWISE: one member after the other. COMPILED: each as machine code. GROUPED: equal blocks of all at once."""

    MEMBERWISE = "memberwise"
    COMPILED = "compiled"
    GROUPED = "grouped"
