"""From productions of the grammar to the AST: one method per production, bottom up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from dpplang.core.source import Source, Span
from dpplang.syntax import ast
from dpplang.syntax.token import Token


@dataclass(frozen=True, slots=True)
class Domain:
    """``t in T, j in n if cond``."""

    binders: tuple[ast.Binder, ...]
    condition: ast.Condition | None


@dataclass(frozen=True, slots=True)
class AtomHead:
    name: ast.Ident
    formals: tuple[ast.Formal, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an atom's record: ``value`` is what its rule yields, the word itself for ``graph``."""

    word: Token
    value: Any


@dataclass(frozen=True, slots=True)
class _Bound:
    """An end of a slice, told from the other by ``which``."""

    which: str
    value: ast.Expr


@dataclass(frozen=True, slots=True)
class _About:
    name: ast.Ident


class Builder:
    """Called by the automaton with a production's name and its values in order of the text."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def __call__(self, production: str, values: list[Any], start: int, end: int) -> Any:
        return getattr(self, production)(values, Span(self.source, start, end))

    def ident(self, token: Token) -> ast.Ident:
        return ast.Ident(token.text, span=token.span(self.source))

    # --- expressions ---------------------------------------------------------------------------------------------

    def number(self, values: list[Any], span: Span) -> ast.Number:
        text = values[0].text
        return ast.Number(float(text.replace("_", "")), text, span=span)

    def name(self, values: list[Any], span: Span) -> ast.Name:
        return ast.Name(values[0].text, span=span)

    def unary(self, values: list[Any], span: Span) -> ast.Unary:
        op, operand = values
        return ast.Unary(op.text, operand, span=span)

    def binary(self, values: list[Any], span: Span) -> ast.Binary:
        left, op, right = values
        return ast.Binary(op.text, left, right, span=span, op_span=op.span(self.source))

    def transpose(self, values: list[Any], span: Span) -> ast.Transpose:
        return ast.Transpose(values[0], span=span)

    def index(self, values: list[Any], span: Span) -> ast.Index:
        return ast.Index(values[0], tuple(values[1:]), span=span)

    def start(self, values: list[Any], span: Span) -> _Bound:
        return _Bound("start", values[0])

    def stop(self, values: list[Any], span: Span) -> _Bound:
        return _Bound("stop", values[0])

    def slice(self, values: list[Any], span: Span) -> ast.Slice:
        ends = {bound.which: bound.value for bound in values}
        return ast.Slice(ends.get("start"), ends.get("stop"), span=span)

    def range(self, values: list[Any], span: Span) -> ast.Slice:
        return ast.Slice(values[0], values[1], span=span)

    def array(self, values: list[Any], span: Span) -> ast.Array:
        return ast.Array(tuple(values), span=span)

    def tuple(self, values: list[Any], span: Span) -> ast.Tuple:
        return ast.Tuple(tuple(values), span=span)

    def group(self, values: list[Any], span: Span) -> Any:
        return replace(values[0], span=span)

    def call(self, values: list[Any], span: Span) -> ast.Call:
        arguments, keywords = _sorted_arguments(values[1:])
        return ast.Call(self.ident(values[0]), arguments, keywords, span=span)

    def keyword(self, values: list[Any], span: Span) -> ast.Keyword:
        return ast.Keyword(self.ident(values[0]), values[1], span=span)

    def generator(self, values: list[Any], span: Span) -> ast.Generator:
        body, domain = values
        return ast.Generator(body, domain.binders, domain.condition, span=span)

    def dual(self, values: list[Any], span: Span) -> ast.Dual:
        return ast.Dual(self.ident(values[0]), span=span)

    # --- relations and conditions --------------------------------------------------------------------------------

    def domain(self, values: list[Any], span: Span) -> Domain:
        binders = tuple(v for v in values if isinstance(v, ast.Binder))
        condition = values[-1] if len(values) > len(binders) else None
        return Domain(binders, condition)

    def binder(self, values: list[Any], span: Span) -> ast.Binder:
        return ast.Binder(self.ident(values[0]), values[1], span=span)

    def relation(self, values: list[Any], span: Span) -> ast.Relation:
        # `<` and `>` were taken for `<=` and `>=`, `=` for `==`, and reported (messages.py)
        ops = tuple(_RELATIONS.get(str(op.text), str(op.text)) for op in values[1::2])
        op_spans = tuple(op.span(self.source) for op in values[1::2])
        return ast.Relation(tuple(values[::2]), ops, span=span, op_spans=op_spans)

    def membership(self, values: list[Any], span: Span) -> ast.Membership:
        element, *rest = values
        negated = rest[0].text == "not"
        cone, *given = rest[1:] if negated else rest
        arguments, keywords = _sorted_arguments(given)
        return ast.Membership(element, self.ident(cone), arguments, keywords, negated, span=span)

    def comparison(self, values: list[Any], span: Span) -> ast.Comparison:
        ops = tuple("==" if op.text == "=" else op.text for op in values[1::2])
        return ast.Comparison(tuple(values[::2]), ops, span=span)

    def bool_op(self, values: list[Any], span: Span) -> ast.BoolOp:
        left, op, right = values
        # `a and b and c` is one node; `(a and b) and c` is two, and its parts keep their parentheses
        same = isinstance(left, ast.BoolOp) and left.op == op.text and left.span.start == left.parts[0].span.start
        parts = (*left.parts, right) if same else (left, right)
        return ast.BoolOp(op.text, parts, span=span)

    def negated(self, values: list[Any], span: Span) -> ast.Not:
        return ast.Not(values[0], span=span)

    # --- items ---------------------------------------------------------------------------------------------------

    def shape(self, values: list[Any], span: Span) -> _Shape:
        return _Shape(tuple(values), end=span.end)

    def any_shape(self, values: list[Any], span: Span) -> _Shape:
        return _Shape((), any_shape=True)

    def default(self, values: list[Any], span: Span) -> _Default:
        return _Default(values[0])

    def attributes(self, values: list[Any], span: Span) -> _Attributes:
        return _Attributes(tuple(values))

    def attribute(self, values: list[Any], span: Span) -> ast.Attribute:
        return ast.Attribute(values[0].text, tuple(values[1:]), span=span)

    def bounds(self, values: list[Any], span: Span) -> ast.Attribute:
        return ast.Attribute("in", tuple(values), span=span)

    def declaration(self, values: list[Any], span: Span) -> ast.Declaration:
        shape, attributes, default = _parts(values[1:])
        shape = shape or _Shape(())
        return ast.Declaration(self.ident(values[0]), shape.sizes, attributes, default, span=span)

    def dim_item(self, values: list[Any], span: Span) -> ast.DimItem:
        return ast.DimItem(tuple(values), span=span)

    def data_item(self, values: list[Any], span: Span) -> ast.DataItem:
        return ast.DataItem(tuple(values), span=span)

    def param_item(self, values: list[Any], span: Span) -> ast.ParamItem:
        return ast.ParamItem(tuple(values), span=span)

    def var_item(self, values: list[Any], span: Span) -> ast.VarItem:
        return ast.VarItem(tuple(values), span=span)

    def derived_item(self, values: list[Any], span: Span) -> ast.DerivedItem:
        return ast.DerivedItem(self._defined(values), values[-1], span=span)

    def let_item(self, values: list[Any], span: Span) -> ast.LetItem:
        return ast.LetItem(self._defined(values), values[-1], span=span)

    def _defined(self, values: list[Any]) -> ast.Declaration:
        """What stands left of the ``=`` of ``derived`` and ``let``, in a declaration's span of its own."""
        shape, attributes, _ = _parts(values[1:-1])
        end = attributes[-1].span.end if attributes else shape.end if shape else values[0].end
        sizes = shape.sizes if shape else None
        span = Span(self.source, values[0].start, end)
        return ast.Declaration(self.ident(values[0]), sizes, attributes, span=span)

    def formals(self, values: list[Any], span: Span) -> _Formals:
        return _Formals(tuple(values))

    def formal(self, values: list[Any], span: Span) -> ast.Formal:
        mode = ast.Mode.CONVEX
        if isinstance(values[1], Token):  # a mode stands before the name
            mode, values = ast.Mode(values[0].text), values[1:]
        shape, attributes, default = _parts(values[1:])
        shape = shape or _Shape(())
        return ast.Formal(self.ident(values[0]), shape.sizes, mode, attributes, default, shape.any_shape, span=span)

    def func_item(self, values: list[Any], span: Span) -> ast.FuncItem:
        name, formals, body = values
        return ast.FuncItem(self.ident(name), formals.items, body, span=span)

    def import_item(self, values: list[Any], span: Span) -> ast.ImportItem:
        path, *names = values
        return ast.ImportItem(
            path.text[1:-1], tuple(map(self.ident, names)), span=span, path_span=path.span(self.source)
        )

    def objective_item(self, values: list[Any], span: Span) -> ast.ObjectiveItem:
        return ast.ObjectiveItem(values[0].text, values[1] if len(values) > 1 else None, span=span)

    def subject_to_item(self, values: list[Any], span: Span) -> ast.SubjectToItem:
        return ast.SubjectToItem(span=span)

    def constraint(self, values: list[Any], span: Span) -> ast.ConstraintItem:
        return ast.ConstraintItem(None, (), None, values[0], span=span)

    def named_constraint(self, values: list[Any], span: Span) -> ast.ConstraintItem:
        domain = values[1] if isinstance(values[1], Domain) else Domain((), None)
        name = self.ident(values[0])
        return ast.ConstraintItem(name, domain.binders, domain.condition, values[-1], span=span)

    def return_item(self, values: list[Any], span: Span) -> ast.ReturnItem:
        return ast.ReturnItem(tuple(values), span=span)

    # --- atoms ---------------------------------------------------------------------------------------------------

    def atom_head(self, values: list[Any], span: Span) -> AtomHead:
        return AtomHead(self.ident(values[0]), values[1].items)

    def entry(self, values: list[Any], span: Span) -> Entry:
        return Entry(values[0], values[1])

    def word_entry(self, values: list[Any], span: Span) -> Entry:
        return Entry(values[0], self.ident(values[1]))

    def shape_entry(self, values: list[Any], span: Span) -> Entry:
        return Entry(values[0], values[1].sizes)

    def list_entry(self, values: list[Any], span: Span) -> Entry:
        return Entry(values[0], tuple(values[1:]))

    def graph_entry(self, values: list[Any], span: Span) -> Entry:
        return Entry(values[0], None)

    def clause(self, values: list[Any], span: Span) -> ast.Clause:
        about = next((v.name for v in values if isinstance(v, _About)), None)
        where = next((v.relations for v in values if isinstance(v, _Where)), ())
        return ast.Clause(values[0].text, about, where, span=span)

    def about(self, values: list[Any], span: Span) -> _About:
        return _About(self.ident(values[0]))

    def where(self, values: list[Any], span: Span) -> _Where:
        return _Where(tuple(values))


