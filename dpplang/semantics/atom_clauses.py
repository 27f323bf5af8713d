"""The facts a record declares: ``curvature:``, ``sign:``, ``monotone:``, with their conditions."""

from __future__ import annotations

from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_signature import Signature
from dpplang.semantics.report import mistake, suggestions
from dpplang.semantics.tree import FactClause
from dpplang.syntax import ast

_CURVATURES = {"affine": Curvature.AFFINE, "convex": Curvature.CONVEX, "concave": Curvature.CONCAVE}
_SIGNS = {s.value: s for s in Sign}
_SLOPES = {m.value: m for m in Monotonicity if m is not Monotonicity.UNKNOWN}
_CONDITIONS = {">=": Sign.NONNEG, "<=": Sign.NONPOS, "==": Sign.ZERO}


def read_curvature(clause: ast.Clause) -> Curvature:
    """Raises Mistake: ATM412, another word."""
    if clause.word not in _CURVATURES or clause.argument or clause.where:
        raise mistake("ATM412", "`curvature:` is `affine`, `convex` or `concave`", clause.span)
    return _CURVATURES[clause.word]


def read_sign(clause: ast.Clause, signature: Signature) -> FactClause:
    """Raises Mistake: ATM411 or ATM412."""
    if clause.word not in _SIGNS or clause.argument:
        raise mistake("ATM412", f"`{clause.word}` is no sign", clause.span, help=(f"signs are {', '.join(_SIGNS)}",))
    return FactClause(_SIGNS[clause.word], "", _where(clause, signature), clause.span)


def read_monotone(clause: ast.Clause, signature: Signature) -> FactClause:
    """Raises Mistake: ATM411 or ATM412."""
    if clause.word not in _SLOPES or clause.argument is None:
        words = ", ".join(f"`{word} in x`" for word in _SLOPES)
        raise mistake("ATM412", "not a clause of `monotone:`", clause.span, help=(f"clauses are {words}",))
    _known(clause.argument.name, clause.argument, signature)
    return FactClause(_SLOPES[clause.word], clause.argument.name, _where(clause, signature), clause.span)


def _where(clause: ast.Clause, signature: Signature) -> tuple[tuple[str, Sign], ...]:
    return tuple(_condition(relation, signature) for relation in clause.where)


def _condition(relation: ast.Relation, signature: Signature) -> tuple[str, Sign]:
    match relation.operands, relation.ops:
        case (ast.Name(name=name) as node, ast.Number(value=0)), (op,) if op in _CONDITIONS:
            _known(name, node, signature)
            return name, _CONDITIONS[op]
        case _:
            raise mistake(
                "ATM412",
                "a condition of a clause compares an argument with zero",
                relation.span,
                help=("write `x >= 0`, `x <= 0` or `x == 0`",),
            )


def _known(name: str, node: ast.Node, signature: Signature) -> None:
    if signature.symbol(name) is None:
        names = [f.symbol.name for f in signature.formals]
        raise mistake(
            "ATM411",
            f"`{name}` is no argument of this atom",
            node.span,
            help=(f"its arguments are {', '.join(f'`{n}`' for n in names)}",),
            fixes=suggestions(name, names, node.span),
        )
