"""Fixes of warnings: what nothing uses, says nothing or is said twice, taken out.

No trial is needed: the program has no errors, and what goes is used by nothing. A constraint that follows from the
others is taken out unasked if it has no name; what callers see (parameters, duals by name) only on request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix
from dpplang.core.source import Span
from dpplang.semantics.fixes.program import Around, Names, attribute_edit, one_less
from dpplang.syntax import ast
from dpplang.syntax.walk import walk

_BLANK_OR_COMMENT = re.compile(r"[ \t]*(#[^\n]*)?(\n|\Z)")
_ZERO = {">=": ("nonneg", "nonpos"), "<=": ("nonpos", "nonneg"), ">>": ("psd", "nsd"), "<<": ("nsd", "psd")}
"""Relations to zero: the attribute that says it of what stands left of the relation, and right of it."""


def remedied(file: ast.File, found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings of a program without errors, with what can be offered for each warning."""
    around = Around(file, {}, Names(set()), {})
    return tuple(_with_fix(around, diagnostic) for diagnostic in found)


def _with_fix(around: Around, found: Diagnostic) -> Diagnostic:
    remedy = _REMEDIES.get(found.code)
    if remedy is None or found.fixes or found.primary is None:
        return found
    item = around.item_at(found.primary.span)
    fix = remedy(around, item, found.primary.span) if item is not None else None
    if fix is None:
        return found
    return replace(found, fixes=(fix,), help=() if found.code == "LNT101" else found.help)


def _unused(around: Around, item: ast.AnyItem, name: Span) -> Fix | None:
    """A declaration taken out, with the comment that documents it; an attribute behind a comma put in its place."""
    if isinstance(item, ast.ImportItem):
        return _leave_out(around, item, name, [n.span for n in item.names])
    if not isinstance(item, ast.DimItem | ast.DataItem | ast.ParamItem | ast.VarItem):
        return Fix(f"leave out `{name.text}`", (_whole(around, item),), Applicability.UNSAFE)
    at = next((k for k, d in enumerate(item.declarations) if d.name.span == name), None)
    if at is None:
        return None
    if at and isinstance(item, ast.ParamItem) and name.text in ast.PLAIN_ATTRIBUTES and not item.declarations[at].shape:
        before = item.declarations[at - 1]
        comma = Span(name.source, before.span.end, name.end)
        title = f"declare `{before.name.name}` {name.text}: that is checked when it is bound"
        return Fix(title, (Edit(comma, f" {name.text}"),), Applicability.UNSAFE)
    return _leave_out(around, item, item.declarations[at].span, [d.span for d in item.declarations])


def _leave_out(around: Around, item: ast.AnyItem, one: Span, of: list[Span]) -> Fix:
    """One of what an item lists, with its comma; the whole item where it is the only one."""
    title = f"leave out `{' '.join(one.text.split())}`"
    if len(of) == 1:
        return Fix(title, (_whole(around, item),), Applicability.UNSAFE)
    return Fix(title, (one_less(one, of),), Applicability.UNSAFE)


def _needless(around: Around, item: ast.AnyItem, relation: Span) -> Fix | None:
    """A constraint taken out, of a chain the first or last link."""
    if not isinstance(item, ast.ConstraintItem) or _returned(around, item):
        return None
    safe = Applicability.SAFE if item.name is None else Applicability.UNSAFE
    shown = f"`{' '.join(relation.text.split())}`"
    operands = item.relation.operands if isinstance(item.relation, ast.Relation) else ()
    if len(operands) <= 2:
        dual = "" if item.name is None else f", and `dual {item.name.name}`"
        return Fix(f"leave out {shown}{dual}", tuple(_without_constraint(around, item)), safe)
    first, last = operands[0].span, operands[-1].span
    if relation.start == first.start:
        gone = Span(relation.source, first.start, operands[1].span.start)
    elif relation.end == last.end:
        gone = Span(relation.source, operands[-2].span.end, last.end)
    else:
        return None
    return Fix(f"leave out {shown} of the chain", (Edit(gone, ""),), safe)


