"""The typed expressions of one item, node by node: the item is typed once more, with every step written down."""

from __future__ import annotations

from dataclasses import replace

from dpplang.semantics.infer import Inference
from dpplang.semantics.relations import constraints_of
from dpplang.semantics.report import Report
from dpplang.semantics.scope import Scope
from dpplang.semantics.tree import Expr
from dpplang.semantics.typed import Typed
from dpplang.semantics.walk import State, reserve_index_names
from dpplang.syntax import ast
from dpplang.syntax.walk import children


class _Recording(Inference):
    """The inference, with what it finds by the ``id`` of the node; of a node in a ``func``, for the first call."""

    def __init__(self, report: Report, state: State) -> None:
        super().__init__(report, state)
        self.found: dict[int, Expr] = {}

    def infer(self, node: ast.Expr | ast.Condition, scope: Scope) -> Expr | None:
        expr = super().infer(node, scope)
        if expr is not None:
            self.found.setdefault(id(node), expr)
        return expr


def type_nodes(item: ast.AnyItem, program: Typed) -> dict[int, Expr]:
    """The typed expressions of an item by the ``id`` of their nodes; what is wrong has none.

    Nodes of a ``func`` that the item calls are among them; a ``func`` or an ``atom`` itself has none.
    """
    # An unknown name is poisoned where it is found: that must stay within this item.
    scope = replace(program.scope, names=dict(program.scope.names.items()))
    state = State()
    reserve_index_names(state, [d.name for d in program.model.dims])
    walk = _Recording(Report(), state)
    match item:
        case ast.ConstraintItem():
            constraints_of(walk, item, Scope(scope), "")
        case ast.DerivedItem():
            walk.infer(item.value, Scope(scope, numeric=True))
            _every(walk, item.declaration, Scope(scope))
        case ast.LetItem():
            walk.infer(item.value, Scope(scope))
            _every(walk, item.declaration, Scope(scope))
        case ast.ReturnItem():
            _every(walk, item, Scope(scope, returning=True))
        case ast.ObjectiveItem() | ast.DimItem() | ast.DataItem() | ast.ParamItem() | ast.VarItem():
            _every(walk, item, Scope(scope))
        case _:
            pass
    return walk.found


def _every(walk: Inference, node: ast.Node, scope: Scope) -> None:
    """Type every expression below a node that is none itself."""
    for child in children(node):
        match child:
            case ast.Declaration() | ast.Attribute():
                _every(walk, child, scope)
            case ast.Ident() | ast.Keyword() | ast.Binder() | ast.Generator() | ast.Slice():
                pass
            case _:
                walk.infer(child, scope)  # pyright: ignore[reportArgumentType]
