"""What lowering gathers on its way: columns of x and rows ``s = form ∈ cone``. The one mutable object of this floor."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.core.source import Origin
from dpplang.lowering.affine import Affine, Floats, variables

CONE_ORDER = ("zero", "nonneg", "soc", "psd", "exp", "pow")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """``count`` cones of one kind and size: ``form`` is ``[count, dim]``, each row in the cone.

    ``order`` is the matrix order for ``psd``, ``exponents`` the cones' exponents for ``pow``; ``why`` as RowBlock.kind.
    """

    cone: str
    form: Affine
    origin: Origin
    why: str
    order: int = 0
    exponents: Floats | None = None

    @property
    def rows(self) -> int:
        return self.form.size


FIRST_PLACEHOLDER = 1 << 48
"""Beyond every variable: what stands for an expression until that takes its place."""


@dataclass(slots=True)
class Builder:
    n: int = 0
    blocks: list[Block] = field(default_factory=list)
    held: int = 0

    def fresh(self, *shape: int) -> Affine:
        """New scalar variables, as a form of this shape."""
        ids = np.arange(self.n, self.n + prod(shape), dtype=np.int64).reshape(shape)
        self.n += prod(shape)
        return variables(ids)

    def placeholders(self, count: int) -> int:
        """The first of so many numbers that stand for no variable."""
        self.held += count
        return FIRST_PLACEHOLDER + self.held - count

    def add(
        self, cone: str, form: Affine, origin: Origin, why: str, order: int = 0, exponents: Floats | None = None
    ) -> Block:
        """Demand that every row of ``form`` ``[count, dim]`` lie in a cone."""
        if not form.is_finite:
            raise BindError((Diagnostic("BND742", f"a number in {origin} is not finite"),))
        block = Block(cone, form, origin, why, order, exponents)
        if form.size:
            self.blocks.append(block)
        return block

    def zero(self, form: Affine, origin: Origin, why: str) -> Block:
        return self.add("zero", form.reshape(form.size, 1), origin, why)

    def nonneg(self, form: Affine, origin: Origin, why: str) -> Block:
        return self.add("nonneg", form.reshape(form.size, 1), origin, why)


def offsets(blocks: list[Block]) -> tuple[list[Block], dict[int, int]]:
    """Blocks in the order of a program's rows, and the first row of each by ``id``."""
    ordered = [b for cone in CONE_ORDER for b in blocks if b.cone == cone]
    start: dict[int, int] = {}
    row = 0
    for block in ordered:
        start[id(block)] = row
        row += block.rows
    return ordered, start
