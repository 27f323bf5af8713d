"""Every name of an item: where it stands, what it is a name of, and whether it declares that.

Names of one item are found without looking at the others, so that they are kept with it; what a free name means is
settled by :class:`Names`, for the whole file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import chain
from typing import TypeAlias

from dpplang.core.source import Span
from dpplang.lsp.kept import Kept
from dpplang.semantics.numeric_functions import NUMERIC_NAMES
from dpplang.semantics.primitives import PRIMITIVES
from dpplang.semantics.relations import ALIASES, CONES
from dpplang.syntax import ast
from dpplang.syntax.walk import children


class Kind(Enum):
    """What a name is a name of."""

    DIM = "dim"
    DATA = "data"
    PARAM = "param"
    DERIVED = "derived"
    LET = "let"
    VAR = "var"
    INDEX = "index"
    FORMAL = "argument"
    FUNC = "func"
    ATOM = "atom"
    PRIMITIVE = "function"
    NUMERIC = "numeric function"
    CONSTRAINT = "constraint"
    CONE = "cone"
    CONSTANT = "constant"
    UNKNOWN = "unknown name"

    __hash__ = object.__hash__  # that of Enum is written in Python, and half of what looking up a kind takes


class Space(Enum):
    """Where a name is looked up: among tensors, dims and lets; functions; constraints; cones; or here, in its item."""

    VALUE = "value"
    FUNCTION = "function"
    CONSTRAINT = "constraint"
    CONE = "cone"
    LOCAL = "local"
    ARGUMENT = "argument"  # `M` in `huber(r, M = 2)`; the function's name is the owner

    __hash__ = object.__hash__  # as above


@dataclass(frozen=True, slots=True)
class Mention:
    """One name at one place.

    Attributes:
        owner: of a local name, the node that declares it; of an argument's, the function's name; else None.
        implicit: a size in the shape of a func's argument, which is one of the file's dims if there is one of its name.
    """

    name: str
    span: Span
    space: Space
    declares: bool = False
    kind: Kind = Kind.UNKNOWN
    owner: object = None
    implicit: bool = False


Key: TypeAlias = tuple[Space, str, object]
"""Two mentions name one thing iff their keys are equal."""

_TENSORS: dict[type, Kind] = {
    ast.DimItem: Kind.DIM,
    ast.DataItem: Kind.DATA,
    ast.ParamItem: Kind.PARAM,
    ast.VarItem: Kind.VAR,
}
_Locals: TypeAlias = Mapping[str, tuple[ast.Node, Kind]]


def mentions(item: ast.AnyItem) -> tuple[Mention, ...]:
    """The names of an item, in order of the text."""
    return tuple(sorted(_item(item), key=lambda m: m.span.start))


def _item(item: ast.AnyItem) -> Iterator[Mention]:
    match item:
        case ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            for declaration in item.declarations:
                yield from _declaration(declaration, _TENSORS[type(item)], {})
        case ast.DerivedItem():
            yield from _declaration(item.declaration, Kind.DERIVED, {})
            yield from _in(item.value, {})
        case ast.LetItem():
            yield from _declaration(item.declaration, Kind.LET, {})
            yield from _in(item.value, {})
        case ast.FuncItem():
            yield Mention(item.name.name, item.name.span, Space.FUNCTION, True, Kind.FUNC)
            known: dict[str, tuple[ast.Node, Kind]] = {}
            yield from _formals(item.formals, known)
            yield from _in(item.body, known)
        case ast.AtomItem():
            yield from _atom(item)
        case ast.ImportItem():
            for name in item.names:
                yield Mention(name.name, name.span, Space.FUNCTION, True)
        case ast.ConstraintItem():
            yield from _constraint(item, {}, local=False)
        case _:
            yield from _in(item, {})


def _declaration(declaration: ast.Declaration, kind: Kind, known: _Locals) -> Iterator[Mention]:
    name = declaration.name
    if name.name in known:
        yield Mention(name.name, name.span, Space.LOCAL, True, kind, known[name.name][0])
    else:
        yield Mention(name.name, name.span, Space.VALUE, True, kind)
    for node in children(declaration):
        if node is not name:
            yield from _in(node, known)


def _formals(formals: Iterable[ast.Formal], known: dict[str, tuple[ast.Node, Kind]]) -> Iterator[Mention]:
    """The arguments of a func or atom; ``known`` grows by them and by the sizes that their shapes name."""
    for formal in formals:
        known[formal.name.name] = (formal.name, Kind.FORMAL)
        yield Mention(formal.name.name, formal.name.span, Space.LOCAL, True, Kind.FORMAL, formal.name)
        for size in formal.shape:
            yield from _sizes(size, known)
        for attribute in formal.attributes:
            yield from _in(attribute, known)
        if formal.default is not None:
            yield from _in(formal.default, known)


def _sizes(node: ast.Node, known: dict[str, tuple[ast.Node, Kind]]) -> Iterator[Mention]:
    if not isinstance(node, ast.Name):
        for child in children(node):
            yield from _sizes(child, known)
        return
    first = node.name not in known
    owner, kind = known.setdefault(node.name, (node, Kind.DIM))
    yield Mention(node.name, node.span, Space.LOCAL, first, kind, owner, implicit=kind is Kind.DIM)


def _atom(item: ast.AtomItem) -> Iterator[Mention]:
    yield Mention(item.name.name, item.name.span, Space.FUNCTION, True, Kind.ATOM)
    known: dict[str, tuple[ast.Node, Kind]] = {}
    yield from (m if m.space is not Space.LOCAL else _own(m) for m in _formals(item.formals, known))
    parts: list[ast.Node | None] = [*item.shape, item.requires, *item.domain, item.value, item.quadratic, *item.tests]
    for part in parts:
        if part is not None:
            yield from _in(part, known, closed=True)
    for clause in (item.curvature, *item.sign, *item.monotone):
        if clause is None:
            continue
        if clause.argument is not None and clause.argument.name in known:
            owner, kind = known[clause.argument.name]
            yield Mention(clause.argument.name, clause.argument.span, Space.LOCAL, False, kind, owner)
        for relation in clause.where:
            yield from _in(relation, known, closed=True)
    if item.graph is not None:
        yield from _graph(item.graph, known)


def _own(mention: Mention) -> Mention:
    """Sizes of an atom are its own, whatever the file declares."""
    return Mention(
        mention.name, mention.span, mention.space, mention.declares, mention.kind, mention.owner, implicit=False
    )


def _graph(graph: ast.Graph, outer: _Locals) -> Iterator[Mention]:
    known = dict(outer)
    for item in graph.items:
        if isinstance(item, ast.VarItem):
            known |= {d.name.name: (d.name, Kind.VAR) for d in item.declarations}
        elif isinstance(item, ast.LetItem):
            known[item.declaration.name.name] = (item.declaration.name, Kind.LET)
    for item in graph.items:
        match item:
            case ast.VarItem():
                for declaration in item.declarations:
                    yield from _declaration(declaration, Kind.VAR, known)
            case ast.LetItem():
                yield from _declaration(item.declaration, Kind.LET, known)
                yield from _in(item.value, known, closed=True)
            case ast.ConstraintItem():
                yield from _constraint(item, known, local=True)
            case _:
                yield from _in(item, known, closed=True)


def _constraint(item: ast.ConstraintItem, known: _Locals, *, local: bool) -> Iterator[Mention]:
    if item.name is not None:
        space, owner = (Space.LOCAL, item.name) if local else (Space.CONSTRAINT, None)
        yield Mention(item.name.name, item.name.span, space, True, Kind.CONSTRAINT, owner)
    inner, found = _binders(item.binders, known, closed=local)
    yield from found
    if item.condition is not None:
        yield from _in(item.condition, inner, closed=local)
    yield from _in(item.relation, inner, closed=local)


def _binders(
    binders: Iterable[ast.Binder], known: _Locals, *, closed: bool
) -> tuple[dict[str, tuple[ast.Node, Kind]], list[Mention]]:
    inner, found = dict(known), list[Mention]()
    for binder in binders:
        found += _in(binder.domain, inner, closed=closed)
        inner[binder.name.name] = (binder.name, Kind.INDEX)
        found.append(Mention(binder.name.name, binder.name.span, Space.LOCAL, True, Kind.INDEX, binder.name))
    return inner, found


def _in(node: ast.Node, known: _Locals, *, closed: bool = False) -> Iterator[Mention]:
    """The names below a node. ``closed``: nothing of the file is visible here."""
    match node:
        case ast.Name(name=name):
            if name in known:
                owner, kind = known[name]
                yield Mention(name, node.span, Space.LOCAL, False, kind, owner, _is_implicit(owner, kind, closed))
            else:
                kind = Kind.CONSTANT if name in ("inf", "value", "true", "false") else Kind.UNKNOWN
                yield Mention(name, node.span, Space.LOCAL if closed else Space.VALUE, False, kind, node)
        case ast.Dual(constraint=constraint):
            yield Mention(constraint.name, constraint.span, Space.CONSTRAINT)
        case ast.Membership():
            if node.cone.name in CONES or node.cone.name in ALIASES:
                yield Mention(node.cone.name, node.cone.span, Space.CONE, False, Kind.CONE)
            else:
                yield Mention(node.cone.name, node.cone.span, Space.FUNCTION)  # a set has a record, as an atom has
            for child in (node.element, *node.arguments, *(k.value for k in node.keywords)):
                yield from _in(child, known, closed=closed)
        case ast.Call():
            yield Mention(node.function.name, node.function.span, Space.FUNCTION)
            for argument in node.arguments:
                yield from _in(argument, known, closed=closed)
            for keyword in node.keywords:
                yield Mention(
                    keyword.name.name, keyword.name.span, Space.ARGUMENT, False, Kind.FORMAL, node.function.name
                )
                yield from _in(keyword.value, known, closed=closed)
        case ast.Generator():
            inner, found = _binders(node.binders, known, closed=closed)
            yield from found
            if node.condition is not None:
                yield from _in(node.condition, inner, closed=closed)
            yield from _in(node.body, inner, closed=closed)
        case _:
            for child in children(node):
                yield from _in(child, known, closed=closed)


def _is_implicit(owner: ast.Node, kind: Kind, closed: bool) -> bool:
    return kind is Kind.DIM and isinstance(owner, ast.Name) and not closed


class Names:
    """The names of a file, and what they mean.

    Args:
        items: the file's items, in order. kept: what is found of each. library: names of standard atoms.
    """

    def __init__(self, items: tuple[ast.AnyItem, ...], kept: Kept, library: frozenset[str]) -> None:
        self._items = items
        self._kept = kept
        self._library = library

    def of(self, item: ast.AnyItem) -> tuple[Mention, ...]:
        return self._kept.of(item, "mentions", mentions)

    def called(self, name: str) -> Iterator[Mention]:
        """Every mention of a name, whatever it means, in order of the text."""
        words = self._kept.column("words", self._items, lambda i: frozenset(m.name for m in self.of(i)))
        found = [item for item, inside in zip(self._items, words, strict=True) if name in inside]
        return (m for item in found for m in self.of(item) if m.name == name)

    @cached_property
    def declared(self) -> dict[tuple[Space, str], tuple[Mention, ast.AnyItem]]:
        """The first declaration of every name of the file, in order of the text."""
        column = self._kept.column("declared", self._items, self._declarations)
        found = dict(chain.from_iterable(column))
        if len(found) < sum(map(len, column)):  # something is declared twice, and the last was taken
            found.clear()
            for key, declared in chain.from_iterable(column):
                found.setdefault(key, declared)
        return found

    def _declarations(self, item: ast.AnyItem) -> tuple[tuple[tuple[Space, str], tuple[Mention, ast.AnyItem]], ...]:
        declared = (m for m in self.of(item) if m.declares and m.space is not Space.LOCAL)
        return tuple(((m.space, m.name), (m, item)) for m in declared)

    @cached_property
    def kinds(self) -> dict[tuple[Space, str], Kind]:
        """What the names that the file declares are names of."""
        return {key: mention.kind for key, (mention, _) in self.declared.items()}

    def callers(self, function: str) -> list[ast.AnyItem]:
        """Items in which a function of the file is written out: those that call it, through other functions or not,
        the nearer first."""
        found: list[ast.AnyItem] = []
        seen, waiting = {function}, [function]
        for name in waiting:
            for item in self._calling.get(name, ()):
                if not isinstance(item, ast.FuncItem):
                    found.append(item)
                elif item.name.name not in seen:
                    seen.add(item.name.name)
                    waiting.append(item.name.name)
        return found

    @cached_property
    def _calling(self) -> dict[str, list[ast.AnyItem]]:
        """The items that call a function, by its name."""
        found: dict[str, list[ast.AnyItem]] = {}
        for item, called in zip(self._items, self._kept.column("called", self._items, self._called), strict=True):
            for name in called:
                found.setdefault(name, []).append(item)
        return found

    def _called(self, item: ast.AnyItem) -> frozenset[str]:
        if isinstance(item, ast.AtomItem):
            return frozenset()
        return frozenset(m.name for m in self.of(item) if m.space is Space.FUNCTION and not m.declares)

    def same(self, name: str, key: Key) -> list[Mention]:
        """All mentions of one thing, which has that name, in order of the text."""
        return [m for m in self.called(name) if self.key(m) == key]

    def key(self, mention: Mention) -> Key:
        name = mention.name
        if mention.space is Space.LOCAL:
            if mention.implicit and (Space.VALUE, name) in self.declared:
                return (Space.VALUE, name, 0)
            return (Space.LOCAL, name, id(mention.owner))
        if mention.space is Space.ARGUMENT:
            formal = self.formal(str(mention.owner), name)
            return (Space.LOCAL, name, id(formal.name)) if formal is not None else (Space.ARGUMENT, name, mention.owner)
        return (mention.space, name, 0)

    def formal(self, function: str, name: str) -> ast.Formal | None:
        """An argument of a func or atom of the file."""
        found = self.declared.get((Space.FUNCTION, function))
        if found is None or not isinstance(found[1], ast.FuncItem | ast.AtomItem):
            return None
        return next((f for f in found[1].formals if f.name.name == name), None)

    def kind(self, mention: Mention) -> Kind:
        name = mention.name
        looked_up = free(mention)
        found = None if looked_up is None else self.declared.get(looked_up)
        if mention.space is Space.VALUE or mention.implicit:
            return found[0].kind if found is not None else mention.kind
        if mention.space is not Space.FUNCTION:
            return Kind.CONSTRAINT if mention.space is Space.CONSTRAINT else mention.kind
        if found is not None:
            return found[0].kind if found[0].kind is not Kind.UNKNOWN else Kind.FUNC
        return builtin_kind(name, self._library)


def free(mention: Mention) -> tuple[Space, str] | None:
    """Among which names of the file a mention's kind is looked up; None if it does not depend on the file."""
    if mention.space is Space.VALUE or mention.implicit:
        return Space.VALUE, mention.name
    return (Space.FUNCTION, mention.name) if mention.space is Space.FUNCTION else None


def builtin_kind(name: str, library: frozenset[str]) -> Kind:
    """What a function that the file does not define is."""
    if name in library:
        return Kind.ATOM
    if name in PRIMITIVES:
        return Kind.PRIMITIVE
    return Kind.NUMERIC if name in NUMERIC_NAMES else Kind.UNKNOWN
