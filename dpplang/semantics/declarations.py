"""Declarations of a program: dims, data, parameters, variables, ``derived`` and ``let``, into a scope of typed
names."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any, TypeAlias

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.lattice.dims import Poly, Shape, show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.arguments import size_of
from dpplang.semantics.arithmetic import spread
from dpplang.semantics.atom_constants import integer
from dpplang.semantics.attributes import contradicted, typed_attributes
from dpplang.semantics.build import declared_sign, reference, size_node
from dpplang.semantics.memo import remembered
from dpplang.semantics.report import Mistake, diagnose, mistake
from dpplang.semantics.scope import POISON, FileScope, Scope
from dpplang.semantics.tree import Derived, Dim, Expr, Ref, Role, Symbol
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast


@dataclass(slots=True)
class Declared:
    """What the declarations of a file declare, in order."""

    dims: list[Dim] = field(default_factory=list[Dim])
    data: list[Symbol] = field(default_factory=list[Symbol])
    params: list[Symbol] = field(default_factory=list[Symbol])
    derived: list[Derived] = field(default_factory=list[Derived])
    variables: list[Symbol] = field(default_factory=list[Symbol])
    lets: list[Expr] = field(default_factory=list[Expr])


_ROLES = {ast.DataItem: Role.DATA, ast.ParamItem: Role.PARAM, ast.VarItem: Role.VAR}
Tensors = ast.DataItem | ast.ParamItem | ast.VarItem
Item: TypeAlias = ast.DimItem | Tensors | ast.DerivedItem | ast.LetItem
Step: TypeAlias = tuple[ast.Declaration, Item]
Made: TypeAlias = tuple[Dim | Symbol | Derived | Expr, Expr]
"""What a declaration declares, and what its name means from then on."""


class Declarations:
    """Reads the declarations in an order in which each finds what it may use.

    Dims come first, then data, parameters and variables (wherever they stand), except that variables with
    bounds keep their place
    among ``derived`` and ``let``, which use only what stands above them.
    """

    def __init__(self, walk: Walk, scope: FileScope) -> None:
        self._walk = walk
        self._file = scope
        self._first: dict[str, ast.Ident] = {}
        self.declared = declared = Declared()
        self._into: dict[type, list[Any]] = {
            ast.DimItem: declared.dims,
            ast.DataItem: declared.data,
            ast.ParamItem: declared.params,
            ast.VarItem: declared.variables,
            ast.DerivedItem: declared.derived,
            ast.LetItem: declared.lets,
        }

    def read(self, items: tuple[ast.AnyItem, ...]) -> Declared:
        steps, order = self._steps(items)
        memo = self._walk.state.memo
        if memo is None:
            for declaration, item in steps:
                self._declare(declaration, item)
        else:
            memo.follow([declaration for declaration, _ in steps])
            for declaration, item in steps:
                made = memo.recall(self._walk.state, declaration) if self._is_first(declaration.name) else None
                if made is None:
                    self._declare(declaration, item)
                else:
                    self._take(declaration, item, made)
        self.declared.variables.sort(key=lambda s: order[s.name])
        return self.declared

    def _steps(self, items: tuple[ast.AnyItem, ...]) -> tuple[list[Step], dict[str, int]]:
        """The declarations in the order in which they are read, and the places of tensors in the order of the text.

        All names are known from then on, so that a use above the definition is not an unknown name.
        """
        first: dict[type, list[Step]] = {ast.DimItem: [], **{kind: [] for kind in _ROLES}}
        last: list[Step] = []
        order: dict[str, int] = {}
        names, place = self._file.names, count()
        for item in items:
            if isinstance(item, ast.DerivedItem | ast.LetItem):
                last.append((item.declaration, item))
                names.setdefault(item.declaration.name.name, item.declaration.name)
            elif isinstance(item, Tensors):
                early = first[type(item)]
                may_wait = isinstance(item, ast.VarItem)
                for declaration in item.declarations:
                    waits = may_wait and any(a.arguments for a in declaration.attributes)
                    (last if waits else early).append((declaration, item))
                    names.setdefault(declaration.name.name, declaration.name)
                    order[declaration.name.name] = next(place)
            elif isinstance(item, ast.DimItem):
                first[ast.DimItem] += [(declaration, item) for declaration in item.declarations]
        return [*chain.from_iterable(first.values()), *last], order

    def _declare(self, declaration: ast.Declaration, item: Item) -> None:
        """Run one declaration; if it is wrong, its name is poisoned."""
        ident = declaration.name
        if not self._is_first(ident):
            self._walk.report.add(_twice(ident, self._first[ident.name]))
            return
        try:
            made = remembered(self._walk, declaration, lambda: self._typed(declaration, item))
        except Mistake as error:
            self._walk.report.add(*error.diagnostics)
            self._file.names[ident.name] = POISON
        else:
            self._take(declaration, item, made)

    def _is_first(self, ident: ast.Ident) -> bool:
        return self._first.setdefault(ident.name, ident) is ident

    def _take(self, declaration: ast.Declaration, item: Item, made: Made) -> None:
        declared, own = made
        self._into[type(item)].append(declared)
        self._file.names[declaration.name.name] = own

    def _typed(self, declaration: ast.Declaration, item: Item) -> Made:
        match item:
            case ast.DimItem():
                return self._typed_dim(declaration)
            case ast.DerivedItem():
                return self._typed_derived(item)
            case ast.LetItem():
                value = self._typed_let(item)
                return value, value
            case _:
                return self._typed_tensor(declaration, item)

    @property
    def _scope(self) -> Scope:
        return Scope(self._file)

    def _typed_dim(self, declaration: ast.Declaration) -> tuple[Dim, Expr]:
        name = declaration.name
        default = None
        if declaration.shape or declaration.attributes:
            raise Mistake  # the parser said so
        if declaration.default is not None:
            value = self._walk.infer(declaration.default, self._scope)
            default = None if value is None else integer(value)
            if value is not None and (default is None or default < 1):
                raise mistake("SHP514", "a dim must be a positive whole number", declaration.default.span)
        return Dim(name.name, default, name.span), size_node(Poly.var(name.name), name.span)

    def _shape(self, sizes: tuple[ast.Expr, ...]) -> Shape:
        found: list[Poly] = []
        for size in sizes:
            expr = self._walk.infer(size, self._scope)
            if expr is None:
                raise Mistake
            found.append(size_of(expr))
        return tuple(found)

    def _typed_tensor(self, declaration: ast.Declaration, item: Tensors) -> tuple[Symbol, Expr]:
        role, name = _ROLES[type(item)], declaration.name
        shape = self._shape(declaration.shape or ())
        attributes = typed_attributes(self._walk, declaration.attributes, shape, role, self._scope)
        default = self._default(declaration, shape, role)
        symbol = Symbol(name.name, role, shape, name.span, attributes, default, item.doc)
        return symbol, reference(symbol)

    def _default(self, declaration: ast.Declaration, shape: Shape, role: Role) -> Expr | None:
        if declaration.default is None:
            return None
        if role is Role.VAR:
            raise Mistake  # the parser said so
        value = self._walk.infer(declaration.default, self._scope)
        if value is None:
            raise Mistake
        if not value.facts.is_constant:
            raise mistake("NAM119", "a default must be constant", value.span)
        self._fits(declaration, value, shape)
        sign = declared_sign_of(declaration)
        if sign is not None and sign is -value.facts.sign and sign is not Sign.UNKNOWN:
            raise mistake(
                "NAM122", f"the default is {value.facts.sign.value}", value.span, secondary=(Label(declaration.span),)
            )
        return spread(value, shape, value.span)

    def _fits(self, declaration: ast.Declaration, value: Expr, shape: Shape) -> None:
        if value.shape not in ((), shape):
            raise mistake(
                "SHP511",
                f"`{declaration.name.name}` is declared {show_shape(shape)}, its expression has shape "
                f"{show_shape(value.shape)}",
                value.span,
                show_shape(value.shape),
                secondary=(Label(declaration.name.span, show_shape(shape)),),
            )

    def _named(self, declaration: ast.Declaration, value: Expr) -> Expr:
        """The expression in the declared shape (a scalar spreads); in its own if none is declared."""
        if declaration.shape is None or declaration.shape == ():
            return value
        shape = self._shape(declaration.shape)
        self._fits(declaration, value, shape)
        return spread(value, shape, value.span)

    def _typed_derived(self, item: ast.DerivedItem) -> tuple[Derived, Expr]:
        declaration = item.declaration
        value = self._walk.infer(item.value, Scope(self._file, numeric=True))
        if value is None:
            raise Mistake
        if value.facts.variables:
            names = ", ".join(f"`{s.name}`" for s in sorted(value.facts.variables, key=lambda s: s.name))
            raise mistake(
                "NAM119",
                f"`derived {declaration.name.name}` is computed before the problem is solved: it cannot "
                f"depend on the variables {names}",
                value.span,
                secondary=tuple(Label(s.span, "a variable") for s in value.facts.variables),
                help=("`let` names an expression of variables",),
            )
        value = self._named(declaration, value)
        attributes = typed_attributes(self._walk, declaration.attributes, value.shape, Role.DERIVED, self._scope)
        clash = contradicted(attributes, value.facts.sign)
        if clash is not None:
            raise mistake(
                "NAM122",
                f"`{declaration.name.name}` is declared {clash.name}, its expression is {value.facts.sign.value}",
                value.span,
                value.facts.sign.value,
                secondary=(Label(clash.span, "declared here"),) if clash.span else (),
            )
        name = declaration.name
        symbol = Symbol(name.name, Role.DERIVED, value.shape, name.span, attributes, doc=item.doc)
        sign = declared_sign(symbol)
        own = reference(symbol, sign=value.facts.sign if sign is Sign.UNKNOWN else sign)
        return Derived(symbol, value), own

    def _typed_let(self, item: ast.LetItem) -> Expr:
        declaration = item.declaration
        value = self._walk.infer(item.value, self._scope)
        if value is None:
            raise Mistake
        if isinstance(value, Ref):
            value = Ref(value.symbol, facts=value.facts, span=value.span, reason=value.reason)
        value = self._named(declaration, value)
        for attribute in typed_attributes(self._walk, declaration.attributes, value.shape, Role.DERIVED, self._scope):
            if contradicted((attribute,), value.facts.sign):
                raise mistake(
                    "NAM122",
                    f"`{declaration.name.name}` is declared {attribute.name}, its expression is "
                    f"{value.facts.sign.value}",
                    value.span,
                    value.facts.sign.value,
                )
        return value


def _twice(ident: ast.Ident, first: ast.Ident) -> Diagnostic:
    return diagnose(
        "NAM102",
        f"`{ident.name}` is declared twice",
        ident.span,
        secondary=(Label(first.span, "first here"),),
        help=("rename one of them",),
    )


def declared_sign_of(declaration: ast.Declaration) -> Sign | None:
    """The sign that the attributes of a declaration say."""
    for attribute in declaration.attributes:
        if attribute.name in ("nonneg", "pos"):
            return Sign.NONNEG
        if attribute.name in ("nonpos", "neg"):
            return Sign.NONPOS
    return None