@dataclass(frozen=True, slots=True)
class _Shape:
    sizes: tuple[ast.Expr, ...]
    any_shape: bool = False
    end: int = 0


@dataclass(frozen=True, slots=True)
class _Default:
    value: ast.Expr


@dataclass(frozen=True, slots=True)
class _Attributes:
    items: tuple[ast.Attribute, ...]


@dataclass(frozen=True, slots=True)
class _Formals:
    items: tuple[ast.Formal, ...]


@dataclass(frozen=True, slots=True)
class _Where:
    relations: tuple[ast.Relation, ...]


_RELATIONS = {"=": "==", "<": "<=", ">": ">="}


def _parts(values: list[Any]) -> tuple[_Shape | None, tuple[ast.Attribute, ...], ast.Expr | None]:
    """Shape, attributes and default of a declaration or formal, each where it stands."""
    shape, attributes, default = None, (), None
    for value in values:
        match value:
            case _Shape():
                shape = value
            case _Attributes():
                attributes = value.items
            case _Default():
                default = value.value
            case _:
                raise AssertionError(f"no part of a declaration: {value!r}")
    return shape, attributes, default


def _sorted_arguments(values: list[Any]) -> tuple[tuple[Any, ...], tuple[ast.Keyword, ...]]:
    keywords = tuple(v for v in values if isinstance(v, ast.Keyword))
    return tuple(v for v in values if not isinstance(v, ast.Keyword)), keywords
