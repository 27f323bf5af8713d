"""The code lens above a program: its verdict, what it declares, and how large it is once sizes are known.

Of a size there are two: that of the program as it is written, entries of variables and rows of constraints, which is
known at once; and the canonical one, which depends on graph forms, on which objective stays quadratic and on what is
substituted. Lowering decides those with NumPy, which another process loads (:mod:`dpplang.lsp.sizer`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

from lsprotocol.types import CodeLens, Command

from dpplang.lattice.dims import Shape
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.given import given_sizes
from dpplang.lsp.sizes import Answer, Size, Unsized
from dpplang.lsp.view import View
from dpplang.semantics.generators import extents
from dpplang.semantics.tree import Model
from dpplang.syntax import ast


def lenses(view: View, answer: Answer | None = None) -> list[CodeLens]:
    """One lens, above the objective. ``answer``: the canonical size, if it is known."""
    objective = next((i for i in view.analysis.items if isinstance(i, ast.ObjectiveItem)), None)
    if objective is None:
        return []
    start = view.lines.range(objective.span.start, objective.span.start)
    return [CodeLens(start, Command(title(view.analysis, answer), "", tooltip=tooltip(answer)))]


def title(analysis: Analysis, answer: Answer | None = None) -> str:
    """``DPP · 3 parameters, 1 variable, 2 constraints · canonical: 30 variables, 52 rows (12 =, 40 ≥) · n = 10``."""
    model = analysis.model
    if model is None:
        errors = [d for d in analysis.diagnostics if d.is_error]
        families = {d.code[:3] for d in errors}
        verdict = "not DCP" if "DCP" in families else "DCP, not DPP" if families == {"DPP"} else ""
        count = f"{len(errors)} error{'s' if len(errors) != 1 else ''}"
        return " · ".join(part for part in (verdict, count) if part)
    constraints = len({c.name for c in model.constraints})
    counts = [
        _count(len(model.params), "parameter"),
        _count(len(model.data), "data", "data"),
        _count(len(model.variables), "variable"),
        _count(constraints, "constraint"),
    ]
    given = given_sizes(analysis.text, analysis.path, model)
    shown = ", ".join(f"{name} = {value}" for name, value in given.sizes.items()) if given.complete else ""
    remarks = f"sizes: {', '.join(given.remarks)}" if given.remarks else ""
    size = _size(model, given.sizes, answer) if given.complete else ""
    parts = ("DPP", ", ".join(c for c in counts if c), size, shown, remarks)
    return " · ".join(part for part in parts if part)


def tooltip(answer: Answer | None) -> str | None:
    """What has no place in a line: θ, nonzeros, and which data were taken to have no zeros."""
    if not isinstance(answer, Size):
        return None
    lines = [
        f"canonical: minimize ½xᵀPx + qᵀx, Ax + s = b, s ∈ K; {answer.variables:,} variables x, {answer.rows:,} rows"
    ]
    lines.append(f"{answer.parameters:,} entries of parameters, derived ones among them")
    if answer.nonzeros is not None:
        lines.append(f"nonzeros: {answer.nonzeros[0]:,} of P, {answer.nonzeros[1]:,} of A")
    if answer.without_zeros:
        lines.append(f"counted as if {', '.join(answer.without_zeros)} had no zeros")
    return "\n".join(lines)


def _size(model: Model, sizes: Mapping[str, int], answer: Answer | None) -> str:
    if isinstance(answer, Size):
        cones = answer.cones()
        variables = _count(answer.variables, "variable") or "no variables"
        return f"canonical: {variables}, {_count(answer.rows, 'row') or 'no rows'}" + (f" ({cones})" if cones else "")
    written = _written(model, sizes)
    parts = [f"{written[0]:,} unknowns, {written[1]:,} rows as written"] if written is not None else []
    parts += [answer.why] if isinstance(answer, Unsized) and answer.why else []
    return ", ".join(parts)


def _count(number: int, noun: str, several: str = "") -> str:
    return "" if number == 0 else f"{number:,} {noun if number == 1 else several or noun + 's'}"


def _written(model: Model, sizes: Mapping[str, int]) -> tuple[int, int] | None:
    """Entries of the variables and rows of the constraints; None if a condition leaves out members, or an axis would
    be negative."""
    shapes: list[Shape] = [v.shape for v in model.variables]
    for constraint in model.constraints:
        members = extents(constraint.binders)
        if members is None or constraint.condition is not None:
            return None
        shapes.append((*members, *constraint.shape))
    found = [[axis.evaluate(sizes) for axis in shape] for shape in shapes]
    if any(axis < 0 for shape in found for axis in shape):
        return None
    counts, variables = [prod(shape) for shape in found], len(model.variables)
    return sum(counts[:variables]), sum(counts[variables:])
