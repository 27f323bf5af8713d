"""Monotonicity of an atom, decided by the structure of its graph.

Minimizing over a feasible set that only shrinks as x grows, an objective that does not fall, gives a value that
does not fall. So a minimized graph proves ``increasing in x`` if the objective and every left side rise with x,
and every right side falls; the other three cases follow by exchanging senses. An equality that mentions x decides
nothing.
"""

from __future__ import annotations

from dpplang.lattice.curvature import Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_walk import children, walk
from dpplang.semantics.calls import monotonicity
from dpplang.semantics.tree import Apply, Atom, AtomCall, Constraint, Expr, FactClause, Kind, Reduce, Ref, Size, Take

INC, DEC, CONST, UNKNOWN = Monotonicity.INCREASING, Monotonicity.DECREASING, Monotonicity.CONSTANT, Monotonicity.UNKNOWN

_RISING = frozenset(
    ["add", "sum", "mean", "cumsum", "trace", "diag", "hstack", "vstack", "stack", "reshape", "transpose", "spread",
     "upper_tri", "maximum", "minimum", "max", "min"]
)
"""Primitives that rise with every argument."""


def is_proved(atom: Atom, clause: FactClause) -> bool:
    """Whether the graph, or the value, shows a ``monotone:`` clause. False says nothing of the clause: it is not
    decided."""
    if not isinstance(clause.word, Monotonicity):
        return False
    graph, name, assumed = atom.graph, clause.argument, dict(clause.where)
    if atom.value is not None and _agrees(_slope(atom.value, name, assumed), clause.word):
        return True
    if graph is None or not _agrees(_slope(graph.objective, name, assumed), clause.word):
        return False
    # How the feasible set moves as x grows: INC means that it grows.
    wanted = -clause.word if graph.sense == "minimize" else clause.word
    return all(_agrees(_room(c, name, assumed), wanted) for c in graph.constraints)


def _agrees(have: Monotonicity, wanted: Monotonicity) -> bool:
    return have is CONST or have is wanted


def _join(slopes: list[Monotonicity]) -> Monotonicity:
    moving = {s for s in slopes if s is not CONST}
    return CONST if not moving else moving.pop() if len(moving) == 1 else UNKNOWN


def _slope(expr: Expr, name: str, assumed: dict[str, Sign]) -> Monotonicity:
    """How every entry of an expression moves as a formal grows, graph variables held still."""
    if not any(isinstance(e, Ref) and e.symbol.name == name for e in walk(expr)):
        return CONST
    match expr:
        case Ref():
            return INC
        case Take() | Reduce():
            return _slope(children(expr)[0], name, assumed)
        case Apply(op=op, args=args) if op in _RISING:
            return _join([_slope(a, name, assumed) for a in args])
        case Apply(op="neg", args=(operand,)):
            return -_slope(operand, name, assumed)
        case Apply(op="sub", args=(left, right)):
            return _join([_slope(left, name, assumed), -_slope(right, name, assumed)])
        case Apply(op="div", args=(left, right)):
            return _join([_scaled(_slope(left, name, assumed), right, assumed), _product(_slope(right, name, assumed))])
        case Apply(op="mul" | "matmul" | "kron" | "outer", args=(left, right)):
            return _join(
                [
                    _scaled(_slope(left, name, assumed), right, assumed),
                    _scaled(_slope(right, name, assumed), left, assumed),
                ]
            )
        case AtomCall(atom=atom, args=args):
            signs = {f.symbol.name: _sign(a, assumed) for f, a in zip(atom.formals, args, strict=True)}
            return _join(
                [
                    _chained(monotonicity(atom, f.symbol.name, signs), _slope(a, name, assumed))
                    for f, a in zip(atom.formals, args, strict=True)
                ]
            )
        case _:
            return UNKNOWN


def _product(slope: Monotonicity) -> Monotonicity:
    return CONST if slope is CONST else UNKNOWN


def _chained(outer: Monotonicity, inner: Monotonicity) -> Monotonicity:
    if CONST in (outer, inner):
        return CONST
    return UNKNOWN if outer is UNKNOWN else inner if outer is INC else -inner


def _scaled(slope: Monotonicity, factor: Expr, assumed: dict[str, Sign]) -> Monotonicity:
    if slope is CONST:
        return CONST
    sign = _sign(factor, assumed)
    return slope if sign.is_nonneg else -slope if sign.is_nonpos else UNKNOWN


def _sign(expr: Expr, assumed: dict[str, Sign]) -> Sign:
    """The sign of an expression, formals having the signs that the clause assumes."""
    match expr:
        case Ref(symbol=symbol):
            return assumed.get(symbol.name, expr.facts.sign)
        case Size():
            return expr.facts.sign
        case Take(operand=operand):
            return _sign(operand, assumed)
        case Apply(op="add", args=(left, right)):
            return _sign(left, assumed) + _sign(right, assumed)
        case Apply(op="sub", args=(left, right)):
            return _sign(left, assumed) + -_sign(right, assumed)
        case Apply(op="neg", args=(operand,)):
            return -_sign(operand, assumed)
        case Apply(op="mul" | "matmul", args=(left, right)):
            return _sign(left, assumed) * _sign(right, assumed)
        case Apply(op="sum" | "transpose" | "reshape", args=(operand,)):
            return _sign(operand, assumed)
        case _:
            return expr.facts.sign


def _room(constraint: Constraint, name: str, assumed: dict[str, Sign]) -> Monotonicity:
    """How the set that a constraint leaves moves as a formal grows: INC if it grows, DEC if it shrinks."""
    parts = constraint.parts
    slopes = [_slope(p, name, assumed) for p in parts]
    if all(s is CONST for s in slopes):
        return CONST
    match constraint.kind, constraint.cone:
        case Kind.LE, _:
            return _join([-slopes[0], slopes[1]])
        case Kind.CONE, "nonneg":
            return _join(slopes)
        case Kind.CONE, "nonpos":
            return _join([-s for s in slopes])
        case Kind.CONE, "exp_cone":
            return _join([-slopes[0], _product(slopes[1]), slopes[2]])
        case Kind.CONE, "pow_cone":
            return _join([slopes[0], slopes[1], -_size(parts[2], name, assumed)])
        case Kind.CONE, "soc":
            return _join([slopes[0], *(-_size(p, name, assumed) for p in parts[1:])])
        case _:
            return UNKNOWN


def _size(expr: Expr, name: str, assumed: dict[str, Sign]) -> Monotonicity:
    """How the absolute value of every entry moves."""
    match expr:
        case Apply(op="hstack" | "stack", args=args):
            return _join([_size(a, name, assumed) for a in args])
        case _:
            slope, sign = _slope(expr, name, assumed), _sign(expr, assumed)
            return slope if slope is CONST or sign.is_nonneg else -slope if sign.is_nonpos else UNKNOWN
