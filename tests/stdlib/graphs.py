"""A record's graph as a CVXPY problem: an oracle for the records that does not go through our own lowering.

Nested atoms are replaced by their own graphs, so that nothing of CVXPY's atoms is used: only affine maps and cones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import cvxpy as cp
import numpy as np

from dpplang.semantics.tree import (
    Apply,
    Atom,
    AtomCall,
    Condition,
    Const,
    Constraint,
    Expr,
    Kind,
    Logic,
    Range,
    Ref,
    Size,
    Symbol,
    Take,
    Test,
    TypedBinder,
)

Sizes = Mapping[str, int]


@dataclass
class Expansion:
    """Constraints of all graphs that have been written out so far."""

    constraints: list[Any] = field(default_factory=list)


def solve_graph(atom: Atom, arguments: list[np.ndarray]) -> tuple[float, str]:
    """Optimal value of a record's graph at arguments of its formals' own shapes, and the status."""
    assert atom.graph is not None
    sizes: dict[str, int] = {}
    for formal, argument in zip(atom.formals, arguments, strict=True):
        sizes.update({str(p): n for p, n in zip(formal.symbol.shape, np.shape(argument), strict=True)})
    expansion = Expansion()
    objective = expand(atom, [cp.Constant(a) for a in arguments], sizes, expansion)
    sense = cp.Minimize if atom.graph.sense == "minimize" else cp.Maximize
    problem = cp.Problem(sense(cp.sum(objective)), expansion.constraints)
    problem.solve(solver=cp.CLARABEL)
    return float(problem.value), problem.status


def expand(atom: Atom, arguments: list[Any], sizes: Sizes, expansion: Expansion) -> Any:
    """The graph's objective at some arguments; its constraints are added to the expansion."""
    assert atom.graph is not None
    values: dict[Symbol, Any] = {f.symbol: a for f, a in zip(atom.formals, arguments, strict=True)}
    for symbol in atom.graph.variables:
        shape = tuple(int(p.evaluate(sizes)) for p in symbol.shape)
        values[symbol] = cp.Variable(shape, symmetric=symbol.has("symmetric"))
    for constraint in atom.graph.constraints:
        for member in members(constraint.binders, constraint.condition, sizes):
            expansion.constraints.append(related(constraint, values, member, expansion))
    return evaluated(atom.graph.objective, values, sizes, expansion)


def members(binders: tuple[TypedBinder, ...], condition: Condition | None, sizes: Sizes) -> Iterator[Sizes]:
    if not binders:
        if condition is None or holds(condition, sizes):
            yield sizes
        return
    first, *rest = binders
    for index in range(first.start.evaluate(sizes), first.stop.evaluate(sizes)):
        yield from members(tuple(rest), condition, {**sizes, first.name: index})


def holds(condition: Condition, sizes: Sizes) -> bool:
    match condition:
        case Test(op, left, right):
            a, b = left.evaluate(sizes), right.evaluate(sizes)
            return {"<": a < b, "<=": a <= b, "==": a == b, "!=": a != b, ">": a > b, ">=": a >= b}[op]
        case Logic(op, parts):
            results = [holds(p, sizes) for p in parts]
            return {"and": all(results), "or": any(results), "not": not results[0]}[op]


def related(constraint: Constraint, values: Mapping[Symbol, Any], sizes: Sizes, expansion: Expansion) -> Any:
    parts = [evaluated(p, values, sizes, expansion) for p in constraint.parts]
    match constraint.kind, constraint.cone:
        case Kind.ZERO, _:
            return parts[0] == parts[1]
        case Kind.LE, _:
            return parts[0] <= parts[1]
        case Kind.PSD, _:
            return parts[0] >> parts[1]
        case Kind.CONE, "soc":
            return cp.SOC(parts[0], cp.vec(parts[1], order="C"))
        case Kind.CONE, "exp_cone":
            return cp.ExpCone(*parts)
        case Kind.CONE, "pow_cone":
            exponent = evaluated(constraint.cone_args[0], values, sizes, expansion)
            return cp.PowCone3D(*parts, float(exponent.value))
        case _:
            raise AssertionError(constraint.cone)


def evaluated(expr: Expr, values: Mapping[Symbol, Any], sizes: Sizes, expansion: Expansion) -> Any:
    shape = tuple(int(p.evaluate(sizes)) for p in expr.shape)
    match expr:
        case Const(value=value):
            return cp.Constant(np.array(value))
        case Size(poly=poly):
            return cp.Constant(poly.evaluate(sizes))
        case Ref(symbol=symbol):
            return values[symbol]
        case Take(operand=operand, items=items):
            whole = evaluated(operand, values, sizes, expansion)
            return whole[
                tuple(
                    slice(i.start.evaluate(sizes), i.stop.evaluate(sizes)) if isinstance(i, Range) else i.evaluate(sizes)
                    for i in items
                )
            ]
        case Apply(op=op, args=args):
            return applied(op, [evaluated(a, values, sizes, expansion) for a in args], expr, shape)
        case AtomCall(atom=atom, args=args):
            parts = [evaluated(a, values, sizes, expansion) for a in args]
            inner = {name: int(poly.evaluate(sizes)) for name, poly in expr.sizes}
            if atom.kind == "elementwise" and shape:
                entries = [
                    expand(atom, [p[i] if p.shape else p for p in parts], inner, expansion) for i in np.ndindex(*shape)
                ]
                return cp.reshape(cp.hstack(entries), shape, order="C")
            assert expr.axis is None
            if atom.kind == "reduction":
                parts[0] = cp.vec(parts[0], order="C")
            return expand(atom, parts, inner, expansion)
        case _:
            raise AssertionError(expr)


def applied(op: str, args: list[Any], expr: Apply, shape: tuple[int, ...]) -> Any:
    match op, args:
        case "add", [a, b]:
            return a + b
        case "sub", [a, b]:
            return a - b
        case "neg", [a]:
            return -a
        case "mul", [a, b]:
            return cp.multiply(a, b)
        case "div", [a, b]:
            return a / b
        case "matmul", [a, b]:
            return a @ b
        case "transpose", [a]:
            return a.T
        case "sum", [a]:
            assert expr.option("axis") is None
            return cp.sum(a)
        case "trace", [a]:
            return cp.trace(a)
        case "diag", [a]:
            return cp.diag(a)
        case "hstack", _:
            return cp.hstack(args)
        case "vstack", _:
            return cp.vstack(args)
        case "reshape" | "spread", [a]:
            return cp.reshape(a, shape, order="C")
        case "eye", []:
            return cp.Constant(np.eye(shape[0]))
        case "full", []:
            return cp.Constant(np.full(shape, expr.option("value")))
        case "sqrtm", [a]:
            eigenvalues, vectors = np.linalg.eigh(a.value)
            return cp.Constant((vectors * np.sqrt(np.maximum(eigenvalues, 0))) @ vectors.T)
        case _:
            raise AssertionError(op)
