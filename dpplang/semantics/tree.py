"""The typed tree: what the checker hands to lowering. Frozen, fully resolved, every node with its facts.

There is no sugar left: ``let`` and ``func`` are inlined (a ``let`` used twice is one shared object, so a pass may
memoize
on ``id``), every name is a :class:`Symbol`, indices are polynomials in dims and index variables, infix operators are
``Apply`` nodes, chained relations are split, powers with a constant exponent of non-constant bases are atoms.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from dpplang.core.source import Span
from dpplang.lattice.curvature import Curvature, Monotonicity
from dpplang.lattice.dims import Poly, Shape
from dpplang.lattice.sign import Sign
from dpplang.syntax import ast


class Role(Enum):
    """What a name is bound to, and when."""

    DATA = "data"
    PARAM = "param"
    DERIVED = "derived"
    VAR = "var"
    FORMAL = "formal"  # an argument of an atom, inside its graph, value and domain


@dataclass(frozen=True, slots=True)
class TypedAttribute:
    """``nonneg nonpos pos neg psd nsd symmetric diagonal``, ``sparse`` (a mask), ``in`` (lower and upper bound)."""

    name: str
    arguments: tuple[Expr, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Symbol:
    """A declared tensor. Compared by identity: two declarations of one name in two files are two symbols."""

    name: str
    role: Role
    shape: Shape
    span: Span
    attributes: tuple[TypedAttribute, ...] = ()
    default: Expr | None = None
    doc: str = ""

    def has(self, attribute: str) -> bool:
        return any(a.name == attribute for a in self.attributes)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an expression has its facts: the rule in words, and the parts it was applied to (see ``why``)."""

    rule: str
    parts: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is proved of an expression.

    Attributes:
        shape: symbolic shape.
        sign: of every entry.
        curvature: in the variables, parameters held constant (DCP).
        dpp: curvature in variables and parameters together, every product checked by the DPP rule; UNKNOWN if it is
        not DPP.
        params: parameters (``param`` and ``derived``) it depends on.
        variables: variables (and, inside an atom, convex formals) it depends on.
    """

    shape: Shape
    sign: Sign = Sign.UNKNOWN
    curvature: Curvature = Curvature.CONSTANT
    dpp: Curvature = Curvature.CONSTANT
    params: frozenset[Symbol] = frozenset()
    variables: frozenset[Symbol] = frozenset()

    @property
    def is_constant(self) -> bool:
        """Free of variables and of parameters: a number once sizes and data are bound."""
        return not self.params and not self.variables


@dataclass(frozen=True, slots=True, eq=False)
class TypedNode:
    facts: Facts = field(kw_only=True)
    span: Span = field(kw_only=True, repr=False)
    reason: Reason = field(default=Reason(""), kw_only=True, repr=False)

    @property
    def shape(self) -> Shape:
        return self.facts.shape


@dataclass(frozen=True, slots=True, eq=False)
class Const(TypedNode):
    """A number, or a (nested, row-major) tuple of numbers of the node's shape. ``inf`` is ``float("inf")``."""

    value: float | tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Size(TypedNode):
    """An integer expression over dims and index variables, used as a number (scalar)."""

    poly: Poly


@dataclass(frozen=True, slots=True, eq=False)
class Ref(TypedNode):
    """A declared tensor, whole."""

    symbol: Symbol


