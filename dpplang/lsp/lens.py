"""The code lens above a program: its verdict, what it declares, and how large it is once sizes are known.

The size shown is that of the program as written: entries of variables, rows of constraints. The canonical size is not
known here: it depends on graph forms, on which objective stays quadratic and on what is substituted, which lowering
decides with NumPy; the server loads neither.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from lsprotocol.types import CodeLens, Command, Range

from dpplang.lattice.dims import Poly, size
from dpplang.lsp.analysis import Analysis
from dpplang.lsp.view import View
from dpplang.semantics.generators import extents
from dpplang.semantics.tree import Constraint, Model
from dpplang.syntax import ast

_COMMENT = re.compile(r"^[ \t]*#[ \t]*dims:(.*)$", re.MULTILINE)
_SIZE = re.compile(r"([^\W\d]\w*)\s*=\s*([1-9][0-9]{0,8})\b")
_SETTINGS = "dpp.toml"


def lenses(view: View) -> list[CodeLens]:
    """One lens, above the objective."""
    analysis = view.analysis
    objective = next((i for i in analysis.items if isinstance(i, ast.ObjectiveItem)), None)
    if objective is None:
        return []
    start = view.lines.position(objective.span.start)
    return [CodeLens(Range(start, start), Command(title(analysis), ""))]


def title(analysis: Analysis) -> str:
    """``DPP · 3 parameters, 1 variable, 2 constraints · 30 unknowns, 12 rows (n = 10)``."""
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
    parts = ["DPP", ", ".join(c for c in counts if c)]
    sizes = known_sizes(analysis, model)
    written = _written(model, sizes)
    if written is not None:
        shown = ", ".join(f"{d.name} = {sizes[d.name]}" for d in model.dims)
        parts.append(f"{written[0]} unknowns, {written[1]} rows as written" + (f" ({shown})" if shown else ""))
    return " · ".join(parts)


def _count(number: int, noun: str, several: str = "") -> str:
    return "" if number == 0 else f"{number} {noun if number == 1 else several or noun + 's'}"


def known_sizes(analysis: Analysis, model: Model) -> dict[str, int]:
    """Sizes of dims: the comment `# dims: n = 10` before `dpp.toml` before the defaults."""
    sizes = {d.name: d.default for d in model.dims if d.default is not None}
    if analysis.path is not None:
        sizes.update(_from_settings(analysis.path))
    for found in _COMMENT.finditer(analysis.text):
        sizes.update((name, int(value)) for name, value in _SIZE.findall(found.group(1)))
    return sizes


def _from_settings(path: Path) -> dict[str, int]:
    """``[dims]`` of the nearest `dpp.toml` beside or above the file, then ``["qp.dpp".dims]``."""
    for folder in path.parents:
        settings = folder / _SETTINGS
        try:
            content = tomllib.loads(settings.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            continue
        try:
            own = content.get(path.relative_to(folder).as_posix())
        except ValueError:
            own = None
        return {**_dims(content), **_dims(own)}
    return {}


def _dims(table: object) -> dict[str, int]:
    found = cast("dict[str, object]", table).get("dims") if isinstance(table, dict) else None
    if not isinstance(found, dict):
        return {}
    return {n: v for n, v in cast("dict[str, object]", found).items() if type(v) is int and v > 0}


def _written(model: Model, sizes: Mapping[str, int]) -> tuple[int, int] | None:
    """Entries of the variables and rows of the constraints; None if some dim has no size, or a condition leaves out
    members."""
    try:
        unknowns = sum(size(v.shape).evaluate(sizes) for v in model.variables)
        rows = [_rows(c) for c in model.constraints]
        if any(r is None for r in rows):
            return None
        return unknowns, sum(r.evaluate(sizes) for r in rows if r is not None)
    except KeyError:
        return None


def _rows(constraint: Constraint) -> Poly | None:
    members = extents(constraint.binders)
    if members is None or constraint.condition is not None:
        return None
    return size(members) * size(constraint.shape)
