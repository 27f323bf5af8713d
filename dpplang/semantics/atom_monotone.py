"""Monotonicity of an atom, decided by the structure of its graph.

Minimizing over a feasible set that only shrinks as x grows, an objective that does not fall, gives a value that
does not fall. So a minimized graph proves ``increasing in x`` if the objective and every left side rise with x,
and every right side falls; the other three cases follow by exchanging senses. An equality that mentions x decides
nothing.
"""

from __future__ import annotations

from dpplang.lattice.curvature import Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_walk import children
from dpplang.semantics.calls import monotonicity
from dpplang.semantics.tree import Apply, Atom, AtomCall, Constraint, Expr, FactClause, Kind, Reduce, Ref, Take

INC, DEC, CONST, UNKNOWN = Monotonicity.INCREASING, Monotonicity.DECREASING, Monotonicity.CONSTANT, Monotonicity.UNKNOWN

_RISING = frozenset(
    [
        "add",
        "sum",
        "mean",
        "cumsum",
        "trace",
        "diag",
        "hstack",
        "vstack",
        "stack",
        "reshape",
        "transpose",
        "spread",
        "upper_tri",
        "maximum",
        "minimum",
        "max",
        "min",
    ]
)
"""Primitives that rise with every argument."""


def is_proved(atom: Atom, clause: FactClause) -> bool:
    """Whether the graph, or the value, shows a ``monotone:`` clause. False says nothing of the clause: it is
    undecided."""
    if not isinstance(clause.word, Monotonicity):
        return False
    slopes, graph = _Slopes(clause.argument, dict(clause.where)), atom.graph
    if atom.value is not None and _agrees(slopes.of(atom.value), clause.word):
        return True
    if graph is None or not _agrees(slopes.of(graph.objective), clause.word):
        return False
    # How the feasible set moves as x grows: INC means that it grows.
    wanted = -clause.word if graph.sense == "minimize" else clause.word
    return all(_agrees(slopes.room(c), wanted) for c in graph.constraints)


def _agrees(have: Monotonicity, wanted: Monotonicity) -> bool:
    return have is CONST or have is wanted


def _join(slopes: list[Monotonicity]) -> Monotonicity:
    moving = {s for s in slopes if s is not CONST}
    return CONST if not moving else moving.pop() if len(moving) == 1 else UNKNOWN


class _Slopes:
    """How the parts of one record move as the formal ``name`` grows, formals having the signs that a clause assumes.

    What has been found of a part is kept (by ``id``: the record keeps it alive), for parts may be shared.
    """

    def __init__(self, name: str, assumed: dict[str, Sign]) -> None:
        self._name = name
        self._assumed = assumed
        self._slopes: dict[int, Monotonicity] = {}
        self._signs: dict[int, Sign] = {}

    def of(self, expr: Expr) -> Monotonicity:
        """How every entry of an expression moves, graph variables held still."""
        if id(expr) not in self._slopes:
            self._slopes[id(expr)] = self._slope(expr)
        return self._slopes[id(expr)]

    def sign(self, expr: Expr) -> Sign:
        if id(expr) not in self._signs:
            self._signs[id(expr)] = self._sign(expr)
        return self._signs[id(expr)]

    def _slope(self, expr: Expr) -> Monotonicity:
        parts = children(expr)
        if parts and all(self.of(part) is CONST for part in parts):
            return CONST
        match expr:
            case Ref(symbol=symbol):
                return INC if symbol.name == self._name else CONST
            case Take() | Reduce():
                return self.of(parts[0])
            case Apply(op=op) if op in _RISING:
                return _join([self.of(part) for part in parts])
            case Apply(op="neg", args=(operand,)):
                return -self.of(operand)
            case Apply(op="sub", args=(left, right)):
                return _join([self.of(left), -self.of(right)])
            case Apply(op="div", args=(left, right)):
                return self._scaled(self.of(left), right) if self.of(right) is CONST else UNKNOWN
            case Apply(op="mul" | "matmul" | "kron" | "outer", args=(left, right)):
                return _join([self._scaled(self.of(left), right), self._scaled(self.of(right), left)])
            case AtomCall(atom=atom, args=args):
                signs = {f.symbol.name: self.sign(a) for f, a in zip(atom.formals, args, strict=True)}
                outer = [monotonicity(atom, f.symbol.name, signs) for f in atom.formals]
                return _join([_chained(m, self.of(a)) for m, a in zip(outer, args, strict=True)])
            case _:
                return UNKNOWN if parts else CONST

    def _scaled(self, slope: Monotonicity, factor: Expr) -> Monotonicity:
        if slope is CONST:
            return CONST
        sign = self.sign(factor)
        return slope if sign.is_nonneg else -slope if sign.is_nonpos else UNKNOWN

    def _sign(self, expr: Expr) -> Sign:
        match expr:
            case Ref(symbol=symbol):
                return self._assumed.get(symbol.name, expr.facts.sign)
            case Take(operand=operand) | Apply(op="sum" | "transpose" | "reshape", args=(operand,)):
                return self.sign(operand)
            case Apply(op="add", args=(left, right)):
                return self.sign(left) + self.sign(right)
            case Apply(op="sub", args=(left, right)):
                return self.sign(left) + -self.sign(right)
            case Apply(op="neg", args=(operand,)):
                return -self.sign(operand)
            case Apply(op="mul" | "matmul", args=(left, right)):
                return self.sign(left) * self.sign(right)
            case _:
                return expr.facts.sign

    def room(self, constraint: Constraint) -> Monotonicity:
        """How the set that a constraint leaves moves: INC if it grows, DEC if it shrinks."""
        parts = constraint.parts
        slopes = [self.of(p) for p in parts]
        if all(s is CONST for s in slopes):
            return CONST
        match constraint.kind, constraint.cone:
            case Kind.LE, _:
                return _join([-slopes[0], slopes[1]])
            case Kind.CONE, "nonneg":
                return slopes[0]
            case Kind.CONE, "nonpos":
                return -slopes[0]
            case Kind.CONE, "exp_cone":
                return _join([-slopes[0], slopes[2]]) if slopes[1] is CONST else UNKNOWN
            case Kind.CONE, "pow_cone":
                return _join([slopes[0], slopes[1], -self._size(parts[2])])
            case Kind.CONE, "soc" if len(parts) == 2:
                return _join([slopes[0], -self._size(parts[1])])
            case _:
                return UNKNOWN

    def _size(self, expr: Expr) -> Monotonicity:
        """How the absolute value of every entry moves."""
        match expr:
            case Apply(op="hstack" | "stack", args=args):
                return _join([self._size(a) for a in args])
            case _:
                slope, sign = self.of(expr), self.sign(expr)
                return slope if slope is CONST or sign.is_nonneg else -slope if sign.is_nonpos else UNKNOWN


def _chained(outer: Monotonicity, inner: Monotonicity) -> Monotonicity:
    if CONST in (outer, inner):
        return CONST
    return UNKNOWN if outer is UNKNOWN else inner if outer is INC else -inner