@dataclass(frozen=True, slots=True, eq=False)
class Take(TypedNode):
    """``operand[items]``: a Poly picks one entry of its axis and drops the axis; a Range keeps it. One item per axis
    of the operand (missing trailing ones are filled in with full ranges). Negative constants are already added to the
    size."""

    operand: Expr
    items: tuple[Poly | Range, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Half-open integer range [start, stop)."""

    start: Poly
    stop: Poly


@dataclass(frozen=True, slots=True, eq=False)
class Apply(TypedNode):
    """A primitive of :mod:`dpplang.semantics.primitives` applied to arguments.

    ``op`` names the primitive; ``options`` its static arguments (``axis``, ``k``, …) as (name, value) pairs, value an
    int,
    a bool, a string, a float, a Poly or a tuple of these. The result's shape is ``self.shape``, so shape-giving
    primitives (``reshape``, ``zeros``) need no option for it.
    """

    op: str
    args: tuple[Expr, ...]
    options: tuple[tuple[str, object], ...] = ()

    def option(self, name: str, default: object = None) -> object:
        return dict(self.options).get(name, default)


@dataclass(frozen=True, slots=True, eq=False)
class AtomCall(TypedNode):
    """An atom applied. ``args`` are in the order of ``atom.formals``, defaults filled in, variadic calls folded.

    ``sizes`` gives the atom's own dims in terms of the caller's. For ``elementwise`` atoms scalar arguments are
    spread to
    ``self.shape``. For ``reduction`` atoms ``axis`` None means all entries of the first argument, row-major, as one
    vector; an int (non-negative) means along that axis, the others kept in order (``keepdims`` is an outer reshape).
    """

    atom: Atom
    args: tuple[Expr, ...]
    sizes: tuple[tuple[str, Poly], ...] = ()
    axis: int | None = None


@dataclass(frozen=True, slots=True)
class TypedBinder:
    """Index variable ``name`` runs over [start, stop). ``name`` is unique within the program (``t``, then ``t.1``
    …)."""

    name: str
    start: Poly
    stop: Poly


@dataclass(frozen=True, slots=True)
class Test:
    """``left op right`` over index polynomials; op one of ``== != < <= > >=``."""

    op: str
    left: Poly
    right: Poly


@dataclass(frozen=True, slots=True)
class Logic:
    """``and``, ``or`` (two or more parts), ``not`` (one)."""

    op: str
    parts: tuple[Condition, ...]


Condition: TypeAlias = Test | Logic


@dataclass(frozen=True, slots=True, eq=False)
class Reduce(TypedNode):
    """``sum``, ``hstack``, ``vstack``, ``max``, ``min`` of ``body`` over the binders (later ones may depend on earlier
    ones), where ``condition`` holds; members in lexicographic order. ``sum`` over nothing is zero."""

    op: str
    body: Expr
    binders: tuple[TypedBinder, ...]
    condition: Condition | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DualRef(TypedNode):
    """``dual name`` in ``return``; shape: the constraint's binders' extents, then the relation's own shape."""

    constraint: str


@dataclass(frozen=True, slots=True, eq=False)
class OptimalValue(TypedNode):
    """``value`` in ``return``."""


Expr: TypeAlias = Const | Size | Ref | Take | Apply | AtomCall | Reduce | DualRef | OptimalValue


class Kind(Enum):
    """ZERO: left == right. LE: left <= right (``>=`` is swapped, ``swapped`` says so). PSD: left − right ⪰ 0
    (``<<`` swapped). CONE: the parts lie in a cone."""

    ZERO = "=="
    LE = "<="
    PSD = ">>"
    CONE = "in"


@dataclass(frozen=True, slots=True, eq=False)
class Constraint:
    """One relation, over all members of its binders.

    ``name`` is the user's, or ``constraint 3`` (by order) where there is none; the parts of a chain share it.
    ``parts`` is (left, right) for relations and the elements of the tuple for CONE, whose ``cone`` is one of
    ``nonneg nonpos zero soc rsoc exp_cone pow_cone psd nsd`` with constant ``cone_args`` (``pow_cone(a)``), or the name
    of a set, whose ``indicator`` is the call of its record.
    In a relation a scalar side spreads over the other. Vector parts of a cone: see ``cones`` in docs/language.md.
    """

    name: str
    kind: Kind
    parts: tuple[Expr, ...]
    span: Span
    binders: tuple[TypedBinder, ...] = ()
    condition: Condition | None = None
    cone: str = ""
    cone_args: tuple[Expr, ...] = ()
    swapped: bool = False
    chained: bool = False
    shape: Shape = ()
    indicator: AtomCall | None = None


@dataclass(frozen=True, slots=True)
class TypedFormal:
    symbol: Symbol
    mode: str  # "", "param" or "const", as in the AST
    any_shape: bool = False
    default: Expr | None = None


@dataclass(frozen=True, slots=True)
class FactClause:
    """``word`` (a sign, or a monotonicity about formal ``argument``) where every ``(formal, sign)`` of ``where``
    holds."""

    word: Sign | Monotonicity
    argument: str = ""
    where: tuple[tuple[str, Sign], ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class AtomGraph:
    """A partial minimization (maximization, for concave atoms) over ``variables``: its optimal value is the atom's.

    ``sense`` is ``minimize`` or ``maximize``. Formals stand in it as Refs of role FORMAL.
    """

    variables: tuple[Symbol, ...]
    sense: str
    objective: Expr
    constraints: tuple[Constraint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Atom:
    """A checked record of the library. ``dims`` are its own dims, in order of first appearance in the signature.

    ``requires`` restricts the constant arguments. ``entangled`` are the convex formals that meet a ``param`` formal
    in a
    product: at a call not both may depend on parameters. A record without a graph may stand in a quadratic objective
    only. ``is_set``: the record of a set, typed as its indicator (see :mod:`dpplang.semantics.sets`); ``kind`` is then
    ``elementwise`` if all formals are scalars, else ``plain``.
    """

    name: str
    formals: tuple[TypedFormal, ...]
    dims: tuple[str, ...]
    kind: str
    variadic: bool
    shape: Shape
    curvature: Curvature
    sign: tuple[FactClause, ...]
    monotone: tuple[FactClause, ...]
    domain: tuple[Constraint, ...]
    value: Expr | None
    quadratic: Expr | None
    graph: AtomGraph | None
    span: Span
    doc: str = ""
    requires: ast.Condition | None = None
    entangled: frozenset[str] = frozenset()
    is_set: bool = False


@dataclass(frozen=True, slots=True)
class Dim:
    name: str
    default: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Derived:
    symbol: Symbol
    value: Expr


@dataclass(frozen=True, slots=True)
class Output:
    """One expression of ``return``. ``name`` is how it is reached (``x``, ``dual.ineq``, ``value``, or ``out0`` … for
    others)."""

    name: str
    value: Expr


@dataclass(frozen=True, slots=True)
class Model:
    """A checked program. ``derived`` is in an order in which each depends only on earlier ones."""

    dims: tuple[Dim, ...]
    data: tuple[Symbol, ...]
    params: tuple[Symbol, ...]
    derived: tuple[Derived, ...]
    variables: tuple[Symbol, ...]
    sense: str
    objective: Expr | None
    constraints: tuple[Constraint, ...]
    outputs: tuple[Output, ...]
    doc: str = ""
    source_name: str = ""
