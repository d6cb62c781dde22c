"""What flows along an edge: a dense vector or a set of field vectors, per example."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dense:
    """A tensor `[batch, width]`."""

    width: int

    def __str__(self) -> str:
        return f"[{self.width}]"


@dataclass(frozen=True)
class Fields:
    """A tensor `[batch, tokens, dim]`: one vector per field or token."""

    tokens: int
    dim: int

    def __str__(self) -> str:
        return f"[{self.tokens} x {self.dim}]"


Shape = Dense | Fields


@dataclass(frozen=True)
class Cost:
    """Closed-form cost of a block or an architecture, per example in the forward pass.

    `parameters` counts trainable scalars, tables included; `macs` counts multiply-adds of matrix
    products (FLOPs are twice that); `embedding_bytes` counts the tables' fp32 values, `optimizer_bytes` what training
    keeps beside them: row-wise AdaGrad has one fp32 number a row.
    """

    parameters: int = 0
    macs: int = 0
    embedding_bytes: int = 0
    optimizer_bytes: int = 0

    @property
    def flops(self) -> int:
        """Floating point operations: two per multiply-add."""
        return 2 * self.macs

    @property
    def table_bytes(self) -> int:
        """Memory that the tables take while they are trained."""
        return self.embedding_bytes + self.optimizer_bytes

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.parameters + other.parameters,
            self.macs + other.macs,
            self.embedding_bytes + other.embedding_bytes,
            self.optimizer_bytes + other.optimizer_bytes,
        )
