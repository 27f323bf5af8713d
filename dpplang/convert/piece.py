"""An expression in the making: its syntax, and the shape it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from dpplang.syntax import ast
from dpplang.syntax.walk import children

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """``node`` has the shape ``shape``, in CVXPY's sense and in ours.

    ``spread``: ``node`` is a scalar that stands for every entry, as where CVXPY promotes one. Operators that spread
    scalars take it as it is; for others :meth:`dpplang.convert.tools.Tools.whole` writes it out.
    """

    node: ast.Expr
    shape: Shape
    spread: bool = False

    @property
    def size(self) -> int:
        return prod(self.shape)


class Measure:
    """Nodes and levels of syntax, counted once for each node."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[ast.Node, int, int]] = {}

    def __call__(self, node: ast.Node) -> tuple[int, int]:
        """How many nodes there are in a tree, and how many levels."""
        known = self._known.get(id(node))
        if known is None:
            below = [self(child) for child in children(node)]
            count = 1 + sum(c for c, _ in below)
            known = self._known[id(node)] = (node, count, 1 + max((d for _, d in below), default=0))
        return known[1], known[2]
