"""Fixes of what is DCP but not DPP, one function for each kind of culprit that blame finds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from dpplang.core.diagnostics import Fix
from dpplang.semantics.atom_definite import is_nsd, is_psd
from dpplang.semantics.fixes.naming import joined
from dpplang.semantics.fixes.products import isolated, product, quotient
from dpplang.semantics.fixes.program import Around
from dpplang.semantics.fixes.rewrite import Impossible, Rewrite
from dpplang.semantics.fixes.syntax import Place, arguments_of, binders_on, parts, path, substituted
from dpplang.semantics.tree import AtomCall, Expr
from dpplang.semantics.typed import parts_of
from dpplang.syntax import ast
from dpplang.syntax.grouping import binding, grouped
from dpplang.syntax.walk import walk

_MOST_CALLS = 8
Write = Callable[[Rewrite, Place], str]


def derived_fix(around: Around, expr: Expr) -> tuple[Fix, ...]:
    """A function of parameters, computed before the problem is solved: ``exp(p)``, ``|p|``, ``p * q``."""

    def write(rewrite: Rewrite, place: Place) -> str:
        return rewrite.derive(
            joined(place.node), place.text, expr.shape, attribute=definiteness(expr, rewrite, place.node)
        )

    return _fix(around, expr, write)


def definiteness(expr: Expr, rewrite: Rewrite, node: ast.Expr) -> str:
    """The attribute that a derived matrix needs where a function asks for it, and that is proved."""
    above = path(rewrite.item, node)
    argument = len(above) > 1 and isinstance(above[-2], ast.Call)
    if not argument or len(expr.shape) != 2:
        return ""
    return "psd" if is_psd(expr) else "nsd" if is_nsd(expr) else ""


def product_fix(around: Around, expr: Expr) -> tuple[Fix, ...]:
    return _fix(around, expr, product)


def quotient_fix(around: Around, expr: Expr) -> tuple[Fix, ...]:
    return _fix(around, expr, quotient)


def entangled_fix(around: Around, call: AtomCall) -> tuple[Fix, ...]:
    """An atom that multiplies two parametrized arguments: the one with variables is named by a new variable."""

    def write(rewrite: Rewrite, place: Place) -> str:
        below = parts(place, around.definitions)
        tangled = {
            id(a) for f, a in zip(call.atom.formals, call.args, strict=True) if f.symbol.name in call.atom.entangled
        }
        patches = {id(p.node): isolated(rewrite, p) for p in below if id(p.expr) in tangled and p.expr.facts.params}
        if not patches:
            raise Impossible
        return substituted(place.node, place.names, patches)

    return _fix(around, call, write)


def factored_fix(around: Around, call: AtomCall) -> tuple[Fix, ...]:
    """``quad_form(x, P)`` outside the objective through a Cholesky factor, which P must have."""

    def write(rewrite: Rewrite, place: Place) -> str:
        below = parts(place, around.definitions)
        if call.atom.name != "quad_form" or len(below) != 2:
            raise Impossible
        x, matrix = below
        sign, inside = ("", matrix.text) if is_psd(matrix.expr) else ("-", f"-{grouped(matrix.text)}")
        definite = "positive" if not sign else "negative"
        rewrite.assumptions.append(f"`{matrix.text}` is {definite} definite")
        factor = rewrite.derive(joined(matrix.node, "chol"), f"chol({inside})'", matrix.expr.shape, place.binders)
        return f"{sign}sum_squares({factor} @ {grouped(x.text, 3)})"

    return _fix(around, call, write)


def _fix(around: Around, expr: Expr, write: Write) -> tuple[Fix, ...]:
    """Where the culprit stands; else at the calls of the ``func`` it is in; else with a weight assumed positive."""
    place, item = around.place(expr), around.item_at(expr.span)
    if place is None or item is None or isinstance(item, ast.AtomItem):
        return ()
    for make in (
        lambda: _in_its_item(around, place, item, write),
        lambda: _at_its_calls(around, place, item, write),
        lambda: _in_its_item(around, place, item, write, assuming=True),
    ):
        try:
            return (make(),)
        except Impossible:
            continue
    return ()


def _in_its_item(around: Around, place: Place, item: ast.AnyItem, write: Write, *, assuming: bool = False) -> Fix:
    """The culprit is rewritten where it stands; in a ``func``, only if what it needs does not hang on the arguments."""
    formals = frozenset(place.names)
    if isinstance(item, ast.FuncItem):
        sizes = (n.name for f in item.formals for s in f.shape for n in walk(s) if isinstance(n, ast.Name))
        formals |= {s for s in sizes if s not in around.dims}
    binders = binders_on(path(item, place.node)[:-1])
    rewrite = Rewrite(around, item, binders, formals, assuming=assuming)
    return rewrite.fix(place.node, write(rewrite, place))


def _at_its_calls(around: Around, place: Place, item: ast.AnyItem, write: Write) -> Fix:
    """Every call of a ``func`` is replaced by its body with the culprit rewritten, and the ``func`` taken out."""
    if not isinstance(item, ast.FuncItem):
        raise Impossible
    calls = [
        (user, node)
        for user in around.file.items
        for node in walk(user)
        if isinstance(node, ast.Call) and node.function.name == item.name.name
    ]
    if not 1 <= len(calls) <= _MOST_CALLS or any(isinstance(user, ast.FuncItem | ast.AtomItem) for user, _ in calls):
        raise Impossible
    fixes = [_at_call(around, place, item, user, call, write) for user, call in calls]
    edits = dict.fromkeys(edit for fix in fixes for edit in fix.edits)
    if len(fixes) > 1:
        edits[around.without(item)] = None
    replaced = sorted((e.span.start, e.span.end) for e in edits if e.span.end > e.span.start)
    if any(stop > start for (_, stop), (start, _) in pairwise(replaced)):
        raise Impossible
    rest = f"; so at each of {len(fixes)} calls, and `{item.name.name}` is left out" if len(fixes) > 1 else ""
    return Fix(fixes[0].title + rest, tuple(edits), fixes[0].applicability)


def _at_call(around: Around, place: Place, item: ast.FuncItem, user: ast.AnyItem, call: ast.Call, write: Write) -> Fix:
    names = arguments_of(call, item, {})
    inside = binders_on(path(item.body, place.node)[:-1])
    outside = binders_on(path(user, call)[:-1])
    if names is None or {b.name.name for b in inside} & {b.name.name for b in outside}:
        raise Impossible
    rewrite = Rewrite(around, user, (*outside, *inside))
    text = write(rewrite, Place(_as_called(around, place, call), place.node, names))
    whole = substituted(item.body, names, {id(place.node): grouped(text, binding(place.node))})
    return rewrite.fix(call, whole)


def _as_called(around: Around, place: Place, call: ast.Call) -> Expr:
    """The culprit as it is typed at a call."""
    bodies = [one.body for one in around.inlined.values() if one.span == call.span]
    pending = list(bodies)
    seen: set[int] = set()
    while pending:
        expr = pending.pop()
        if expr.span == place.expr.span and type(expr) is type(place.expr):
            return expr
        if id(expr) not in seen:
            seen.add(id(expr))
            pending.extend(parts_of(expr))
    raise Impossible
