"""The abstract syntax of a ``.dpp`` file: frozen dataclasses with spans.

A node's span covers the parentheses around it, so that its text can be put anywhere its node could. Spans never take
part in equality, so ``parse(print(tree)) == tree`` compares structure alone. Every ``*`` tuple is in
source order. Nothing here is resolved: a ``Name`` is a name, whatever it turns out to mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dpplang.core.source import Source, Span


@dataclass(frozen=True, slots=True)
class Node:
    span: Span = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ident(Node):
    """A name at the place where it is declared or listed."""

    name: str


# --- expressions -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A literal; ``text`` keeps how it was written (``1e-3``), so printing loses nothing. Never negative."""

    value: float
    text: str = field(compare=False)

    @property
    def is_integer(self) -> bool:
        return self.value == int(self.value) if abs(self.value) < 2**53 else False


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A declared name, a dim, an index variable, ``inf``, or ``value`` in ``return``."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-x`` or ``+x``."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """``+ - * / @ ^``; ``op_span`` is the operator alone."""

    op: str
    left: Expr
    right: Expr
    op_span: Span = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Transpose(Node):
    """``x'``."""

    operand: Expr


@dataclass(frozen=True, slots=True)
class Slice(Node):
    """``a:b`` in an index or as a generator's range; either end may be missing in an index."""

    start: Expr | None
    stop: Expr | None


@dataclass(frozen=True, slots=True)
class Index(Node):
    """``x[i, a:b]``."""

    operand: Expr
    items: tuple[Expr | Slice, ...]


@dataclass(frozen=True, slots=True)
class Array(Node):
    """``[1, 2]``, ``[[1, 0], [0, 1]]``: elements are expressions, nested arrays among them."""

    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Tuple(Node):
    """``(t, x)``: two or more parts, on the left of ``in`` only."""

    elements: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Keyword(Node):
    """``M = 2`` among the arguments of a call."""

    name: Ident
    value: Expr


@dataclass(frozen=True, slots=True)
class Binder(Node):
    """``t in T`` or ``t in 1:T``; ``domain`` is a dim's name, any integer expression (0 … n−1), or a Slice."""

    name: Ident
    domain: Expr | Slice


@dataclass(frozen=True, slots=True)
class Generator(Node):
    """``expr for t in T, j in n if cond``: the sole argument of ``sum max min hstack vstack``."""

    body: Expr
    binders: tuple[Binder, ...]
    condition: Condition | None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """``f(a, b, M = 2)``, or a call whose only argument is a Generator. ``perspective(f(x), s)`` is a plain Call.

    A Condition is an argument of the numeric function ``where``, or a mistake.
    """

    function: Ident
    arguments: tuple[Expr | Generator | Condition, ...]
    keywords: tuple[Keyword, ...] = ()


@dataclass(frozen=True, slots=True)
class Dual(Node):
    """``dual name`` in ``return``."""

    constraint: Ident


Expr = Number | Name | Unary | Binary | Transpose | Index | Array | Tuple | Call | Dual


