"""AST to canonical text: ``parse(print(tree)) == tree``, with as few parentheses as the grammar allows.

One space around operators, none around ``^`` nor inside subscripts (``w[t+1]``). Lines are made in ``layout.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import assert_never

from dpplang.syntax import ast, layout

# How tightly a form binds; a part that binds less tightly than its place asks for stands in parentheses.
_SUM, _TERM, _FACTOR, _POWER, _POSTFIX = range(1, 6)
_BINDING = {"+": (_SUM, _TERM), "-": (_SUM, _TERM), "*": (_TERM, _FACTOR), "/": (_TERM, _FACTOR), "@": (_TERM, _FACTOR)}
_OR, _AND, _NOT = range(1, 4)

AnyNode = ast.Expr | ast.Slice | ast.Generator | ast.Condition | ast.Relation | ast.Membership | ast.AnyItem
_Part = (
    ast.Ident
    | ast.Keyword
    | ast.Binder
    | ast.Attribute
    | ast.Declaration
    | ast.Formal
    | ast.Clause
    | ast.Graph
    | ast.File
)


def print_file(file: ast.File) -> str:
    """A file in canonical form; its comments are kept, and single blank lines between items."""
    return layout.file(file, print_item)


def print_node(node: AnyNode | _Part) -> str:
    """A node in canonical form. Items of one line come without a newline at the end."""
    match node:
        case ast.File():
            return print_file(node)
        case (
            ast.DimItem()
            | ast.DataItem()
            | ast.ParamItem()
            | ast.VarItem()
            | ast.DerivedItem()
            | ast.LetItem()
            | ast.FuncItem()
            | ast.ImportItem()
            | ast.ObjectiveItem()
            | ast.SubjectToItem()
            | ast.ConstraintItem()
            | ast.ReturnItem()
            | ast.AtomItem()
        ):
            return "\n".join(layout.wrapped(line, 0) for line in _item_lines(node))
        case ast.Relation() | ast.Membership():
            return _relation(node)
        case ast.Comparison() | ast.BoolOp() | ast.Not():
            return _condition(node)
        case ast.Slice():
            return _slice(node)
        case ast.Generator():
            return _argument(node)
        case ast.Ident():
            return node.name
        case ast.Keyword():
            return f"{node.name.name} = {_expr(node.value)}"
        case ast.Binder():
            return _binder(node)
        case ast.Attribute():
            return _attribute(node)
        case ast.Declaration():
            return _declaration(node)
        case ast.Formal():
            return _formal(node)
        case ast.Clause():
            return _clause(node)
        case ast.Graph():
            return "\n".join(("graph {", *layout.items(node.items, print_item, 2), "}"))
        case _:
            return _expr(node)


def print_item(item: ast.AnyItem) -> layout.Printed:
    """What the layout needs of an item: the label of a constraint apart from its relation, the entries of an atom."""
    match item:
        case ast.ConstraintItem():
            return layout.Printed(_label(item), _relation(item.relation), item.span)
        case ast.AtomItem():
            head = f"atom {item.name.name}({_joined(map(_formal, item.formals))})"
            return layout.Printed("", head, item.span, _entries(item))
        case _:
            (line,) = _item_lines(item)
            return layout.Printed("", line, item.span)


# --- expressions -------------------------------------------------------------------------------------------------


def _expr(node: ast.Expr, place: int = _SUM, tight: bool = False) -> str:
    """``place``: how tightly it must bind to need no parentheses; ``tight``: no spaces around operators."""
    match node:
        case ast.Number():
            return _number(node)
        case ast.Name():
            return node.name
        case ast.Unary():
            return _grouped(f"{node.op}{_expr(node.operand, _FACTOR, tight)}", place > _FACTOR)
        case ast.Binary(op="^"):
            text = f"{_expr(node.left, _POSTFIX, True)}^{_expr(node.right, _FACTOR, True)}"
            return _grouped(text, place > _POWER)
        case ast.Binary():
            left, right = _BINDING[node.op]
            sign = node.op if tight else f" {node.op} "
            return _grouped(f"{_expr(node.left, left, tight)}{sign}{_expr(node.right, right, tight)}", place > left)
        case ast.Transpose():
            return _expr(node.operand, _POSTFIX, tight) + "'"
        case ast.Index():
            return f"{_expr(node.operand, _POSTFIX, tight)}[{_joined(map(_subscript, node.items))}]"
        case ast.Array():
            return f"[{_joined(map(_expr, node.elements))}]"
        case ast.Tuple():
            return f"({_joined(map(_expr, node.elements))})"
        case ast.Call():
            return f"{node.function.name}({_arguments(node.arguments, node.keywords)})"
        case ast.Dual():
            return f"dual {node.constraint.name}"
        case _:
            assert_never(node)


def _number(node: ast.Number) -> str:
    try:
        written = float(node.text.replace("_", "")) == node.value
    except ValueError:
        written = False
    if written:
        return node.text
    return str(int(node.value)) if node.is_integer else repr(node.value)


def _grouped(text: str, group: bool) -> str:
    return f"({text})" if group else text


def _subscript(item: ast.Expr | ast.Slice) -> str:
    return _slice(item) if isinstance(item, ast.Slice) else _expr(item, tight=True)


def _slice(node: ast.Slice) -> str:
    start = "" if node.start is None else _expr(node.start, tight=True)
    stop = "" if node.stop is None else _expr(node.stop, tight=True)
    return f"{start}:{stop}"


def _argument(node: ast.Expr | ast.Generator | ast.Condition) -> str:
    match node:
        case ast.Generator():
            return f"{_expr(node.body)} for {_domain(node.binders, node.condition)}"
        case ast.Comparison() | ast.BoolOp() | ast.Not():
            return _condition(node)
        case _:
            return _expr(node)


def _arguments(arguments: Iterable[ast.Expr | ast.Generator | ast.Condition], keywords: Iterable[ast.Keyword]) -> str:
    return _joined((*map(_argument, arguments), *(f"{k.name.name} = {_expr(k.value)}" for k in keywords)))


def _binder(binder: ast.Binder) -> str:
    return f"{binder.name.name} in {_subscript(binder.domain)}"


def _domain(binders: Iterable[ast.Binder], condition: ast.Condition | None) -> str:
    return _joined(map(_binder, binders)) + (f" if {_condition(condition)}" if condition is not None else "")


def _condition(node: ast.Condition, place: int = _OR) -> str:
    match node:
        case ast.Comparison():
            return _chain(node.operands, node.ops)
        case ast.BoolOp():
            own = _OR if node.op == "or" else _AND
            return _grouped(f" {node.op} ".join(_condition(p, own + 1) for p in node.parts), place > own)
        case ast.Not():
            return f"not {_condition(node.part, _NOT)}"
        case _:
            assert_never(node)


def _relation(node: ast.Relation | ast.Membership) -> str:
    if isinstance(node, ast.Relation):
        return _chain(node.operands, node.ops)
    extra = _arguments(node.arguments, node.keywords)
    return f"{_expr(node.element)} in {node.cone.name}" + (f"({extra})" if extra else "")


def _chain(operands: Sequence[ast.Expr], ops: Sequence[str]) -> str:
    rest = "".join(f" {op} {_expr(operand)}" for op, operand in zip(ops, operands[1:], strict=True))
    return _expr(operands[0]) + rest


# --- items -------------------------------------------------------------------------------------------------------


def _item_lines(item: ast.AnyItem) -> Sequence[str]:
    match item:
        case ast.DimItem():
            return (f"dim {_joined(map(_declaration, item.declarations))}",)
        case ast.DataItem():
            return (f"data {_joined(map(_declaration, item.declarations))}",)
        case ast.ParamItem():
            return (f"param {_joined(map(_declaration, item.declarations))}",)
        case ast.VarItem():
            return (f"var {_joined(map(_declaration, item.declarations))}",)
        case ast.DerivedItem():
            return (f"derived {_declaration(item.declaration)} = {_expr(item.value)}",)
        case ast.LetItem():
            return (f"let {_declaration(item.declaration)} = {_expr(item.value)}",)
        case ast.FuncItem():
            return (f"func {item.name.name}({_joined(map(_formal, item.formals))}) = {_expr(item.body)}",)
        case ast.ImportItem():
            return (f'from "{item.path}" import {_joined(n.name for n in item.names)}',)
        case ast.ObjectiveItem():
            return (item.sense if item.expression is None else f"{item.sense} {_expr(item.expression)}",)
        case ast.SubjectToItem():
            return ("subject to",)
        case ast.ConstraintItem():
            label = _label(item)
            return (f"{label} {_relation(item.relation)}" if label else _relation(item.relation),)
        case ast.ReturnItem():
            return (f"return {_joined(map(_expr, item.expressions))}",)
        case ast.AtomItem():
            return layout.record(print_item(item), print_item, 0)
        case _:
            assert_never(item)


def _label(item: ast.ConstraintItem) -> str:
    if item.name is None:
        return ""
    domain = f"[{_domain(item.binders, item.condition)}]" if item.binders else ""
    return f"{item.name.name}{domain}:"


def _declaration(node: ast.Declaration) -> str:
    shape = f"[{_joined(map(_expr, node.shape))}]" if node.shape else ""
    default = f" = {_expr(node.default)}" if node.default is not None else ""
    return node.name.name + shape + "".join(f" {_attribute(a)}" for a in node.attributes) + default


def _attribute(node: ast.Attribute) -> str:
    if node.name == "in":
        return f"in [{_joined(map(_expr, node.arguments))}]"
    return node.name + (f"({_joined(map(_expr, node.arguments))})" if node.arguments else "")


def _formal(node: ast.Formal) -> str:
    mode = f"{node.mode.value} " if node.mode is not ast.Mode.CONVEX else ""
    shape = "[...]" if node.any_shape else f"[{_joined(map(_expr, node.shape))}]" if node.shape else ""
    default = f" = {_expr(node.default)}" if node.default is not None else ""
    return mode + node.name.name + shape + "".join(f" {_attribute(a)}" for a in node.attributes) + default


# --- atoms -------------------------------------------------------------------------------------------------------


def _clause(node: ast.Clause) -> str:
    about = f" in {node.argument.name}" if node.argument is not None else ""
    where = " where " + " and ".join(map(_relation, node.where)) if node.where else ""
    return node.word + about + where


def _entries(item: ast.AtomItem) -> tuple[layout.Entry, ...]:
    """The entries in their canonical order, each with the node that tells where it stood."""
    made: list[layout.Entry] = []

    def entry(word: str, text: str, node: ast.Node | None = None) -> None:
        made.append(layout.Entry(f"{word}:", text, node))

    if item.kind != "plain":
        entry("kind", item.kind)
    if item.variadic:
        entry("variadic", "yes")
    if item.shape:
        entry("shape", f"[{_joined(map(_expr, item.shape))}]", item.shape[0])
    if item.requires is not None:
        entry("requires", _condition(item.requires), item.requires)
    if item.curvature is not None:
        entry("curvature", _clause(item.curvature), item.curvature)
    if item.sign:
        entry("sign", _joined(map(_clause, item.sign)), item.sign[0])
    if item.monotone:
        entry("monotone", _joined(map(_clause, item.monotone)), item.monotone[0])
    if item.domain:
        entry("domain", _joined(map(_relation, item.domain)), item.domain[0])
    if item.value is not None:
        entry("value", _expr(item.value), item.value)
    if item.quadratic is not None:
        entry("quadratic", _expr(item.quadratic), item.quadratic)
    if item.graph is not None:
        made.append(layout.Entry("", "graph", item.graph))
    made.extend(layout.Entry("", f"test {_relation(test)}", test) for test in item.tests)
    return tuple(made)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)
