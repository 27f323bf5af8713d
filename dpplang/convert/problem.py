"""A problem, part by part, as the items of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from dpplang.convert import ends, loops, nodes, relations
from dpplang.convert.constants import Constants
from dpplang.convert.indexing import entries_of
from dpplang.convert.leaves import Leaves, families
from dpplang.convert.names import Names
from dpplang.convert.piece import Piece
from dpplang.convert.refusal import Refusal, raise_for, shown
from dpplang.convert.sums import rolled
from dpplang.convert.tools import Tools
from dpplang.convert.walk import Walk
from dpplang.core.diagnostics import Diagnostic
from dpplang.syntax import ast
from dpplang.syntax.printer import print_node


class Writing:
    """One problem, written.

    Args:
        problem: a ``cvxpy.Problem``. parameters: in order of declaration, the others behind them. returns: variables,
            constraints and expressions. given: the caller's names. dims: sizes by name. near: see :class:`Tools`.

    Raises:
        ConversionError: something has no counterpart; carries all of it.
    """

    def __init__(
        self,
        problem: Any,
        parameters: Sequence[Any],
        returns: Sequence[Any],
        given: Mapping[str, Any],
        dims: Mapping[str, int],
        near: bool = False,
    ) -> None:
        self.names = Names(given, dims)
        self.leaves = Leaves(self.names)
        self.constants = Constants(self.names, given)
        by_size = {n: word for word, n in dims.items()}
        self.tools = Tools(self.names, self.constants, self.leaves, by_size, near)
        self._problem, self._returns, self._dims = problem, returns, dims
        self._constraints = {id(c): c for c in problem.constraints}
        outputs = [r for r in returns if id(r) not in self._constraints and not hasattr(r, "dual_variables")]
        roots = [problem.objective.args[0], *(a for c in problem.constraints for a in c.args)]
        self.walk = Walk(self.tools, roots)
        known = sorted(self.walk.leaves, key=self.names.order)
        self.leaves.families = families(given, known)
        self.walk.survey(outputs)
        self._refuse_strangers(parameters, known)
        for leaf in [*parameters, *known]:
            self.leaves.name(leaf)
        self.items = list(self._items())
        raise_for(self.walk.found)
        if near:
            leaves = {**self.leaves.parameters, **self.leaves.variables}
            shapes = {w: tuple(leaf.shape) for w, leaf in leaves.items()}
            self.items = [ends.named(item, shapes, by_size) for item in self.items]

    def _refuse_strangers(self, parameters: Sequence[Any], known: Sequence[Any]) -> None:
        """What was asked for and does not occur."""
        found, inside = self.walk.found, {id(k) for k in known}
        for parameter in parameters:
            if id(parameter) not in inside:
                found.append(Diagnostic("CVX903", f"the parameter `{shown(parameter)}` does not occur in the problem"))
        for r in self._returns:
            if hasattr(r, "dual_variables") and id(r) not in self._constraints:
                found.append(Diagnostic("CVX903", f"the constraint `{shown(r)}` is none of the problem's"))
        found += [
            Diagnostic("CVX903", f"the variable `{shown(v)}` does not occur in the problem", notes=("in `returns`",))
            for v in self.walk.leaves
            if id(v) not in inside
        ]
        raise_for(found)

    def _items(self) -> Iterator[ast.AnyItem | str]:
        """The items in the order of a file; an empty text is an empty line."""
        objective = self._objective()
        constraints = self._all_constraints()
        output = self._return()
        declared = list(self._declarations())
        constraints += self._bounds()
        equations = [ast.ConstraintItem(None, (), None, r, span=nodes.NOWHERE) for r in self.walk.equations]
        yield from declared
        yield from (
            ast.LetItem(nodes.declaration(word, None), value, span=nodes.NOWHERE) for word, value in self.walk.lets
        )
        yield ""
        yield objective
        if equations or constraints:
            yield ast.SubjectToItem(span=nodes.NOWHERE)
            yield from (*equations, *constraints)
        if output is not None:
            yield ""
            yield output

    def _objective(self) -> ast.ObjectiveItem:
        objective = self._problem.objective
        sense = "minimize" if type(objective).__name__ == "Minimize" else "maximize"
        piece = self.walk.piece(objective.args[0], "the objective")
        node = rolled(self.tools.scalar(piece), self.tools)
        if nodes.is_number(node, 0):
            return ast.ObjectiveItem("find", None, span=nodes.NOWHERE)
        return ast.ObjectiveItem(sense, node, span=nodes.NOWHERE)

    def _all_constraints(self) -> list[ast.ConstraintItem]:
        """Named ones as they are, and between them what loops wrote out."""
        wanted = {id(r) for r in self._returns}
        self._duals: dict[int, str] = {}
        items: list[ast.ConstraintItem] = []
        run: list[relations.Relation] = []

        def close() -> None:
            for relation, binder in loops.roll_relations(run, self.tools):
                word = None if binder is None else nodes.ident(self.names.fresh("c"))
                binders = () if binder is None else (binder,)
                items.append(ast.ConstraintItem(word, binders, None, relation, span=nodes.NOWHERE))
            run.clear()

        for position, c in enumerate(self._problem.constraints):
            made = self._relations(c, position)
            name = self._name(c, id(c) in wanted, len(made))
            if name is None:
                run += made
                continue
            close()
            self._duals[id(c)] = name
            items += [ast.ConstraintItem(nodes.ident(name), (), None, r, span=nodes.NOWHERE) for r in made]
        close()
        return items

    def _name(self, c: Any, wanted: bool, count: int) -> str | None:
        """The name of a constraint that has one, or whose dual is asked for."""
        own = self.names.given(c) or c.label
        if count != 1:
            if wanted:
                message = f"the dual of `{shown(c)}`: it becomes {count} constraints here"
                self.walk.found.append(Diagnostic("CVX903", message, help=("write them one by one",)))
            return None
        return self.names.for_(c, own, "c") if wanted or own else None

    def _relations(self, c: Any, position: int) -> list[relations.Relation]:
        where = f"constraint {position}: `{shown(c)}`"
        args = [self.walk.piece(a, where) for a in c.args]
        try:
            return relations.written(c, args, [self.walk.depends(a) for a in c.args], self.tools)
        except Refusal as refusal:
            self.walk.found.append(refusal.at(f"`{shown(c)}`", f"constraint {position}"))
            return []

    def _return(self) -> ast.ReturnItem | None:
        made: list[ast.Expr] = []
        for r in self._returns:
            if id(r) in self._duals:
                made.append(ast.Dual(nodes.ident(self._duals[id(r)]), span=nodes.NOWHERE))
            elif not hasattr(r, "dual_variables"):
                made.append(self.tools.whole(self.walk.piece(r, "`returns`")))
        return ast.ReturnItem(tuple(made), span=nodes.NOWHERE) if made else None

    # --- declarations --------------------------------------------------------------------------------------------

    def _declarations(self) -> Iterator[ast.AnyItem]:
        parameters = [self._declared(w, p) for w, p in self.leaves.parameters.items()]
        variables = [self._declared(w, v) for w, v in self.leaves.variables.items()]
        variables += [nodes.declaration(w, self.tools.sizes(shape)) for w, shape in self.leaves.introduced]
        data = [
            nodes.declaration(w, self.tools.sizes(v.shape), self.constants.attributes(w))
            for w, v in self.constants.data.items()
        ]
        dims = [nodes.declaration(w, (), (), nodes.number(n)) for w, n in self._dims.items()]
        for kind, declared in (
            (ast.DimItem, dims),
            (ast.DataItem, data),
            (ast.ParamItem, parameters),
            (ast.VarItem, variables),
        ):
            if declared:
                yield kind(tuple(declared), span=nodes.NOWHERE)

    def _declared(self, word: str, leaf: Any) -> ast.Declaration:
        try:
            attributes = self.leaves.attributes(word, self._bound)
        except Refusal as refusal:
            self.walk.found.append(refusal.at(f"`{word}`", ""))
            attributes = ()
        return nodes.declaration(word, self.tools.sizes(tuple(leaf.shape)), attributes)

    def _bound(self, bound: Any) -> ast.Expr:
        if hasattr(bound, "args"):
            return self.tools.scalar(piece) if (piece := self.walk.piece(bound, "bounds")).spread else piece.node
        piece = self.tools.constant(bound)
        return piece.node

    def _bounds(self) -> list[ast.ConstraintItem]:
        """Bounds that are infinite for some entries, stated of the others."""
        made: list[ast.ConstraintItem] = []
        for word, op, bound in self.leaves.partial:
            leaf = self.leaves.variables[word]
            finite = [int(i) for i in np.flatnonzero(np.isfinite(bound))]
            entries = entries_of(Piece(nodes.name(word), tuple(leaf.shape)), finite, self.tools)
            values = self.tools.constant(bound.ravel()[finite])
            relation = nodes.relation(op, entries, values.node)
            made.append(ast.ConstraintItem(None, (), None, relation, span=nodes.NOWHERE))
        return made


def written(items: Sequence[ast.AnyItem | str]) -> str:
    """The text of items, before it is put into canonical form."""
    lines = []
    for item in items:
        text = item if isinstance(item, str) else print_node(item)
        lines.append(f"  {text}" if isinstance(item, ast.ConstraintItem) else text)
    return "\n".join(lines) + "\n"
