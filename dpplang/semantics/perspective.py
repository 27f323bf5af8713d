"""``perspective(f(x), s)``: s·f(x/s), the perspective of a function, for s ≥ 0 (its closure at s = 0).

Of an affine function c + Ax it is cs + Ax, and of the optimal value of a conic program the optimal value of the
program with every constant multiplied by s (Boyd and Vandenberghe, "Convex Optimization", §3.2.6). So the perspective
of a typed expression is the expression with its constants multiplied by s and its atoms replaced by their perspectives:
records of one argument more, made from the records in the same way. What comes out is typed as anything else is, and
its DCP and DPP verdicts, duals and derivatives follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never

from dpplang.core.diagnostics import Label
from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.dims import show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.arguments import Called
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.atom_entangled import entangled
from dpplang.semantics.atom_match import Match
from dpplang.semantics.build import bilinear, constant, quotient, reference, taken
from dpplang.semantics.calls import apply_record
from dpplang.semantics.facts import composed
from dpplang.semantics.report import mistake
from dpplang.semantics.tree import (
    Apply,
    Atom,
    AtomCall,
    AtomGraph,
    Const,
    Constraint,
    DualRef,
    Expr,
    FactClause,
    Kind,
    OptimalValue,
    Reason,
    Reduce,
    Ref,
    Role,
    Size,
    Symbol,
    Take,
    TypedAttribute,
    TypedFormal,
)

SIGNATURE = ("f", "s")
Made = dict[Atom, Atom | None]
"""Perspectives of records that were made already."""
_BILINEAR = frozenset({"mul", "matmul", "outer", "kron", "convolve"})
_MONOTONE = {
    "sub": (Monotonicity.INCREASING, Monotonicity.DECREASING),
    "neg": (Monotonicity.DECREASING,),
    "diff": (Monotonicity.UNKNOWN,),
}
_REDUCED = {"max": Curvature.CONVEX, "min": Curvature.CONCAVE}


def perspective(call: Called) -> Expr:
    """The perspective of an expression in all the variables that it depends on.

    Raises:
        Mistake: ATM429, SHP504, DCP202 or ATM406: there is none of these arguments.
    """
    bound = call.bind(SIGNATURE, 2)
    function, scale = bound["f"], bound["s"]
    _check(function, scale)
    sign = replace(scale, facts=replace(scale.facts, sign=Sign.NONNEG))
    result = _Perspective(sign, {}).of(function)
    if not scale.facts.sign.is_nonneg:
        result = _where_nonneg(result, scale, call.span)
    return replace(result, span=call.span)


def _check(function: Expr, scale: Expr) -> None:
    if scale.shape:
        message = f"the scale of a perspective is a scalar, not of shape {show_shape(scale.shape)}"
        help_ = ("add up the perspectives of the parts: `sum(perspective(f(x[i]), s[i]) for i in n)`",)
        label = show_shape(scale.shape)
        raise mistake("SHP504", message, scale.span, label, secondary=declaration_labels(scale), help=help_)
    if not function.facts.variables:
        raise mistake(
            "ATM429",
            "a perspective is taken of a function of variables",
            function.span,
            "depends on no variable",
            help=("a constant c has the perspective `c * s`",),
        )
    shared = sorted(s.name for s in function.facts.variables & scale.facts.variables)
    if shared:
        names = ", ".join(f"`{name}`" for name in shared)
        raise mistake(
            "ATM429",
            f"the scale of a perspective may not depend on a variable of its function: {names}",
            scale.span,
            f"depends on {names}",
            secondary=(Label(function.span, f"depends on {names}, which the perspective divides by the scale"),),
            help=("leave terms of the scale outside: `perspective(f(x), s) + g(s)`",),
        )
    if not scale.facts.curvature.is_affine:
        have = scale.facts.curvature
        word = "of unknown curvature" if have is Curvature.UNKNOWN else have.value
        message = f"this is {word}: the scale of a perspective must be affine"
        raise mistake("DCP202", message, scale.span, word, help=("name it: `var s nonneg`, and bound `s` by it",))
    if not scale.facts.variables and not scale.facts.sign.is_nonneg:
        raise mistake(
            "ATM406",
            "argument `s` of `perspective` must be nonneg",
            scale.span,
            "not known to be nonneg",
            help=("declare it `nonneg`: that is checked when values are bound",),
        )


class _Perspective:
    """The perspective of expressions with one scale, which is nonnegative. Shared parts stay shared."""

    def __init__(self, scale: Expr, made: Made, renamed: dict[Symbol, Expr] | None = None) -> None:
        self._scale = scale
        self._made = made
        self._renamed = renamed or {}
        self._done: dict[Expr, Expr] = {}

    def of(self, expr: Expr) -> Expr:
        if expr not in self._done:
            self._done[expr] = self._of(expr) if expr.facts.variables else self._constant(expr)
        return self._done[expr]

    def _constant(self, expr: Expr) -> Expr:
        if expr.facts.sign is Sign.ZERO or (isinstance(expr, Const) and expr.value in (float("inf"), -float("inf"))):
            return expr
        return bilinear("mul", expr, self._scale, expr.shape, expr.span)

    def _of(self, expr: Expr) -> Expr:
        match expr:
            case Ref(symbol=symbol):
                return self._renamed.get(symbol, expr)
            case Take(operand=operand, items=items):
                return taken(self.of(operand), items, expr.span)
            case Apply(op="div", args=(left, right)):
                return quotient(self.of(left), right, expr.shape, expr.span)
            case Apply(op=op, args=(left, right)) if op in _BILINEAR:
                return bilinear(op, self._factor(left), self._factor(right), expr.shape, expr.span)
            case Apply():
                return self._linear(expr)
            case Reduce():
                body, outer = self.of(expr.body), _REDUCED.get(expr.op, Curvature.AFFINE)
                facts = composed(expr.shape, expr.facts.sign, outer, (body,))
                return replace(expr, body=body, facts=facts, reason=Reason(expr.reason.rule, (body,)))
            case AtomCall():
                return self._atom(expr)
            case Const() | Size() | DualRef() | OptimalValue():
                return expr
            case _:
                assert_never(expr)

    def _factor(self, expr: Expr) -> Expr:
        """A factor that is free of variables stays: its product with what is scaled is scaled."""
        return self.of(expr) if expr.facts.variables else expr

    def _linear(self, expr: Apply) -> Expr:
        """A primitive that is linear in its arguments: the sign of an expression is that of its perspective."""
        args = tuple(map(self.of, expr.args))
        facts = composed(expr.shape, expr.facts.sign, Curvature.AFFINE, args, _MONOTONE.get(expr.op))
        return replace(expr, args=args, facts=facts, reason=Reason(expr.reason.rule, args))

    def constraint(self, constraint: Constraint) -> Constraint:
        """A cone holds what it holds multiplied by a nonnegative number; a set is replaced by its perspective."""
        parts = tuple(map(self.of, constraint.parts))
        if constraint.indicator is None:
            return replace(constraint, parts=parts)
        indicator = self._atom(constraint.indicator)
        assert isinstance(indicator, AtomCall)
        return replace(constraint, parts=parts, indicator=indicator)

    def _atom(self, call: AtomCall) -> Expr:
        args = tuple(
            arg if formal.mode else self.of(arg) for formal, arg in zip(call.atom.formals, call.args, strict=True)
        )
        atom = perspective_of(call.atom, self._made)
        if atom is None:
            raise mistake(
                "ATM429",
                f"`{call.atom.name}` with a parameter has no perspective: it can stand in a quadratic objective alone",
                call.span,
                help=("use a factor of the matrix: `derived S = chol(P)'`, and `sum_squares(S @ x)`",),
            )
        if len(atom.formals) > len(args):
            args = (*args, self._scale)
        found = Match(atom, args, dict(call.sizes), call.shape, call.axis, keepdims=False)
        return apply_record(found, call.span)


def perspective_of(atom: Atom, made: Made | None = None) -> Atom | None:
    """The record of an atom's perspective, with the scale as its last argument; the atom itself if that is homogeneous.

    None if the atom has no graph. What is proved of the atom's sign and monotonicity holds of its perspective, since
    the arguments are divided by a nonnegative number.

    Args:
        made: what was made already: each record is gone through once, however often others use it.
    """
    made = {} if made is None else made
    if atom not in made:
        made[atom] = None if atom.graph is None else _made(atom, atom.graph, made)
    return made[atom]


def _made(atom: Atom, whole: AtomGraph, made: Made) -> Atom:
    symbol = Symbol(_unused("s", atom), Role.FORMAL, (), atom.span, (TypedAttribute("nonneg"),))
    scale = reference(symbol)
    graph = _graph(whole, scale, made)
    if not any(symbol in part.facts.variables for part in _parts(graph)):
        return atom
    formals = (*atom.formals, TypedFormal(symbol, ""))
    return replace(
        atom,
        name=f"perspective of {atom.name}",
        formals=formals,
        variadic=False,
        domain=(*_changed(atom.domain, _domain_scaler(atom, scale)), _nonneg(scale)),
        value=None if atom.value is None else _value(atom, atom.value, scale),
        quadratic=None,
        graph=graph,
        doc=f"s·f(x/s) of `{atom.name}`.",
        entangled=entangled(formals, graph),
    )


def _graph(graph: AtomGraph, scale: Expr, made: Made) -> AtomGraph:
    """The graph with every constant multiplied by the scale; bounds of its variables become constraints."""
    bounded = [v for v in graph.variables if v.has("in")]
    fresh = {v: replace(v, attributes=tuple(a for a in v.attributes if a.name != "in")) for v in bounded}
    inner = _Perspective(scale, made, {v: reference(f) for v, f in fresh.items()})
    bounds = tuple(
        Constraint("bounds", Kind.LE, tuple(map(inner.of, pair)), v.span, shape=v.shape)
        for v in bounded
        for a in v.attributes
        if a.name == "in"
        for pair in ((a.arguments[0], reference(v)), (reference(v), a.arguments[1]))
    )
    return AtomGraph(
        tuple(fresh.get(v, v) for v in graph.variables),
        graph.sense,
        inner.of(graph.objective),
        (*map(inner.constraint, graph.constraints), *bounds),
    )


def _parts(graph: AtomGraph) -> Iterator[Expr]:
    yield graph.objective
    for constraint in graph.constraints:
        yield from constraint.parts if constraint.indicator is None else (constraint.indicator,)


def _changed(constraints: tuple[Constraint, ...], change: Callable[[Expr], Expr]) -> tuple[Constraint, ...]:
    return tuple(replace(c, parts=tuple(map(change, c.parts))) for c in constraints)


def _nonneg(scale: Expr) -> Constraint:
    return Constraint("scale", Kind.LE, (constant(0.0, scale.span), scale), scale.span)


def _unused(name: str, atom: Atom) -> str:
    taken_names = {f.symbol.name for f in atom.formals} | set(atom.dims)
    while name in taken_names:
        name += "'"
    return name


# --- values ------------------------------------------------------------------------------------------------------


def _value(atom: Atom, value: Expr, scale: Expr) -> Expr:
    """s·value(x/s), numerically."""
    return bilinear("mul", _domain_scaler(atom, scale)(value), scale, value.shape, value.span)


def _domain_scaler(atom: Atom, scale: Expr) -> Callable[[Expr], Expr]:
    """Puts x/s for every convex formal x; numeric expressions count those as constants."""
    over = {
        f.symbol: quotient(reference(f.symbol, mode="const"), scale, f.symbol.shape, scale.span)
        for f in atom.formals
        if not f.mode
    }
    done: dict[Expr, Expr] = {}

    def change(expr: Expr) -> Expr:
        if expr not in done:
            match expr:
                case Ref(symbol=symbol):
                    done[expr] = over.get(symbol, expr)
                case Apply(args=args) | AtomCall(args=args):
                    done[expr] = replace(expr, args=tuple(map(change, args)))
                case Take(operand=operand):
                    done[expr] = replace(expr, operand=change(operand))
                case Reduce(body=body):
                    done[expr] = replace(expr, body=change(body))
                case Const() | Size() | DualRef() | OptimalValue():
                    done[expr] = expr
                case _:
                    assert_never(expr)
        return done[expr]

    return change


# --- the scale's own domain --------------------------------------------------------------------------------------


def _where_nonneg(result: Expr, scale: Expr, span: Span) -> Expr:
    """The expression where s ≥ 0, for a scale of unknown sign: the perspective implies it, as √x implies x ≥ 0."""
    have = result.facts.curvature
    curvature = have if have.is_affine or have.is_concave else Curvature.CONVEX
    f, s = Symbol("f", Role.FORMAL, (), span), Symbol("s", Role.FORMAL, (), span)
    value, scalar = reference(f), reference(s)
    atom = Atom(
        name="perspective",
        formals=(TypedFormal(f, ""), TypedFormal(s, "")),
        dims=(),
        kind="elementwise",
        variadic=False,
        shape=(),
        curvature=Curvature.AFFINE if curvature.is_affine else curvature,
        sign=tuple(FactClause(w, "", (("f", w),)) for w in (Sign.NONNEG, Sign.NONPOS)),
        monotone=(FactClause(Monotonicity.INCREASING, "f"),),
        domain=(_nonneg(scalar),),
        value=None,
        quadratic=None,
        graph=AtomGraph((), "maximize" if curvature is Curvature.CONCAVE else "minimize", value, (_nonneg(scalar),)),
        span=span,
    )
    return apply_record(Match(atom, (result, scale), {}, result.shape, None, keepdims=False), span)
