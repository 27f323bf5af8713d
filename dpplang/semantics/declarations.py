"""Declarations of a program: dims, data, parameters, variables, ``derived`` and ``let``, into a scope of typed
names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Label
from dpplang.lattice.dims import Poly, Shape, show_shape
from dpplang.lattice.sign import Sign
from dpplang.semantics.arguments import size_of
from dpplang.semantics.arithmetic import spread
from dpplang.semantics.atom_constants import integer
from dpplang.semantics.attributes import contradicted, typed_attributes
from dpplang.semantics.build import declared_sign, reference, size_node
from dpplang.semantics.memo import remembered
from dpplang.semantics.report import Mistake, mistake
from dpplang.semantics.scope import POISON, FileScope, Later, Scope
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
        self.declared = Declared()

    def read(self, items: tuple[ast.AnyItem, ...]) -> Declared:
        for item in items:
            if isinstance(item, ast.DimItem):
                for declaration in item.declarations:
                    self._guard(declaration, lambda d=declaration: self._dim(d))
        tensors: list[tuple[Tensors, ast.Declaration]] = [
            (i, d) for i in items if isinstance(i, Tensors) for d in i.declarations
        ]
        late = {id(d) for i, d in tensors if isinstance(i, ast.VarItem) and any(a.arguments for a in d.attributes)}
        self._announce(items)
        early = [(i, d) for i, d in tensors if id(d) not in late]
        for item, declaration in sorted(early, key=lambda t: list(_ROLES).index(type(t[0]))):
            self._guard(declaration, lambda d=declaration, i=item: self._tensor(d, i))
        for item in items:
            match item:
                case ast.VarItem(declarations=declarations):
                    for declaration in declarations:
                        if id(declaration) in late:
                            self._guard(declaration, lambda d=declaration, i=item: self._tensor(d, i))
                case ast.DerivedItem(declaration=declaration):
                    self._guard(declaration, lambda i=item: self._derived(i))
                case ast.LetItem(declaration=declaration):
                    self._guard(declaration, lambda i=item: self._let(i))
                case _:
                    pass
        order = {d.name.name: k for k, (_, d) in enumerate(tensors)}
        self.declared.variables.sort(key=lambda s: order[s.name])
        return self.declared

    def _announce(self, items: tuple[ast.AnyItem, ...]) -> None:
        """All names are known from the start, so that a use above the definition is not an unknown name."""
        for item in items:
            match item:
                case ast.DerivedItem(declaration=declaration) | ast.LetItem(declaration=declaration):
                    declarations: tuple[ast.Declaration, ...] = (declaration,)
                case (
                    ast.DataItem(declarations=several)
                    | ast.ParamItem(declarations=several)
                    | ast.VarItem(declarations=several)
                ):
                    declarations = several
                case _:
                    declarations = ()
            for declared in declarations:
                self._file.names.setdefault(declared.name.name, Later(declared.name.span))

    def _guard(self, declaration: ast.Declaration, declare: Callable[[], None]) -> None:
        """Run one declaration; if it is wrong, its name is poisoned."""
        name = declaration.name.name
        try:
            self._unique(declaration.name)
        except Mistake as error:
            self._walk.report.add(*error.diagnostics)
            return
        try:
            declare()
        except Mistake as error:
            self._walk.report.add(*error.diagnostics)
            self._file.names[name] = POISON

    def _unique(self, ident: ast.Ident) -> None:
        first = self._first.setdefault(ident.name, ident)
        if first is not ident:
            raise mistake(
                "NAM102",
                f"`{ident.name}` is declared twice",
                ident.span,
                secondary=(Label(first.span, "first here"),),
                help=("rename one of them",),
            )

    @property
    def _scope(self) -> Scope:
        return Scope(self._file)

    def _dim(self, declaration: ast.Declaration) -> None:
        made = remembered(self._walk, self._file, declaration, lambda: self._typed_dim(declaration))
        self.declared.dims.append(made[0])
        self._file.names[declaration.name.name] = made[1]

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

    def _tensor(self, declaration: ast.Declaration, item: Tensors) -> None:
        symbol, own = remembered(self._walk, self._file, declaration, lambda: self._typed_tensor(declaration, item))
        into = {Role.DATA: self.declared.data, Role.PARAM: self.declared.params, Role.VAR: self.declared.variables}
        into[symbol.role].append(symbol)
        self._file.names[symbol.name] = own

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

    def _derived(self, item: ast.DerivedItem) -> None:
        made, own = remembered(self._walk, self._file, item.declaration, lambda: self._typed_derived(item))
        self.declared.derived.append(made)
        self._file.names[item.declaration.name.name] = own

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

    def _let(self, item: ast.LetItem) -> None:
        value = remembered(self._walk, self._file, item.declaration, lambda: self._typed_let(item))
        self.declared.lets.append(value)
        self._file.names[item.declaration.name.name] = value

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


def declared_sign_of(declaration: ast.Declaration) -> Sign | None:
    """The sign that the attributes of a declaration say."""
    for attribute in declaration.attributes:
        if attribute.name in ("nonneg", "pos"):
            return Sign.NONNEG
        if attribute.name in ("nonpos", "neg"):
            return Sign.NONPOS
    return None
