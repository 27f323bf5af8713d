"""What the grammar lets through but cannot stand where it stands: one look at every item that was parsed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.source import Span
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

_GENERATOR_CALLS = frozenset({"sum", "max", "min", "hstack", "vstack"})
_DIRECTION = {"<=": 1, "<<": 1, ">=": -1, ">>": -1}
_LONGEST_PART = 50  # characters of a relation that is written out in help


def check_placement(items: Iterable[ast.AnyItem]) -> tuple[Diagnostic, ...]:
    """`dual` outside `return`, shapes of dims, defaults of variables, modes of a func's arguments, chains
    that turn."""
    return tuple(d for item in items for d in _item(item))


def _item(item: ast.AnyItem) -> Iterator[Diagnostic]:
    match item:
        case ast.DimItem():
            for declaration in item.declarations:
                yield from _dim(declaration)
        case ast.VarItem() | ast.ParamItem():
            for declaration in item.declarations:
                yield from _no_default(item, declaration)
        case ast.FuncItem():
            for formal in item.formals:
                if formal.mode is not ast.Mode.CONVEX:
                    message = f"`{formal.mode.value}` is a mode of an atom's argument; a `func` takes anything"
                    yield Diagnostic("SYN020", message, Label(formal.span), help=("leave it out",))
        case _:
            pass
    for node in walk(item):
        if isinstance(node, ast.Dual) and not isinstance(item, ast.ReturnItem):
            message = f"`dual {node.constraint.name}` can only stand in `return`"
            notes = ("a dual is known when the problem is solved, not while it is stated",)
            yield Diagnostic("SYN019", message, Label(node.span), notes=notes)
        elif isinstance(node, ast.Call):
            yield from _call(node)
        elif isinstance(node, ast.Relation):
            yield from _turn(node)


def _turn(relation: ast.Relation) -> Iterator[Diagnostic]:
    """A chain that runs up and down says nothing of its ends: two relations, or one whose right side is missing."""
    ways = [(_DIRECTION[op], at) for at, op in enumerate(relation.ops) if op in _DIRECTION]
    turn = next((at for way, at in ways if way != ways[0][0]), None)
    if turn is None:
        return
    first, span, middle = ways[0][1], relation.op_spans[turn], relation.operands[turn]
    ended = relation.op_spans[turn - 1]
    source = span.source
    if "\n" in source.text[ended.end : middle.span.start]:
        help_ = f"a line that ends in `{ended.text}` goes on in the next: write what stands to the right of it"
    else:
        up, down = relation.operands[0].span.start, relation.operands[-1].span.end
        parts = (Span(source, up, middle.span.end).text, Span(source, middle.span.start, down).text)
        help_ = f"state them apart: {' and '.join(f'`{part}`' for part in parts)}"
        if any("\n" in part or len(part) > _LONGEST_PART for part in parts):
            help_ = "state each as a constraint of its own"
    yield Diagnostic(
        "SYN026",
        f"this chain runs both ways: `{relation.ops[first]}`, then `{relation.ops[turn]}`",
        Label(span, "and back"),
        (Label(relation.op_spans[first], "one way"),),
        notes=("a chain bounds its middle from below and from above, as `lo <= x <= hi` does",),
        help=(help_,),
    )


def _dim(declaration: ast.Declaration) -> Iterator[Diagnostic]:
    name = declaration.name.name
    help_ = (f"`dim {name}` is a size; an array is declared with `data`, `param` or `var`",)
    if declaration.shape:
        yield Diagnostic("SYN020", f"a dim has no shape: `{name}`", Label(declaration.span), help=help_)
    for attribute in declaration.attributes:
        yield Diagnostic("SYN020", f"a dim has no attributes: `{name}`", Label(attribute.span), help=help_)
    default = declaration.default
    if default is not None and not (isinstance(default, ast.Number) and default.is_integer):
        message = f"the default of the dim `{name}` must be a whole number"
        yield Diagnostic("SYN020", message, Label(default.span))


def _no_default(item: ast.VarItem | ast.ParamItem, declaration: ast.Declaration) -> Iterator[Diagnostic]:
    if declaration.default is None:
        return
    name = declaration.name.name
    if isinstance(item, ast.VarItem):
        message = f"the variable `{name}` gets its value from the solver: it has no default"
        help_ = (f"to name an expression write `let {name} = …`; to fix the value, a constraint `{name} == …`",)
    else:
        message = f"the parameter `{name}` is bound at every call: it has no default"
        help_ = (f"to compute it write `derived {name} = …`; a constant with a default is `data {name} = …`",)
    yield Diagnostic("SYN020", message, Label(declaration.default.span), help=help_)


def _call(call: ast.Call) -> Iterator[Diagnostic]:
    name = call.function.name
    for argument in call.arguments:
        if isinstance(argument, ast.Generator) and name not in _GENERATOR_CALLS:
            message = f"`{name}` takes no `… for … in …`"
            help_ = ("`sum`, `max`, `min`, `hstack` and `vstack` run over an index",)
            yield Diagnostic("SYN011", message, Label(argument.span), help=help_)
    starts = [k.span.start for k in call.keywords]
    for argument in call.arguments:
        if starts and argument.span.start > starts[0]:
            message = f"this argument of `{name}` stands behind a named one"
            named = Label(call.keywords[0].span, "named")
            yield Diagnostic("SYN011", message, Label(argument.span), (named,), help=("put it before",))
