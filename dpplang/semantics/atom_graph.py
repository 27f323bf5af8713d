"""The typed parts of a record: its graph, and the expressions and relations over its formals."""

from __future__ import annotations

from dpplang.lattice.dims import Poly, Shape
from dpplang.semantics.atom_signature import Signature
from dpplang.semantics.attributes import typed_attributes
from dpplang.semantics.build import constant, reference, size_node
from dpplang.semantics.generators import integer_expression
from dpplang.semantics.infer import Inference
from dpplang.semantics.relations import constraints_of, relation
from dpplang.semantics.report import Mistake, Report, mistake
from dpplang.semantics.scope import POISON, Binding, FileScope, Library, Scope
from dpplang.semantics.tree import AtomGraph, Constraint, Expr, Role, Symbol
from dpplang.semantics.walk import State, reserve_index_names
from dpplang.syntax import ast


class RecordReader:
    """Types what stands in one record. ``report`` takes what is wrong with it."""

    def __init__(self, item: ast.AtomItem, signature: Signature, library: Library, report: Report) -> None:
        self._item = item
        self._signature = signature
        self._file = FileScope(library, requires=item.requires)
        self._report = report

    def _walk(self, numeric: bool) -> tuple[Inference, Scope]:
        """A walk of its own for every entry, with the formals as constants if ``numeric``."""
        state = State()
        reserve_index_names(state, list(self._signature.dims))
        local: dict[str, Binding] = {dim: size_node(Poly.var(dim), self._item.span) for dim in self._signature.dims}
        for formal in self._signature.formals:
            local[formal.symbol.name] = reference(formal.symbol, mode="const" if numeric else formal.mode)
        return Inference(self._report, state), Scope(self._file, local, numeric=numeric)

    def expression(self, node: ast.Expr) -> Expr | None:
        """``value`` or ``quadratic``; None if it is wrong."""
        walk, scope = self._walk(numeric=True)
        return walk.infer(node, scope)

    def domain(self) -> tuple[Constraint, ...]:
        walk, scope = self._walk(numeric=True)
        found = [relation(walk, node, scope, "domain") for node in self._item.domain]
        return tuple(constraint for group in found if group is not None for constraint in group)

    def graph(self, graph: ast.Graph) -> AtomGraph | None:
        """The graph; None if its objective is wrong.

        Raises:
            Mistake: ATM410, it has no objective, or more than one.
        """
        objectives = [i for i in graph.items if isinstance(i, ast.ObjectiveItem)]
        if len(objectives) != 1 or objectives[0].expression is None:
            raise mistake("ATM410", "a graph has one objective: `minimize …` or `maximize …`", graph.span)
        walk, scope, variables, constraints = self._items(graph)
        objective = walk.infer(objectives[0].expression, scope)
        if objective is None:
            return None
        return AtomGraph(tuple(variables), objectives[0].sense, objective, tuple(constraints))

    def constraints(self, graph: ast.Graph) -> AtomGraph:
        """The graph of a set, which has no objective: zero where its constraints hold.

        Raises:
            Mistake: ATM410, it has an objective, or no constraints.
        """
        objective = next((i for i in graph.items if isinstance(i, ast.ObjectiveItem)), None)
        if objective is not None and objective.sense != "find":
            raise mistake("ATM410", "the graph of a set has constraints and no objective", objective.span)
        if not any(isinstance(i, ast.ConstraintItem) for i in graph.items):
            message = "the graph of a set has constraints: `subject to`, and what holds of its elements"
            raise mistake("ATM410", message, graph.span)
        _, _, variables, constraints = self._items(graph)
        return AtomGraph(tuple(variables), "minimize", constant(0.0, graph.span), tuple(constraints))

    def _items(self, graph: ast.Graph) -> tuple[Inference, Scope, list[Symbol], list[Constraint]]:
        """The walk and the scope in which the objective is typed, the variables, and the constraints."""
        walk, scope = self._walk(numeric=False)
        variables: list[Symbol] = []
        constraints: list[Constraint] = []
        # Declarations first: in a graph, as in a program, constraints may stand before the names they use.
        for item in graph.items:
            if isinstance(item, ast.VarItem):
                for declaration in item.declarations:
                    scope = self._declare(walk, declaration, scope, variables)
            elif isinstance(item, ast.LetItem):
                scope = scope.bind(item.declaration.name.name, walk.infer(item.value, scope) or POISON)
        for item in graph.items:
            if isinstance(item, ast.ConstraintItem):
                name = item.name.name if item.name else f"constraint {len(constraints) + 1}"
                constraints.extend(constraints_of(walk, item, scope, name) or ())
        return walk, scope, variables, constraints

    def _declare(self, walk: Inference, declaration: ast.Declaration, scope: Scope, variables: list[Symbol]) -> Scope:
        name = declaration.name.name
        try:
            if name in scope.local:
                raise mistake("NAM102", f"`{name}` is declared twice", declaration.name.span)
            extents = [integer_expression(walk, e, scope, "a size") for e in declaration.shape or ()]
            if None in extents:
                return scope.bind(name, POISON)
            shape: Shape = tuple(e for e in extents if e is not None)
            attributes = typed_attributes(walk, declaration.attributes, shape, Role.VAR, scope)
        except Mistake as found:
            self._report.add(*found.diagnostics)
            return scope.bind(name, POISON)
        symbol = Symbol(name, Role.VAR, shape, declaration.span, attributes)
        variables.append(symbol)
        return scope.bind(name, reference(symbol))
