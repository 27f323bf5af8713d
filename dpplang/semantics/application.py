"""Calls: a ``func`` inlined, a generator, an affine primitive, a numeric function, an atom; in that order."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dpplang.core.diagnostics import Label
from dpplang.core.source import Span
from dpplang.lattice.dims import Poly, show_shape
from dpplang.semantics import hints
from dpplang.semantics.arguments import Called
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.build import affine, polynomial, size_node
from dpplang.semantics.calls import Site, call_atom
from dpplang.semantics.generators import generate
from dpplang.semantics.numeric_functions import NUMERIC_NAMES, apply_numeric
from dpplang.semantics.primitives import FOREIGN, PRIMITIVES, STACKING, join
from dpplang.semantics.report import Mistake, mistake, plural, replacement, suggestions
from dpplang.semantics.scope import Function, Poison, Scope
from dpplang.semantics.sets import shown
from dpplang.semantics.tree import Expr
from dpplang.semantics.walk import Inlined, Walk
from dpplang.syntax import ast


@dataclass(frozen=True, slots=True)
class _Typed:
    """Arguments of a call, typed."""

    args: tuple[Expr, ...]
    keywords: tuple[tuple[ast.Ident, Expr], ...]

    @property
    def is_constant(self) -> bool:
        return all(a.facts.is_constant for a in (*self.args, *(v for _, v in self.keywords)))

    @property
    def touches_variables(self) -> bool:
        return any(a.facts.variables for a in (*self.args, *(v for _, v in self.keywords)))


def call(walk: Walk, node: ast.Call, scope: Scope) -> Expr | None:
    """The typed call; None if a part is wrong, which is then reported.

    Raises:
        Mistake: the call itself is wrong.
    """
    name = node.function.name
    function = scope.file.functions.get(name)
    own_atom = name in scope.file.own_atoms
    if function is None and not own_atom:
        match node.arguments:
            case (ast.Generator() as generator,):
                return generate(walk, node, generator, scope)
            case (ast.Array(elements=(ast.Array(), *_)) as rows,) if name == "bmat":
                return _bmat(walk, rows, node, scope)
            case (ast.Array(elements=parts),) if name in STACKING and parts:
                node = replace(node, arguments=parts)
            case _:
                pass
    typed = _arguments(walk, node, scope)
    if typed is None or isinstance(function, Poison):
        return None
    if function is not None:
        return _inline(walk, node, function, typed, scope)
    called = Called(name, typed.args, typed.keywords, node.span, node.function.span)
    if name in PRIMITIVES and not own_atom:
        return PRIMITIVES[name](called)
    if name in NUMERIC_NAMES and not own_atom and (scope.numeric or typed.is_constant):
        return apply_numeric(called)
    found = scope.file.library.lookup(name)
    records = tuple(r for r in found if not r.is_set)
    if found and not records:
        form = shown(found[0])
        raise mistake("NAM104", f"`{name}` is a set, not a function", node.function.span, help=(f"write `{form}`",))
    if records:
        site = Site(name, node.span, node.function.span, scope.file.requires)
        result = call_atom(records, typed.args, typed.keywords, site)
        if result.expr is None:
            raise Mistake(*result.diagnostics)
        return result.expr
    if name in scope.file.library.names():
        return None  # its record is wrong, and reported
    raise _unknown(node, typed, scope)


def _arguments(walk: Walk, node: ast.Call, scope: Scope) -> _Typed | None:
    args: list[Expr] = []
    sound = True
    for argument in node.arguments:
        if isinstance(argument, ast.Generator):
            raise mistake("NAM104", "a generator must be the only argument of its call", argument.span)
        typed = walk.infer(argument, scope)
        sound = sound and typed is not None
        if typed is not None:
            args.append(typed)
    keywords: list[tuple[ast.Ident, Expr]] = []
    for keyword in node.keywords:
        value = walk.infer(keyword.value, scope)
        sound = sound and value is not None
        if value is not None:
            keywords.append((keyword.name, value))
    return _Typed(tuple(args), tuple(keywords)) if sound else None


def _unknown(node: ast.Call, typed: _Typed, scope: Scope) -> Mistake:
    name, span = node.function.name, node.function.span
    if name in NUMERIC_NAMES:
        if typed.touches_variables:
            return mistake(
                "DCP211",
                f"`{name}` is a numeric function, not an atom: it cannot be applied to variables",
                span,
                help=("`dpp atoms` lists the functions of variables that keep a problem convex",),
            )
        return mistake(
            "DPP303",
            f"`{name}` of parameters must be computed before the problem is solved",
            span,
            help=(f"`derived d = {node.span.text}`, and use `d` here",),
        )
    binding = scope.lookup(name)
    if binding is not None:
        return mistake(
            "NAM104",
            f"`{name}` is not a function",
            span,
            help=(f"`{name}[…]` indexes it, `{name} * (…)` multiplies",),
        )
    if name == "norm" and len(node.arguments) == 2 and not node.keywords:
        return _norm(node, node.arguments[0], node.arguments[1])
    if name in hints.FUNCTIONS:
        return mistake("NAM104", f"unknown function `{name}`", span, help=(hints.FUNCTIONS[name],))
    if name in FOREIGN:
        ours = FOREIGN[name]
        fix = replacement(f"write `{ours}`", span, ours)
        return mistake("NAM104", f"unknown function `{name}`", span, f"it is called `{ours}` here", fixes=(fix,))
    known = [*scope.file.functions, *scope.file.library.functions(), *PRIMITIVES, *NUMERIC_NAMES]
    fixes = scope.file.spelling.near(name, known, span)
    return mistake("NAM104", f"unknown function `{name}`", span, fixes=fixes)


def _norm(node: ast.Call, what: ast.Node, order: ast.Node) -> Mistake:
    """``norm(x, 1)``: every norm is a function of its own."""
    ours = {"1": "norm1", "2": "norm2", "inf": "norm_inf"}.get(order.span.text)
    help_ = ("norms are `norm1`, `norm2`, `norm_inf`, `norm_fro`, `norm_nuc` and `pnorm`",)
    if ours is None:
        return mistake("NAM104", "unknown function `norm`", node.function.span, help=help_)
    text = f"{ours}({what.span.text})"
    fix = replacement(f"write `{text}`", node.span, text)
    return mistake("NAM104", "unknown function `norm`", node.function.span, f"it is called `{ours}` here", fixes=(fix,))


def _bmat(walk: Walk, rows: ast.Array, node: ast.Call, scope: Scope) -> Expr | None:
    """``bmat([[A, B], [C, D]])``: rows side by side, then on top of each other. Scalars are 1 × 1 blocks."""
    stacked: list[Expr] = []
    sound = True
    for row in rows.elements:
        if not isinstance(row, ast.Array):
            raise mistake("SHP512", "every row of `bmat` is a list of blocks", row.span)
        blocks = [walk.infer(e, scope) for e in row.elements]
        known = [_block(b) for b in blocks if b is not None]
        if len(known) < len(blocks):
            sound = False
            continue
        stacked.append(join(Called("bmat", tuple(known), (), row.span, node.function.span), known, "hstack"))
    if not sound:
        return None
    return join(Called("bmat", tuple(stacked), (), node.span, node.function.span), stacked, "vstack")


def _block(part: Expr) -> Expr:
    one = Poly.const(1)
    if len(part.shape) >= 2:
        return part
    return affine("reshape", (part,), (one, *(part.shape or (one,))), part.span)


# --- func --------------------------------------------------------------------------------------------------------


def _inline(walk: Walk, node: ast.Call, function: Function, typed: _Typed, scope: Scope) -> Expr | None:
    item = function.item
    name = item.name.name
    around = next((i for i, outer in enumerate(walk.state.stack) if outer is item), None)
    if around is not None:
        path = " → ".join(f"`{f.name.name}`" for f in (*walk.state.stack[around:], item))
        raise mistake(
            "NAM106",
            f"`{name}` is defined through itself: {path}",
            node.function.span,
            secondary=(Label(item.name.span, "a `func` is written out at every call, so it cannot call itself"),),
        )
    walk.state.called.add(name)
    bound = _bind_formals(item, typed, node)
    sizes: dict[str, Poly] = {}
    local: dict[str, Expr] = {}
    default_scope = Scope(function.file, binders=scope.binders, numeric=scope.numeric)
    for formal in item.formals:
        value = bound.get(formal.name.name)
        if value is None and formal.default is not None:
            value = walk.infer(formal.default, default_scope)
        if value is None:
            return None
        _match_shape(walk, formal, value, sizes, function, node)
        local[formal.name.name] = value
    dims = {n: size_node(p, item.span, scope.binders) for n, p in sizes.items() if n not in local}
    inner = replace(default_scope, local={**dims, **local}, conditions=scope.conditions)
    stack = walk.state.stack
    walk.state.stack = (*stack, item)
    try:
        body = walk.infer(item.body, inner)
    finally:
        walk.state.stack = stack
    if body is not None and not any(body is a for a in local.values()):
        walk.state.inlined[id(body)] = Inlined(name, node.span, body)
    return body


def _bind_formals(item: ast.FuncItem, typed: _Typed, node: ast.Call) -> dict[str, Expr]:
    names = [f.name.name for f in item.formals]
    required = sum(f.default is None for f in item.formals)
    if len(typed.args) > len(names):
        raise _arity(item, required, len(typed.args), node.span)
    bound = dict(zip(names, typed.args, strict=False))
    for ident, value in typed.keywords:
        if ident.name not in names or ident.name in bound:
            what = "is given twice" if ident.name in bound else f"is no argument of `{item.name.name}`"
            raise mistake(
                "NAM118", f"`{ident.name}` {what}", ident.span, fixes=suggestions(ident.name, names, ident.span)
            )
        bound[ident.name] = value
    if any(f.name.name not in bound for f in item.formals if f.default is None):
        raise _arity(item, required, len(bound), node.span)
    return bound


def _arity(item: ast.FuncItem, required: int, given: int, span: Span) -> Mistake:
    most = len(item.formals)
    expected = plural(most, "argument") if required == most else f"{required} to {most} arguments"
    return mistake(
        "NAM105",
        f"`{item.name.name}` takes {expected}, {given} given",
        span,
        secondary=(Label(item.name.span, "defined here"),),
    )


def _match_shape(
    walk: Walk, formal: ast.Formal, value: Expr, sizes: dict[str, Poly], function: Function, node: ast.Call
) -> None:
    """Unify the declared shape with the argument's: a name that is no dim of the file stands for the size it meets."""
    if formal.any_shape:
        return
    if len(formal.shape) != len(value.shape):
        raise _argument_shape(formal, value, node)
    for declared, actual in zip(formal.shape, value.shape, strict=True):
        if (
            isinstance(declared, ast.Name)
            and declared.name not in sizes
            and function.file.names.get(declared.name) is None
        ):
            sizes[declared.name] = actual
            continue
        local = {n: size_node(p, declared.span) for n, p in sizes.items()}
        size = walk.infer(declared, Scope(function.file, local=local))
        if size is None:
            raise Mistake
        if polynomial(size) != actual:
            raise _argument_shape(formal, value, node)


def _argument_shape(formal: ast.Formal, value: Expr, node: ast.Call) -> Mistake:
    declared = f"`{formal.span.text}`" if formal.shape else f"`{formal.name.name}`, a scalar"
    return mistake(
        "SHP511",
        f"this argument of `{node.function.name}` has shape {show_shape(value.shape)}, declared is {declared}",
        value.span,
        show_shape(value.shape),
        secondary=(Label(formal.span, "declared here"), *declaration_labels(value)),
    )