def _returned(around: Around, item: ast.ConstraintItem) -> bool:
    """Whether the dual of a constraint is asked for by name."""
    if item.name is None:
        return False
    returns = [i for i in around.file.items if isinstance(i, ast.ReturnItem)]
    return any(isinstance(n, ast.Dual) and n.constraint.name == item.name.name for i in returns for n in walk(i))


def _without_constraint(around: Around, item: ast.ConstraintItem) -> Iterable[Edit]:
    """The constraint, and `subject to` if it was the only one."""
    constraints = [i for i in around.file.items if isinstance(i, ast.ConstraintItem)]
    heads = [i for i in around.file.items if isinstance(i, ast.SubjectToItem)]
    if len(constraints) == 1:
        yield from (_whole(around, head) for head in heads if head.span.line != item.span.line)
        shared = [head for head in heads if head.span.line == item.span.line]
        if shared:
            yield _whole(around, shared[0], until=item)
            return
    yield _whole(around, item)


def _declared(around: Around, item: ast.AnyItem, _: Span) -> Fix | None:
    """``p >= 0`` about a parameter, said where it is declared."""
    if not isinstance(item, ast.ConstraintItem) or not isinstance(item.relation, ast.Relation) or item.binders:
        return None
    operands, ops = item.relation.operands, item.relation.ops
    if len(operands) != 2 or ops[0] not in _ZERO or _returned(around, item):
        return None
    for operand, other, word in zip(operands, operands[::-1], _ZERO[ops[0]], strict=True):
        if not isinstance(operand, ast.Name) or not isinstance(other, ast.Number) or other.value:
            continue
        params = (d for i in around.file.items if isinstance(i, ast.ParamItem) for d in i.declarations)
        declared = next((d for d in params if d.name.name == operand.name), None)
        if declared is not None and word not in {a.name for a in declared.attributes}:
            title = f"declare `{operand.name}` {word}: that is checked when it is bound"
            edits = (attribute_edit(declared, word), *_without_constraint(around, item))
            return Fix(title, edits, Applicability.UNSAFE)
    return None


def _sum(around: Around, item: ast.AnyItem, relation: Span) -> Fix | None:
    """``sum(x) == 1`` for ``x == 1``: another problem, so it is only shown."""
    if not isinstance(item, ast.ConstraintItem) or not isinstance(item.relation, ast.Relation):
        return None
    inside = [o for o in item.relation.operands if relation.start <= o.span.start and o.span.end <= relation.end]
    name = next((o for o in inside if isinstance(o, ast.Name)), None)
    if name is None:
        return None
    edit = Edit(name.span, f"sum({name.name})")
    text = relation.text
    at = name.span.start - relation.start
    shown = " ".join(f"{text[:at]}{edit.text}{text[at + len(name.name) :]}".split())
    return Fix(f"write `{shown}`, if that is what is meant", (edit,), Applicability.DISPLAY)


def _whole(around: Around, item: ast.AnyItem, until: ast.AnyItem | None = None) -> Edit:
    """An item taken out, with the lines that are its own: its documentation, and a comment behind it."""
    source, text = around.file.source, around.file.source.text
    start, stop = item.span.start, (until or item).span.end
    line = text.rfind("\n", 0, start) + 1
    if text[line:start].strip():
        return Edit(Span(source, line + len(text[line:start].rstrip()), stop), "")
    rest = _BLANK_OR_COMMENT.match(text, stop)
    if rest is None:  # something else follows on the line
        return Edit(Span(source, start, stop + len(text[stop:]) - len(text[stop:].lstrip(" \t"))), "")
    while item.doc and line:
        above = text.rfind("\n", 0, line - 1) + 1
        if not text[above:line].lstrip(" \t").startswith("##"):
            break
        line = above
    return Edit(Span(source, line, rest.end()), "")


_REMEDIES: dict[str, Callable[[Around, ast.AnyItem, Span], Fix | None]] = {
    "LNT101": _unused,
    "LNT103": _needless,
    "LNT105": _declared,
    "LNT107": _needless,
    "LNT108": _sum,
}