# --- conditions and relations ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """``i < j``, ``i == 0``, ``i != j`` over index expressions; also chained (``0 < i < n``)."""

    operands: tuple[Expr, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BoolOp(Node):
    """``and`` / ``or`` of two or more parts."""

    op: str
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    part: Condition


Condition = Comparison | BoolOp | Not


@dataclass(frozen=True, slots=True)
class Relation(Node):
    """``lhs op rhs`` or a chain; ops are ``== <= >= << >>``; ``< > =`` are errors, read as the nearest."""

    operands: tuple[Expr, ...]
    ops: tuple[str, ...]
    op_spans: tuple[Span, ...] = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Membership(Node):
    """``expr in cone`` or ``(x, y, z) in pow_cone(0.3)``; the cone (or set) is a bare name or a call.

    ``negated`` is ``expr not in cone``: a test of a set's record, or a mistake.
    """

    element: Expr
    cone: Ident
    arguments: tuple[Expr, ...] = ()
    keywords: tuple[Keyword, ...] = ()
    negated: bool = False


# --- items -------------------------------------------------------------------------------------------------------


PLAIN_ATTRIBUTES = frozenset({"nonneg", "nonpos", "pos", "neg", "psd", "nsd", "symmetric", "diagonal"})
"""Words that say of a tensor what is checked when it is bound, and take no arguments."""


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """``nonneg``, ``psd``, ``sparse(mask)``; ``in [lo, hi]`` is name ``in`` with two arguments."""

    name: str
    arguments: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Declaration(Node):
    """``Q[n, n] psd`` or ``eps = 0.05``. ``shape`` is ``()`` for a scalar; ``None`` only in ``derived``/``let``
    without brackets, where the shape is inferred."""

    name: Ident
    shape: tuple[Expr, ...] | None
    attributes: tuple[Attribute, ...] = ()
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class Item(Node):
    """``doc`` is the text of the ``##`` lines above it, one per line without the marks."""

    doc: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class DimItem(Item):
    """``dim T = 12, n``: declarations whose default is an integer."""

    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class DataItem(Item):
    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class ParamItem(Item):
    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class VarItem(Item):
    declarations: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class DerivedItem(Item):
    """``derived S[n, n] nonneg = expr``; the declaration's ``default`` is None, ``value`` the expression."""

    declaration: Declaration
    value: Expr


@dataclass(frozen=True, slots=True)
class LetItem(Item):
    declaration: Declaration
    value: Expr


class Mode(Enum):
    """How an argument of an atom may be used: jointly convex, as a parameter, or as a constant."""

    CONVEX = ""
    PARAM = "param"
    CONST = "const"


@dataclass(frozen=True, slots=True)
class Formal(Node):
    """``x[n]``, ``param M pos = 1``, ``const k``; ``any_shape`` is ``x[...]``: the argument's entries, row-major."""

    name: Ident
    shape: tuple[Expr, ...]
    mode: Mode = Mode.CONVEX
    attributes: tuple[Attribute, ...] = ()
    default: Expr | None = None
    any_shape: bool = False


@dataclass(frozen=True, slots=True)
class FuncItem(Item):
    """``func f(x[n], y) = expr``."""

    name: Ident
    formals: tuple[Formal, ...]
    body: Expr


@dataclass(frozen=True, slots=True)
class ImportItem(Item):
    """``from "file.dpp" import f, g``."""

    path: str
    names: tuple[Ident, ...]
    path_span: Span = field(compare=False, repr=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class ObjectiveItem(Item):
    """``sense`` is ``minimize``, ``maximize`` or ``find`` (then ``expression`` is None)."""

    sense: str
    expression: Expr | None


@dataclass(frozen=True, slots=True)
class SubjectToItem(Item):
    """The line ``subject to``; the constraints follow as items of their own (one may stand on the same line)."""


@dataclass(frozen=True, slots=True)
class ConstraintItem(Item):
    """``name[t in T if cond]: relation``; an unnamed constraint has neither name nor binders."""

    name: Ident | None
    binders: tuple[Binder, ...]
    condition: Condition | None
    relation: Relation | Membership


@dataclass(frozen=True, slots=True)
class ReturnItem(Item):
    expressions: tuple[Expr, ...]


# --- atoms -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Clause(Node):
    """One part of ``monotone:`` or ``sign:``: ``increasing in x where x >= 0``, ``nonneg where x >= 0``, ``convex``.

    ``word`` is the fact, ``argument`` what it is about (None for sign and curvature), ``where`` the relations that
    must hold of the arguments (joined by ``and``), each over argument names and constants.
    """

    word: str
    argument: Ident | None = None
    where: tuple[Relation, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph(Node):
    """``graph { var …; minimize …; subject to … }``: the items of a small program."""

    items: tuple[VarItem | LetItem | ObjectiveItem | SubjectToItem | ConstraintItem, ...]


@dataclass(frozen=True, slots=True)
class AtomItem(Item):
    """One record of the library (docs/language.md §5).

    ``kind`` is one of: ``elementwise`` (scalar signature, mapped over entries), ``reduction`` (``x[n]`` takes any
    shape, row-major, and an ``axis``), ``plain``, ``set`` (what the constraints of the graph hold of).
    ``variadic`` folds more arguments than formals from the left
    (``maximum(a, b, c)``). ``quadratic`` is the form the atom takes in a quadratic objective; ``requires`` restricts
    constant arguments (``p > 1``) and tells records of one name apart. Missing entries are None or empty.
    """

    name: Ident
    formals: tuple[Formal, ...]
    kind: str = "plain"
    variadic: bool = False
    shape: tuple[Expr, ...] = ()
    requires: Condition | None = None
    curvature: Clause | None = None
    sign: tuple[Clause, ...] = ()
    monotone: tuple[Clause, ...] = ()
    domain: tuple[Relation | Membership, ...] = ()
    value: Expr | None = None
    quadratic: Expr | None = None
    graph: Graph | None = None
    tests: tuple[Relation | Membership, ...] = ()


AnyItem = (
    DimItem
    | DataItem
    | ParamItem
    | VarItem
    | DerivedItem
    | LetItem
    | FuncItem
    | ImportItem
    | ObjectiveItem
    | SubjectToItem
    | ConstraintItem
    | ReturnItem
    | AtomItem
)


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """``# …``, or a ``##`` block that stands above no item; ``trailing``: behind code on its line."""

    text: str
    trailing: bool


@dataclass(frozen=True, slots=True)
class File(Node):
    """A parsed file. Items that did not parse are absent and have left their diagnostics with the parser's result.

    ``broken`` are the names those items seem to declare: to report them as unknown would only repeat the error.
    ``uncovered`` are the lines that they left (see :mod:`dpplang.syntax.uncovered`).
    """

    items: tuple[AnyItem, ...]
    doc: str = ""
    broken: tuple[str, ...] = field(default=(), compare=False)
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    uncovered: tuple[str, ...] = field(default=(), compare=False)
    source: Source = field(compare=False, repr=False, kw_only=True)
