"""An expression graph, bottom up and without recursion, every node once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dpplang.convert import nodes
from dpplang.convert.piece import Measure, Piece
from dpplang.convert.refusal import Refusal, shown
from dpplang.convert.sums import rolled
from dpplang.convert.table import AFFINE, INSTEAD, RULES
from dpplang.convert.tools import Tools
from dpplang.core.diagnostics import Diagnostic
from dpplang.syntax import ast

REPEATED = 60
"""Nodes that a shared expression may take in all before it gets a name."""

DEEPEST = 24
"""Levels of an expression before a part of it gets a name."""

FARTHEST = 8
"""Names behind one another before an affine part becomes a variable: the checker looks through names."""

PRODUCTS = frozenset({"MulExpression", "multiply", "DivExpression", "kron", "conv", "convolve"})

DEFINITE = frozenset({"QuadForm", "MatrixFrac"})
"""Whose second argument must be known to be semidefinite."""


PARAMETERS = ("Parameter", "CallbackParam")


@dataclass(frozen=True, slots=True)
class Facts:
    """Whether an expression depends on variables and on parameters, and is affine in the variables."""

    variables: bool
    parameters: bool
    affine: bool = True

    @property
    def constant(self) -> bool:
        return not self.variables and not self.parameters


def _composed(word: str, below: Sequence[Facts]) -> Facts:
    """The facts of an expression of these parts; a product is affine in one factor, a quotient in the first."""
    variables = any(f.variables for f in below)
    factors = sum(f.variables for f in below) if word in PRODUCTS else 0
    affine = word in AFFINE and all(f.affine for f in below) and factors < 2
    return Facts(variables, any(f.parameters for f in below), not variables or affine)


class Walk:
    """Pieces of all expressions of a problem.

    Args:
        tools: declarations and shapes. roots: every expression of the problem, for counting what is shared.

    Attributes:
        lets: names of shared expressions, in an order in which each stands behind what it uses.
        equations: new variables that stand for deep expressions, and what they equal.
        found: what could not be written.
        leaves: the variables and parameters of the problem, in order of first use.
    """

    def __init__(self, tools: Tools, roots: Iterable[Any]) -> None:
        self.tools = tools
        self.lets: list[tuple[str, ast.Expr]] = []
        self.equations: list[ast.Relation] = []
        self.found: list[Diagnostic] = []
        self._measure = Measure()
        self._pieces: dict[int, Piece] = {}
        self._kept: list[Any] = []  # what ids were taken of must live
        self._far: dict[str, int] = {}
        self._uses: dict[int, int] = {}
        self._facts: dict[int, Facts] = {}
        self.leaves: list[Any] = []
        self.survey(list(roots))

    def piece(self, root: Any, where: str) -> Piece:
        """The piece of an expression.

        Args:
            where: how to say in which part of the problem it stands.
        """
        waiting: list[tuple[Any, bool]] = [(root, False)]
        while waiting:
            e, ready = waiting.pop()
            if id(e) in self._pieces:
                continue
            below = [] if self._is_leaf(e) else parts(e)
            if ready or not below:
                self._pieces[id(e)] = self._made(e, below, where)
            else:
                waiting.append((e, True))
                waiting += [(part, False) for part in reversed(below)]
        return self._pieces[id(root)]

    def depends(self, e: Any) -> bool:
        """Whether an expression that was surveyed depends on variables."""
        return self._facts[id(e)].variables

    def survey(self, roots: Sequence[Any]) -> None:
        """Counts who uses what, finds the leaves, and says what depends on them and how.

        CVXPY's own methods visit a shared expression once for each use, and recursively.
        """
        waiting: list[tuple[Any, bool]] = [(root, False) for root in reversed(roots)]
        while waiting:
            e, ready = waiting.pop()
            if ready:
                self._facts[id(e)] = _composed(type(e).__name__, [self._facts[id(part)] for part in parts(e)])
                continue
            self._uses[id(e)] = self._uses.get(id(e), 0) + 1
            if self._uses[id(e)] > 1:
                continue
            self._kept.append(e)
            if parts(e):
                waiting.append((e, True))
                waiting += [(part, False) for part in reversed(parts(e))]
                continue
            word = type(e).__name__
            self._facts[id(e)] = Facts(word == "Variable", word in PARAMETERS)
            if word in ("Variable", *PARAMETERS):
                self.leaves.append(e)
                self.survey([b for b in e.attributes.get("bounds") or () if hasattr(b, "args")])

    def _is_leaf(self, e: Any) -> bool:
        """Whether nothing below is looked at: a leaf, or a constant that is evaluated."""
        if not parts(e) or type(e).__name__ not in RULES:
            return True
        return self._facts[id(e)].constant and type(e).__name__ not in (
            "NegExpression",
            "Promote",
            "transpose",
        )

    def _made(self, e: Any, below: Sequence[Any], where: str) -> Piece:
        try:
            piece = self._constant(e) if not below else self._applied(e, below)
        except Refusal as refusal:
            diagnostic = refusal.at(f"`{shown(e)}`", where)
            if diagnostic not in self.found:
                self.found.append(diagnostic)
            return Piece(nodes.name("x"), tuple(e.shape))
        return self._named(e, Piece(piece.node, tuple(piece.shape), piece.spread)) if below else piece

    def _constant(self, e: Any) -> Piece:
        word = type(e).__name__
        if word in ("Variable", *PARAMETERS):
            return Piece(self.tools.leaves.node(e), tuple(e.shape))
        if not self._facts[id(e)].constant:
            raise self._unknown(e)
        if e.value is None:
            raise Refusal("a constant without a value")
        return self.tools.constant(e.value)

    def _applied(self, e: Any, below: Sequence[Any]) -> Piece:
        word = type(e).__name__
        rule = RULES.get(word)
        if rule is None:
            raise self._unknown(e)
        if word in ("psd_wrap", "nsd_wrap", "nonneg_wrap", "nonpos_wrap") and type(below[0]).__name__ == "Parameter":
            self.tools.leaves.promise(below[0], word.removesuffix("_wrap"))
        args = [self._pieces[id(part)] for part in below]
        if word in DEFINITE and self._facts[id(below[1])].constant:
            args[1] = self.tools.constant(below[1].value, _definite(below[1]))
        return rule(e, args, self.tools)

    def _unknown(self, e: Any) -> Refusal:
        word = type(e).__name__
        return Refusal(f"`{word}` has no counterpart in the language", *([INSTEAD[word]] if word in INSTEAD else ()))

    def _named(self, e: Any, piece: Piece) -> Piece:
        """The piece, or a name for it: where it is shared, or deep."""
        if not piece.shape and isinstance(piece.node, ast.Binary):
            piece = Piece(rolled(piece.node, self.tools), piece.shape)
        nodes_, depth = self._measure(piece.node)
        uses = self._uses.get(id(e), 1)
        given = self.tools.names.given(e)
        shared = uses > 1 and nodes_ > 4 and (nodes_ * uses > REPEATED or given is not None)
        if not (shared or depth > DEEPEST) or isinstance(piece.node, ast.Name):
            return piece
        far = 1 + max((self._far.get(n, 0) for n in _names_in(piece.node)), default=0)
        if far > FARTHEST and self._facts[id(e)].affine and self.depends(e):
            word = self.tools.leaves.fresh(piece.shape)
            self.equations.append(nodes.relation("==", nodes.name(word), piece.node))
            return Piece(nodes.name(word), piece.shape)
        word = self.tools.names.for_(e, None, "e")
        self._far[word] = far
        self.lets.append((word, piece.node))
        return Piece(nodes.name(word), piece.shape, piece.spread)


def parts(e: Any) -> list[Any]:
    """What an expression is made of: its arguments, and what some atoms keep beside them."""
    match type(e).__name__:
        case "perspective":
            return [e.f, e.args[0]]
        case "huber":
            return [*e.args, e.M]
        case _:
            return list(e.args)


def _definite(matrix: Any) -> str:
    """What a constant matrix is known to be; neither of them is for the checker to say."""
    if type(matrix).__name__ == "psd_wrap" or matrix.is_psd():
        return "psd"
    return "nsd" if matrix.is_nsd() else ""


def _names_in(node: ast.Expr) -> Iterator[str]:
    from dpplang.syntax.walk import walk

    return (n.name for n in walk(node) if isinstance(n, ast.Name))
