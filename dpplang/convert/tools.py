"""What the functions that convert one expression work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.constants import Constants
from dpplang.convert.leaves import Leaves
from dpplang.convert.names import Names
from dpplang.convert.piece import Piece, Shape
from dpplang.convert.refusal import Refusal
from dpplang.syntax import ast


class Tools:
    """The declarations of one program so far, and what is made of shapes.

    Args:
        names: the names given so far. constants, leaves: what is declared. dims: sizes that have names, value → name.
        near: whether a size that is one more or one less than such a size is written by its name, too.
    """

    def __init__(
        self, names: Names, constants: Constants, leaves: Leaves, dims: Mapping[int, str], near: bool = False
    ) -> None:
        self.near = near
        self.names = names
        self.constants = constants
        self.leaves = leaves
        self.dims = dims

    def constant(self, value: Any, wanted: str = "") -> Piece:
        piece = self.constants.piece(value, wanted)
        return Piece(self._sized(piece.node), piece.shape, piece.spread)

    def size(self, value: int) -> ast.Expr:
        """A size, by name if it has one."""
        if value in self.dims:
            return nodes.name(self.dims[value])
        for offset, op in ((1, "+"), (-1, "-")):
            if self.near and value - offset in self.dims:
                return nodes.binary(op, nodes.name(self.dims[value - offset]), nodes.number(1))
        return nodes.number(value)

    def sizes(self, shape: Shape) -> tuple[ast.Expr, ...]:
        return tuple(self.size(n) for n in shape)

    def whole(self, piece: Piece) -> ast.Expr:
        """The syntax of a piece with its shape: a scalar that stands for every entry is written out."""
        if not piece.spread:
            return piece.node
        if piece.size == 1 and piece.shape:
            node = piece.node
            for _ in piece.shape:
                node = nodes.listed([node])
            return node
        if nodes.is_number(piece.node, 0):
            return nodes.call("zeros", *self.sizes(piece.shape))
        return nodes.binary("*", piece.node, nodes.call("ones", *self.sizes(piece.shape)))

    def scalar(self, piece: Piece) -> ast.Expr:
        """The only entry of a piece.

        Raises:
            Refusal: it has several.
        """
        if piece.spread or not piece.shape:
            return piece.node
        if piece.size != 1:
            raise Refusal(f"a scalar was expected, not shape {piece.shape}")
        if isinstance(piece.node, ast.Array) and piece.shape == (1,):
            return piece.node.elements[0]
        return nodes.index(piece.node, *(nodes.number(0) for _ in piece.shape))

    def fitted(self, piece: Piece, shape: Shape) -> Piece:
        """A piece of another shape where CVXPY takes one for the other: one entry stands for any number."""
        if piece.shape == shape:
            return piece
        if piece.size == 1:
            return Piece(self.scalar(piece), shape, spread=bool(shape))
        return self.broadcast(piece, shape)

    def broadcast(self, piece: Piece, shape: Shape) -> Piece:
        """NumPy's broadcasting, written out as products with ones."""
        if piece.spread or piece.size == 1:
            return Piece(self.scalar(piece), shape, spread=bool(shape))
        if piece.shape == shape:
            return piece
        match piece.shape, shape:
            case (m,), (rows, columns) if m == columns:
                node = nodes.call("outer", nodes.call("ones", self.size(rows)), piece.node)
            case (rows, 1), (m, columns) if m == rows:
                node = nodes.binary("@", piece.node, nodes.call("ones", nodes.number(1), self.size(columns)))
            case (1, columns), (rows, m) if m == columns:
                node = nodes.binary("@", nodes.call("ones", self.size(rows), nodes.number(1)), piece.node)
            case _:
                raise Refusal(f"broadcasting {piece.shape} to {shape}", "use matrices instead of higher ranks")
        return Piece(node, shape)

    def vector(self, piece: Piece) -> ast.Expr:
        """All entries as a vector, where their order does not matter."""
        if len(piece.shape) == 1:
            return self.whole(piece)
        if not piece.shape:
            return nodes.listed([piece.node])
        match piece.shape:
            case (_, 1):
                return nodes.index(self.whole(piece), nodes.slice_(), nodes.number(0))
            case (1, _):
                return nodes.index(self.whole(piece), nodes.number(0))
            case _:
                return nodes.call("vec", self.whole(piece))

    def applied(self, function: str, arguments: Sequence[Piece], shape: Shape, **keywords: ast.Expr) -> Piece:
        """A function of whole arguments."""
        return Piece(nodes.call(function, *map(self.whole, arguments), **keywords), shape)

    def _sized(self, node: ast.Expr) -> ast.Expr:
        """``eye`` of a size that has a name."""
        match node:
            case ast.Call(ast.Ident("eye"), (ast.Number(value),)):
                return nodes.call("eye", self.size(int(value)))
            case ast.Binary(op, left, right):
                return nodes.binary(op, left, self._sized(right))
            case _:
                return node
