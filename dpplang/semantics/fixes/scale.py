"""The factor of a product that is free of variables, and what is written with it."""

from __future__ import annotations

from dataclasses import dataclass

from dpplang.lattice.dims import Shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.fixes.naming import joined
from dpplang.semantics.fixes.rewrite import Rewrite
from dpplang.syntax import ast
from dpplang.syntax.grouping import bare, grouped

PRODUCT, TIGHTER = 2, 3
"""How tightly the left and the right operand of a product bind."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A factor that is free of variables, or a divisor.

    Attributes:
        text: of the factor; of what is divided by, if ``divides``. node: its syntax, to name it after.
        op, on_left: the operator, and the side of it on which the factor stands.
        shape, sign, positive: what is known of its value (the reciprocal's are those of the divisor).
    """

    text: str
    node: ast.Expr
    op: str
    on_left: bool
    shape: Shape
    sign: Sign
    positive: bool
    divides: bool = False

    def times(self, rewrite: Rewrite, other: str, binders: tuple[ast.Binder, ...]) -> str:
        """``scale * other`` or ``other @ scale``, on the side where it stood; a reciprocal is derived first."""
        text = self.text
        if self.divides:
            text = rewrite.derive(joined(self.node, "inv"), f"1 / {grouped(text)}", self.shape, binders)
        if self.on_left:
            return f"{text} {self.op} {grouped(other, TIGHTER)}"
        return f"{grouped(other, PRODUCT)} {self.op} {grouped(text, TIGHTER)}"

    def folded(self, other: str) -> str:
        """``scale * other`` or ``other / divisor``, free of variables."""
        if self.divides:
            return f"{grouped(other, PRODUCT)} / {grouped(self.text)}"
        return f"{grouped(self.text, PRODUCT)} * {grouped(other, TIGHTER)}"

    def rooted(self, other: str) -> str:
        """``sqrt(scale) * other``, free of variables."""
        root = f"sqrt({bare(self.text)})"
        return f"{grouped(other, PRODUCT)} / {root}" if self.divides else f"{root} * {grouped(other, TIGHTER)}"

    @property
    def spreads(self) -> bool:
        """A scalar: it can go anywhere in a product."""
        return self.op == "*" and not self.shape
