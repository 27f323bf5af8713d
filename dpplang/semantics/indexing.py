"""``x[i, a:b]``: which entries, of which shape, and whether they are there."""

from __future__ import annotations

from dpplang.core.diagnostics import Label
from dpplang.lattice.dims import Poly, show_shape
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.build import taken
from dpplang.semantics.generators import integer_expression
from dpplang.semantics.members import Witness, refute
from dpplang.semantics.report import Mistake, mistake, plural
from dpplang.semantics.scope import Scope
from dpplang.semantics.tree import Expr, Range, Size
from dpplang.semantics.walk import Walk
from dpplang.syntax import ast


def index(walk: Walk, node: ast.Index, scope: Scope) -> Expr | None:
    """A typed ``Take``; None if a part is wrong, which is then reported.

    Raises:
        Mistake: too many indices, an index that is no integer expression, or one that leaves its range.
    """
    operand = walk.infer(node.operand, scope)
    items: list[Poly | Range] = []
    sound = operand is not None
    rank = len(operand.shape) if operand is not None else len(node.items)
    if operand is not None and len(node.items) > rank:
        raise mistake(
            "SHP507",
            f"{plural(len(node.items), 'index' if len(node.items) == 1 else 'indice')} for shape "
            f"{show_shape(operand.shape)}"
            if rank
            else "a scalar has no entries to index",
            node.span,
            secondary=declaration_labels(operand),
        )
    for axis, item in enumerate(node.items):
        try:
            resolved = _item(walk, item, operand, axis, scope)
        except Mistake as error:
            walk.report.add(*error.diagnostics)
            resolved = None
        if resolved is None:
            sound = False
        else:
            items.append(resolved)
    if operand is None or not sound:
        return None
    items += [Range(Poly(), size) for size in operand.shape[len(items) :]]
    return taken(operand, tuple(items), node.span)


def _item(walk: Walk, item: ast.Expr | ast.Slice, operand: Expr | None, axis: int, scope: Scope) -> Poly | Range | None:
    if isinstance(item, ast.Slice):
        start = None if item.start is None else integer_expression(walk, item.start, scope, "a slice's start")
        stop = None if item.stop is None else integer_expression(walk, item.stop, scope, "a slice's end")
        wrong = (start is None and item.start is not None) or (stop is None and item.stop is not None)
        if operand is None or wrong:
            return None
        return _slice(walk, start, stop, item, operand, axis, scope)
    position = integer_expression(walk, item, scope, "an index")
    if operand is None or position is None:
        return None
    size = operand.shape[axis]
    wrapped = _from_end(position, size)
    for nonneg in (wrapped, size - 1 - wrapped):
        witness = refute(nonneg, scope.binders, scope.conditions, walk.state.steps)
        if witness is not None:
            if witness and (wrapped, size) in walk.state.strayed:
                return None  # a range that is one too long is one mistake, however often its index is used
            walk.state.strayed.add((wrapped, size))
            raise _out_of_range(item, position, size, operand, axis, witness, scope)
    return wrapped


def _slice(
    walk: Walk, start: Poly | None, stop: Poly | None, item: ast.Slice, operand: Expr, axis: int, scope: Scope
) -> Range:
    size = operand.shape[axis]
    low = Poly() if start is None else _from_end(start, size)
    high = size if stop is None else _from_end(stop, size)
    complaints = (
        (low, "it starts before 0"),
        (high - low, "it ends before it starts"),
        (size - high, f"it ends beyond the size {size}"),
    )
    for nonneg, complaint in complaints:
        witness = refute(nonneg, scope.binders, scope.conditions, walk.state.steps)
        if witness is not None:
            raise mistake(
                "SHP506",
                f"slice `{item.span.text}` of an axis of size {size}: {complaint}{_at(witness, scope)}",
                item.span,
                complaint,
                secondary=declaration_labels(operand),
                notes=("slices are half-open: `a:b` is a, …, b − 1",),
            )
    return Range(low, high)


def _from_end(position: Poly, size: Poly) -> Poly:
    """Negative constants count from the end."""
    constant = position.constant
    return position + size if constant is not None and constant < 0 else position


def _out_of_range(
    item: ast.Expr, position: Poly, size: Poly, operand: Expr, axis: int, witness: Witness, scope: Scope
) -> Mistake:
    value = position.substitute(dict(witness))
    of_axis = f"axis {axis} of size {size}" if len(operand.shape) > 1 else f"size {size}"
    reached = f"; it is {value}{_at(witness, scope)}" if witness else ""
    return mistake(
        "SHP505",
        f"index `{item.span.text}` is out of range for {of_axis}{reached}",
        item.span,
        f"must be from 0 to {size - 1}",
        secondary=(*declaration_labels(operand), *_range_labels(witness, scope)),
        help=("leave the member out with a condition or a shorter range: `for t in 1:T`",) if witness else (),
    )


def _at(witness: Witness, scope: Scope) -> str:
    """`` at t = 0``."""
    if not witness:
        return ""
    return " at " + ", ".join(f"{name.split('.')[0]} = {_shown(value, witness)}" for name, value in witness.items())


def _shown(value: Poly, witness: Witness) -> str:
    return str(value.substitute(dict(witness)))


def _range_labels(witness: Witness, scope: Scope) -> list[Label]:
    """Where the index variables concerned are bound."""
    bound = {e.poly: e.span for e in scope.local.values() if isinstance(e, Size)}
    found: list[Label] = []
    for binder in scope.binders:
        span = bound.get(Poly.var(binder.name))
        if binder.name in witness and span is not None:
            found.append(Label(span, f"from {binder.start} to {binder.stop - 1}"))
    return found
