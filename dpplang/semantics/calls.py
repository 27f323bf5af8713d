"""Calls of atoms: which record, which argument is which, and what follows of the result (docs/language.md §4, §5).

Composition is judged twice by one rule: once with parameters held constant (DCP), once with parameters counted as
affine variables (DPP).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity, compose
from dpplang.lattice.dims import Poly, Shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_match import (
    ARITY,
    ATTRIBUTE,
    MODE,
    REQUIRES,
    Keywords,
    Match,
    Mismatch,
    Site,
    match,
    signature,
)
from dpplang.semantics.facts import symbols
from dpplang.semantics.tree import Apply, Atom, AtomCall, Const, Expr, FactClause, Facts, Reason, Ref

__all__ = ["Called", "Site", "apply_record", "call_atom", "monotonicity", "signature"]


@dataclass(frozen=True, slots=True)
class Called:
    """``expr`` is None iff the call is wrong; then there is one diagnostic."""

    expr: Expr | None
    diagnostics: tuple[Diagnostic, ...] = ()


def call_atom(records: tuple[Atom, ...], arguments: tuple[Expr, ...], keywords: Keywords, site: Site) -> Called:
    """Apply the first record of an atom that the arguments fit.

    Args:
        records: the records of one name, in order.
        arguments: positional arguments, typed.
        keywords: named arguments, typed; ``axis`` and ``keepdims`` of a reduction among them.
        site: where the call stands.

    Returns:
        An ``AtomCall`` (inside a ``reshape`` for ``keepdims``; the argument itself or a constant where the record
        says no more), or the diagnostic of the record that came nearest.
    """
    folded = _fold(records, arguments, keywords, site)
    if folded is not None:
        return folded
    mismatches: list[Mismatch] = []
    for record in _by_rank(records, arguments, keywords):
        result = match(record, arguments, keywords, site)
        if isinstance(result, Match):
            return Called(_keepdims(apply_record(result, site.span), result, arguments))
        mismatches.append(result)
    return Called(None, (_nearest(mismatches, records),))


def _fold(records: tuple[Atom, ...], arguments: tuple[Expr, ...], keywords: Keywords, site: Site) -> Called | None:
    """``maximum(a, b, c)`` as ``maximum(maximum(a, b), c)``; None where nothing is to be folded."""
    if keywords or len(arguments) < 3 or not any(record.variadic for record in records):
        return None
    folded = arguments[0]
    for argument in arguments[1:]:
        called = call_atom(records, (folded, argument), (), site)
        if called.expr is None:
            return called
        folded = called.expr
    return Called(folded)


def _by_rank(records: tuple[Atom, ...], arguments: tuple[Expr, ...], keywords: Keywords) -> list[Atom]:
    """Records in order, those whose first formal has the rank of the first argument before reductions that flatten
    it;
    with ``axis``, reductions alone where there is one."""
    if any(ident.name in ("axis", "keepdims") for ident, _ in keywords):
        reductions = [r for r in records if r.kind == "reduction"]
        if reductions:
            return reductions
    if not arguments:
        return list(records)
    rank = len(arguments[0].shape)
    return sorted(
        records,
        key=lambda r: r.kind == "reduction" and len(r.formals[0].symbol.shape) != rank,
    )


def _nearest(mismatches: list[Mismatch], records: tuple[Atom, ...]) -> Diagnostic:
    """The finding of the record that fitted furthest; missing attributes of several records are named together."""
    stage = max(m.stage for m in mismatches)
    nearest = [m for m in mismatches if m.stage == stage]
    # A record that takes a parameter there asks for less than one that takes a constant.
    nearest.sort(key=lambda m: stage == MODE and m.diagnostic.code == "ATM404")
    first = nearest[0].diagnostic
    if stage == ATTRIBUTE and len(nearest) > 1:
        words = " or ".join(dict.fromkeys(word for m in nearest for word in m.words))
        old = nearest[0].words[0]
        label = first.primary
        return replace(
            first,
            message=first.message.removesuffix(old) + words,
            primary=label and Label(label.span, f"not known to be {words}"),
            help=(f"declare it `{words.replace(' or ', '` or `')}`: that is checked when values are bound",),
        )
    if stage == REQUIRES and len(nearest) > 1:
        label = first.primary
        undecided = label is not None and "known when" in label.text
        forms = tuple(f"one form requires `{word}`" for m in nearest for word in m.words)
        said = label.text if label is not None and undecided else "fits none of its forms"
        return replace(first, primary=label and Label(label.span, said), secondary=(), notes=forms)
    if stage == ARITY and len(records) > 1:
        return replace(first, notes=tuple(f"one form is `{s}`" for s in dict.fromkeys(map(signature, records))))
    return first


def apply_record(found: Match, span: Span) -> Expr:
    """The call of a record that its arguments fit, before ``keepdims``."""
    atom = found.atom
    facts = _facts(found)
    plain = _plain(found, facts, span)
    if plain is not None:
        return plain
    return AtomCall(
        atom,
        found.args,
        tuple(sorted(found.sizes.items())),
        found.axis,
        facts=facts,
        span=span,
        reason=Reason(_rule(found), found.args),
    )


def _plain(found: Match, facts: Facts, span: Span) -> Expr | None:
    """``x^1`` is ``x`` and ``x^0`` is one: a graph that is just an argument or a number needs no atom in the tree."""
    graph = found.atom.graph
    if found.atom.kind != "elementwise" or graph is None or graph.variables or graph.constraints:
        return None
    match graph.objective:
        case Ref(symbol=symbol):
            position = [f.symbol for f in found.atom.formals].index(symbol)
            arg = found.args[position]
            return arg if arg.shape == found.shape else None
        case Const(value=value) if not isinstance(value, tuple):
            sign = Sign.NONNEG if value > 0 else Sign.NONPOS if value < 0 else Sign.ZERO
            constant = Facts(found.shape, sign)
            if not found.shape:
                return Const(value, facts=constant, span=span, reason=Reason("a number"))
            options = (("value", float(value)),)
            return Apply("full", (), options, facts=constant, span=span, reason=Reason("a number"))
        case _:
            return None


def _keepdims(expr: Expr, found: Match, arguments: tuple[Expr, ...]) -> Expr:
    if not found.keepdims:
        return expr
    whole = arguments[0].shape if arguments else found.args[0].shape
    one = Poly.const(1)
    kept: Shape = tuple(one if found.axis in (None, i) else extent for i, extent in enumerate(whole))
    return Apply(
        "reshape",
        (expr,),
        facts=replace(expr.facts, shape=kept),
        span=expr.span,
        reason=Reason("`keepdims` keeps the axis, with size 1", (expr,)),
    )


def _facts(found: Match) -> Facts:
    atom, signs = found.atom, _signs(found)
    convex = [(f, a) for f, a in zip(atom.formals, found.args, strict=True) if not f.mode]
    parametric = any(a.facts.params for f, a in zip(atom.formals, found.args, strict=True) if f.mode)
    slopes = [monotonicity(atom, f.symbol.name, signs) for f, _ in convex]
    curvature = compose(atom.curvature, [(m, a.facts.curvature) for m, (_, a) in zip(slopes, convex, strict=True)])
    dpp = compose(atom.curvature, [(m, a.facts.dpp) for m, (_, a) in zip(slopes, convex, strict=True)])
    if parametric:
        product = any(f.symbol.name in atom.entangled and a.facts.params for f, a in convex)
        dpp = Curvature.UNKNOWN if product else _with_parameters(atom, dpp)
    params, variables = symbols(found.args)
    return Facts(
        shape=found.shape,
        sign=_sign(atom, signs),
        curvature=curvature,
        dpp=dpp,
        params=params,
        variables=variables,
    )


def _with_parameters(atom: Atom, dpp: Curvature) -> Curvature:
    """An atom of constants is no constant once a ``param`` argument depends on parameters: its graph decides."""
    if dpp is not Curvature.CONSTANT:
        return dpp
    return Curvature.AFFINE if atom.curvature.is_affine else atom.curvature


def _signs(found: Match) -> dict[str, Sign]:
    return {f.symbol.name: a.facts.sign for f, a in zip(found.atom.formals, found.args, strict=True)}


def _proved(clause: FactClause, signs: dict[str, Sign]) -> bool:
    for name, wanted in clause.where:
        have = signs[name]
        if wanted in (Sign.NONNEG, Sign.ZERO) and not have.is_nonneg:
            return False
        if wanted in (Sign.NONPOS, Sign.ZERO) and not have.is_nonpos:
            return False
    return True


def _sign(atom: Atom, signs: dict[str, Sign]) -> Sign:
    """The first clause whose conditions hold; a later one of the opposite sign makes it zero, for both hold."""
    words = [c.word for c in atom.sign if isinstance(c.word, Sign) and _proved(c, signs)]
    if not words:
        return Sign.UNKNOWN
    both = any(w.is_nonneg for w in words) and any(w.is_nonpos for w in words)
    return Sign.ZERO if both else words[0]


def monotonicity(atom: Atom, formal: str, signs: dict[str, Sign]) -> Monotonicity:
    """How the atom depends on a formal when its arguments have these signs."""
    for clause in atom.monotone:
        if clause.argument == formal and isinstance(clause.word, Monotonicity) and _proved(clause, signs):
            return clause.word
    return Monotonicity.UNKNOWN


def _rule(found: Match) -> str:
    """`quad_over_lin` is convex, increasing in `x`, decreasing in `y`."""
    atom, signs = found.atom, _signs(found)
    words = [f"`{atom.name}` is {atom.curvature.value}"]
    for formal in atom.formals:
        if not formal.mode:
            slope = monotonicity(atom, formal.symbol.name, signs)
            word = "not monotone" if slope is Monotonicity.UNKNOWN else slope.value
            words.append(f"{word} in `{formal.symbol.name}`")
    return ", ".join(words)
