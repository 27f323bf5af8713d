"""Between the typed tree and the text: what a typed expression is in the syntax, and text with names substituted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from dpplang.core.diagnostics import Edit
from dpplang.core.edits import apply_edits
from dpplang.core.source import Span
from dpplang.semantics.tree import Apply, AtomCall, Expr, Reduce, Take
from dpplang.syntax import ast
from dpplang.syntax.grouping import grouped
from dpplang.syntax.walk import children, walk

Substitution = Mapping[str, str]

_OPS = {"+": ("add",), "-": ("sub",), "*": ("mul",), "/": ("div",), "@": ("matmul",)}


@dataclass(frozen=True, slots=True)
class Place:
    """A typed expression beside the syntax that stands for it.

    Attributes:
        names: what the names of ``node`` stand for where the rewritten text goes, if that is not themselves: the
            arguments of the ``func`` whose body the node is in.
        binders: index variables that are bound around the node within what is rewritten, outermost first.
    """

    expr: Expr
    node: ast.Expr
    names: Substitution = field(default_factory=dict[str, str])
    binders: tuple[ast.Binder, ...] = ()

    @property
    def text(self) -> str:
        return substituted(self.node, self.names)


def find(item: ast.Node, span: Span) -> ast.Expr | None:
    """The expression of an item that has exactly this span (the outermost, if a name is all there is of it)."""
    pending = [item]
    while pending:
        node = pending.pop()
        if node.span == span and isinstance(node, ast.Expr):
            return node
        pending.extend(child for child in children(node) if _covers(child, span))
    return None


def _covers(node: ast.Node, span: Span) -> bool:
    return node.span.start <= span.start and span.end <= node.span.end


def path(root: ast.Node, target: ast.Node) -> list[ast.Node]:
    """The nodes from ``root`` to ``target``, both included; empty if it is not below it."""
    if root is target:
        return [root]
    for child in children(root):
        if _covers(child, target.span):
            below = path(child, target)
            if below:
                return [root, *below]
    return []


def binders_on(nodes: Iterable[ast.Node]) -> tuple[ast.Binder, ...]:
    """The index variables that the nodes of a path bind for those below."""
    found: list[ast.Binder] = []
    for node in nodes:
        if isinstance(node, ast.Generator | ast.ConstraintItem):
            found += node.binders
    return tuple(found)


def names_in(node: ast.Node) -> frozenset[str]:
    """Every name that occurs, index variables and functions included."""
    plain = (n.name for n in walk(node) if isinstance(n, ast.Name))
    return frozenset((*plain, *(n.function.name for n in walk(node) if isinstance(n, ast.Call))))


def free_names(node: ast.Node) -> frozenset[str]:
    """Names of values that are not index variables of the node's own generators."""
    found: set[str] = set()
    pending: list[tuple[ast.Node, frozenset[str]]] = [(node, frozenset())]
    while pending:
        top, bound = pending.pop()
        if isinstance(top, ast.Name) and top.name not in bound:
            found.add(top.name)
        if isinstance(top, ast.Generator):
            bound |= {b.name.name for b in top.binders}
        pending += [(child, bound) for child in children(top)]
    return frozenset(found)


def substituted(node: ast.Expr, names: Substitution, patches: Mapping[int, str] | None = None) -> str:
    """The text of an expression, its names replaced by what they stand for, and some of its parts by other text.

    Args:
        names: texts, put in brackets where they need them. patches: by ``id`` of a node below, what replaces it.
    """
    edits: list[Edit] = []
    pending: list[tuple[ast.Node, frozenset[str]]] = [(node, frozenset())]
    while pending:
        top, bound = pending.pop()
        patch = (patches or {}).get(id(top))
        if patch is not None:
            edits.append(Edit(top.span, patch))
            continue
        if isinstance(top, ast.Name) and top.name in names and top.name not in bound:
            whole = top is node
            edits.append(Edit(top.span, names[top.name] if whole else grouped(names[top.name])))
            continue
        if isinstance(top, ast.Generator):
            bound |= {b.name.name for b in top.binders}
        pending += [(child, bound) for child in children(top)]
    start = node.span.start
    base = Span(node.span.source, start, node.span.end)
    return apply_edits(base.text, (replace(e, span=_shifted(e.span, start)) for e in edits))


def _shifted(span: Span, by: int) -> Span:
    return Span(span.source, span.start - by, span.end - by)


@dataclass(frozen=True, slots=True)
class Definitions:
    """What names of a file stand for: its own ``func`` and ``let`` items. Those that use a name which is an index
    variable elsewhere are left out: written out there they would mean something else."""

    functions: Mapping[str, ast.FuncItem]
    lets: Mapping[str, ast.LetItem]

    @staticmethod
    def of(file: ast.File) -> Definitions:
        indices = frozenset(n.name.name for n in walk(file) if isinstance(n, ast.Binder))
        functions = {
            i.name.name: i
            for i in file.items
            if isinstance(i, ast.FuncItem) and not (free_names(i.body) - {f.name.name for f in i.formals}) & indices
        }
        lets = (i for i in file.items if isinstance(i, ast.LetItem) and not free_names(i.value) & indices)
        return Definitions(functions, {i.declaration.name.name: i for i in lets})

    def opened(self, place: Place) -> Place | None:
        """The place with names of ``let`` and calls of ``func`` replaced by what they stand for; None if a name in
        there would be taken for another."""
        while True:
            node = place.node
            match node:
                case ast.Name(name=name) if name in self.lets and name not in place.names:
                    value = self.lets[name].value
                    if place.expr.span != value.span:
                        return place
                    place = replace(place, node=value, names={})
                case ast.Call(function=function) if function.name in self.functions:
                    body = written_out(place, self.functions)
                    if body is None:
                        return None
                    place = body
                case ast.Transpose(operand=operand) if len(place.expr.shape) < 2:
                    place = replace(place, node=operand)
                case ast.Unary(op="+", operand=operand):
                    place = replace(place, node=operand)
                case ast.Call(arguments=(argument,)) if _is_idle(place.expr, node, argument):
                    if not isinstance(argument, ast.Expr):
                        return place
                    place = replace(place, node=argument)
                case _:
                    return place


