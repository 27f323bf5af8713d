"""Which convex formals of an atom meet a ``param`` formal in a product of its graph.

At a call not both may depend on parameters: their product would not be affine in them (``huber(q * x, M = p)`` is
fine, for M scales a variable of the graph; ``atom f(x, param p) { graph { minimize abs(p * x) } }`` is not, called
with x = q).
"""

from __future__ import annotations

from collections.abc import Iterator

from dpplang.semantics.atom_walk import walk
from dpplang.semantics.tree import Apply, AtomCall, AtomGraph, Expr, Role, TypedFormal

_BILINEAR = frozenset({"mul", "matmul", "outer", "kron", "convolve", "div"})


def entangled(formals: tuple[TypedFormal, ...], graph: AtomGraph | None) -> frozenset[str]:
    """Names of the convex formals that stand in a product with a ``param`` formal.

    None of them without a graph: in a quadratic objective an argument that depends on parameters gets a variable.
    """
    if graph is None or not any(f.mode == "param" for f in formals):
        return frozenset()
    parts = [graph.objective, *(part for constraint in graph.constraints for part in constraint.parts)]
    parts += [constraint.indicator for constraint in graph.constraints if constraint.indicator is not None]
    return frozenset(name for part in parts for expr in walk(part) for name in _met(expr))


def _met(expr: Expr) -> Iterator[str]:
    match expr:
        case Apply(op=op, args=(left, right)) if op in _BILINEAR:
            if left.facts.params:
                yield from _formals(right)
            if right.facts.params:
                yield from _formals(left)
        case AtomCall(atom=atom, args=args):
            pairs = list(zip(atom.formals, args, strict=True))
            if any(f.mode and a.facts.params for f, a in pairs):
                for formal, argument in pairs:
                    if formal.symbol.name in atom.entangled:
                        yield from _formals(argument)
        case _:
            return


def _formals(expr: Expr) -> list[str]:
    return [s.name for s in expr.facts.variables if s.role is Role.FORMAL]