def _is_idle(expr: Expr, call: ast.Call, argument: ast.Node) -> bool:
    """``sum(y)`` of a scalar: the call is its argument."""
    return call.function.name in ("sum", "mean", "vec") and not expr.shape and expr.span == argument.span


def parts(place: Place, definitions: Definitions) -> list[Place]:
    """The parts of an expression beside their syntax; empty where the two do not run parallel."""
    inside = definitions.opened(place)
    found = [] if inside is None else _parts(inside)
    return found if all(_agree(p, definitions) for p in found) else []


def _agree(place: Place, definitions: Definitions) -> bool:
    """Whether the syntax is that of the expression, as far as spans tell."""
    inside = definitions.opened(place)
    return inside is not None and (inside.node.span == place.expr.span or _is_formal(inside))


def _is_formal(place: Place) -> bool:
    """A name of a ``func`` argument, which is the caller's expression."""
    return isinstance(place.node, ast.Name) and place.node.name in place.names


def _parts(place: Place) -> list[Place]:
    expr, node = place.expr, place.node
    match expr, node:
        case Apply(op=op, args=(left, right)), ast.Binary() if op in _OPS.get(node.op, ()):
            return [replace(place, expr=left, node=node.left), replace(place, expr=right, node=node.right)]
        case Apply(op="neg", args=(operand,)), ast.Unary(op="-"):
            return [replace(place, expr=operand, node=node.operand)]
        case Apply(op="transpose", args=(operand,)), ast.Transpose():
            return [replace(place, expr=operand, node=node.operand)]
        case Take(operand=operand), ast.Index():
            return [replace(place, expr=operand, node=node.operand)]
        case Reduce(body=body), ast.Call(arguments=(ast.Generator() as generator,)):
            if set(place.names) & {b.name.name for b in generator.binders}:
                return []
            return [replace(place, expr=body, node=generator.body, binders=(*place.binders, *generator.binders))]
        case AtomCall(), ast.Binary(op="^") if len(expr.args) == 2:
            return [replace(place, expr=expr.args[0], node=node.left)]
        case AtomCall(), ast.Call() if len(node.arguments) <= len(expr.args):
            return list(_arguments(place, expr, node))
        case Apply(args=args), ast.Call() if len(node.arguments) <= len(args):
            pairs = zip(args, node.arguments, strict=False)
            return [replace(place, expr=a, node=n) for a, n in pairs if isinstance(n, ast.Expr)]
        case _:
            return []


def _arguments(place: Place, call: AtomCall, node: ast.Call) -> Iterator[Place]:
    for arg, syntax in zip(call.args, node.arguments, strict=False):
        if isinstance(syntax, ast.Expr):
            yield replace(place, expr=arg, node=syntax)
    formals = [f.symbol.name for f in call.atom.formals]
    for keyword in node.keywords:
        if keyword.name.name in formals:
            yield replace(place, expr=call.args[formals.index(keyword.name.name)], node=keyword.value)


def written_out(place: Place, functions: Mapping[str, ast.FuncItem]) -> Place | None:
    """A call of a ``func`` as the body that it stands for; None if its names would be taken for others."""
    call = place.node
    if not isinstance(call, ast.Call) or call.function.name not in functions:
        return None
    item = functions[call.function.name]
    names = arguments_of(call, item, place.names)
    if names is None or place.expr.span != item.body.span:
        return None
    bound = {b.name.name for n in walk(item.body) if isinstance(n, ast.Generator) for b in n.binders}
    used = {n.name for a in call.arguments if isinstance(a, ast.Expr) for n in walk(a) if isinstance(n, ast.Name)}
    return None if bound & (used | set(names)) else replace(place, node=item.body, names=names)


def arguments_of(call: ast.Call, item: ast.FuncItem, names: Substitution) -> dict[str, str] | None:
    """Texts of the formals at a call; None if one is missing or its default names other formals."""
    found: dict[str, str] = {}
    for formal, argument in zip(item.formals, call.arguments, strict=False):
        if not isinstance(argument, ast.Expr):
            return None
        found[formal.name.name] = substituted(argument, names)
    for keyword in call.keywords:
        found[keyword.name.name] = substituted(keyword.value, names)
    for formal in item.formals:
        if formal.name.name not in found:
            if formal.default is None or names_in(formal.default):
                return None
            found[formal.name.name] = formal.default.span.text
    sizes = {n.name for f in item.formals for s in f.shape for n in walk(s) if isinstance(n, ast.Name)}
    used = {n.name for n in walk(item.body) if isinstance(n, ast.Name)}
    return None if (sizes & used) - set(found) else found
