"""What the REPL says of items, expressions and mistakes, in lines with aligned columns."""

from __future__ import annotations

from collections.abc import Sequence

from dpplang.core.columns import show, visible
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.render import render_human
from dpplang.core.style import Paint, Style
from dpplang.lattice.dims import Shape, show_shape
from dpplang.repl.session import Entry, Rank, Session
from dpplang.repl.state import Tools
from dpplang.semantics import why
from dpplang.semantics.derivation import Claim, Part, Verdict, constraint_claim, derive, objective_claim, worst
from dpplang.semantics.generators import extents
from dpplang.semantics.tree import Constraint, Kind, Ref, Role
from dpplang.semantics.typed import Probed, Typed
from dpplang.syntax import ast

_VERDICTS = {Verdict.DPP: Style.HELP, Verdict.NOT_DPP: Style.ERROR, Verdict.NOT_DCP: Style.ERROR}
_ROLES = {Role.DATA: "data", Role.PARAM: "parameter", Role.DERIVED: "derived", Role.VAR: "variable"}
Row = tuple[str, ...]
_MOST_COMPLAINTS = 3
_CELLS = 40  # columns of shape, sign, curvature and verdict, beside a tree


def facts(session: Session, entries: Sequence[Entry], tools: Tools) -> str:
    """A line for everything that the entries declare: name, shape, sign, curvature, verdict, and what it is."""
    rows = [row for entry in entries for row in _rows(session, entry)]
    return table(rows, tools.paint, tools.width)


def table(rows: Sequence[Row], paint: Paint, width: int | None = None) -> str:
    """Rows of cells in columns, verdicts coloured; the last column gives way where they are wider than ``width``."""
    if not rows:
        return ""
    count = max(map(len, rows))
    filled = [tuple(visible(cell) for cell in (*row, *[""] * (count - len(row)))) for row in rows]
    widths = [max(show(row[i]).width for row in filled) for i in range(count)]
    filled = [(*row[:-1], _cropped(row[-1], widths, width)) for row in filled]
    widths[-1] = max(show(row[-1]).width for row in filled)
    lines = ([_cell(c, w, i, paint) for i, (c, w) in enumerate(zip(r, widths, strict=True))] for r in filled)
    return "\n".join("  ".join(cells).rstrip() for cells in lines)


def _cropped(text: str, widths: Sequence[int], width: int | None) -> str:
    """The last cell of a row, in the room that those before it leave."""
    if width is None:
        return text
    room = max(width - sum(widths[:-1]) - 2 * (len(widths) - 1), 1)
    return show(text).crop(room, 0, 1)[0] if text else text


def _cell(text: str, width: int, column: int, paint: Paint) -> str:
    pad = " " * (width - show(text).width)
    styles = {v.value: s for v, s in _VERDICTS.items()} | {"?": Style.ERROR}
    style = styles.get(text) or (Style.BOLD if column == 0 else None)
    return (paint(style, text) if style else text) + pad


def _rows(session: Session, entry: Entry) -> list[Row]:
    item, typed = entry.item, session.typed
    match item:
        case ast.DimItem():
            return [(d.name.name, "a dim", _default(d)) for d in item.declarations]
        case ast.DataItem() | ast.ParamItem() | ast.VarItem():
            return [row for d in item.declarations for row in _named(typed, d.name.name)]
        case ast.DerivedItem() | ast.LetItem():
            return _named(typed, item.declaration.name.name)
        case ast.FuncItem():
            return [(f"{item.name.name}({', '.join(f.span.text for f in item.formals)})", "a function")]
        case ast.ImportItem():
            return [(n.name, f"from {item.path}") for n in item.names]
        case ast.ObjectiveItem():
            claim = objective_claim(typed)
            return [_claim(claim)] if claim else [("find", "any feasible point")] if item.sense == "find" else []
        case ast.ConstraintItem():
            return _constraint(session, entry)
        case ast.ReturnItem():
            return [(o.name, show_shape(o.value.shape), "returned") for o in typed.model.outputs]
        case ast.AtomItem():
            return [(item.name.name, "an atom")]
        case ast.SubjectToItem():
            return []


def _default(declaration: ast.Declaration) -> str:
    return "" if declaration.default is None else f"{declaration.default.span.text} unless given"


def _named(typed: Typed, name: str) -> list[Row]:
    expr = typed.named(name)
    if expr is None:
        return []
    part = derive(expr, typed)
    shape, sign, curvature, verdict, on = why.cells(expr.facts, part.verdict, part.derivation.dependence)
    if isinstance(expr, Ref) and expr.symbol.name == name and expr.symbol.role in _ROLES:
        roots = ", ".join(d.name for d in part.derivation.dependence)
        on = _ROLES[expr.symbol.role] + (f" from {roots}" if expr.symbol.role is Role.DERIVED and roots else "")
        verdict = ""
    return [(name, shape, sign, curvature, verdict, on)]


def _claim(claim: Claim) -> Row:
    (part,) = claim.parts
    return (claim.title, *why.cells(part.derivation.facts, claim.verdict, part.derivation.dependence))


def _constraint(session: Session, entry: Entry) -> list[Row]:
    span = session.span_of(entry)
    found = [c for c in session.typed.model.constraints if span and span.start <= c.span.start < span.end]
    if not found:
        return []
    verdict = worst(constraint_claim(c, session.typed).verdict for c in found)
    name = "constraint" if found[0].name.startswith("constraint ") else found[0].name
    return [(name, show_shape(_whole_shape(found[0])), "", _kind(found[0]), verdict.value)]


def _whole_shape(constraint: Constraint) -> Shape:
    members = extents(constraint.binders)
    return constraint.shape if members is None else (*members, *constraint.shape)


def _kind(constraint: Constraint) -> str:
    match constraint.kind:
        case Kind.ZERO:
            return "equality"
        case Kind.LE:
            return "inequality"
        case Kind.PSD:
            return "semidefinite"
        case Kind.CONE:
            return f"in {constraint.cone}"


def expression(probed: Probed, typed: Typed, text: str, tools: Tools) -> str:
    """The facts of an expression in one line, and what is wrong with it, if something is."""
    assert probed.expr is not None
    part = derive(probed.expr, typed, computed=probed.numeric)
    known = why.cells(probed.expr.facts, part.verdict, part.derivation.dependence)
    if probed.numeric:
        known = (*known[:3], "computed before solving", known[4])
    line = table([(" ".join(text.split()), *known)], tools.paint, tools.width)
    wrong = [tools.paint(Style.ERROR, "✗ ") + f"`{where}`: {what}" for where, what in _complaints(part).items()]
    return sections(line, *wrong[:_MOST_COMPLAINTS])


def _complaints(whole: Part) -> dict[str, str]:
    """What is wrong in a derivation, by the text of the place."""
    found: dict[str, str] = {}
    pending, seen = [whole], set[int]()
    while pending:
        part = pending.pop()
        if part.complaint:
            found.setdefault(part.derivation.text, part.complaint)
        if id(part.derivation) not in seen:
            seen.add(id(part.derivation))
            pending.extend(reversed(part.derivation.parts))
    return found


def tree(whole: Part | Claim, tools: Tools) -> str:
    """A derivation, its verdicts coloured and its rules dimmed."""
    paint = tools.paint
    room = why.WIDEST if tools.width is None else max(min(tools.width - _CELLS, why.WIDEST), _CELLS)
    found = why.lines(whole, room)
    first, widths = why.widths(found)
    shown: list[str] = []
    for line in found:
        if line.kind is why.Kind.NODE:
            used = show(line.guide + line.role + line.text).width
            *fixed, last = line.cells
            crop = _cropped(last, (first, *widths), tools.width)
            cells = [_cell(c, w, 1, paint) for c, w in zip((*fixed, crop), widths, strict=True)]
            head = paint(Style.DIM, line.guide + line.role) + paint(Style.BOLD, line.text)
            shown.append(f"{head}{' ' * (first - used)}  {'  '.join(cells)}".rstrip())
        elif line.kind is why.Kind.FAULT:
            shown.append(paint(Style.DIM, line.guide) + paint(Style.ERROR, f"✗ {line.text}"))
        else:
            shown.append(paint(Style.DIM, line.guide + line.text))
    return "\n".join(shown)


def diagnostics(found: Sequence[Diagnostic], paint: Paint, width: int | None) -> str:
    return render_human(found, color=paint.color, width=width) if found else ""


def refusal(message: str, help: str, paint: Paint) -> str:
    """What is said to a command that cannot be carried out."""
    head = f"{paint(Style.ERROR, 'error')}{paint(Style.BOLD, ': ' + visible(message))}"
    return head + (f"\n  = {paint(Style.HELP, 'help')}: {visible(help)}" if help else "")


def sections(*parts: str) -> str:
    """Parts of an answer that are not empty, on lines of their own."""
    return "\n".join(part for part in parts if part)


def verdict(session: Session) -> tuple[str, bool]:
    """The program's verdict in a few words, and whether it is good."""
    errors = session.errors
    if errors:
        return f"{len(errors)} error{'s' * (len(errors) > 1)}: {errors[0].message}", False
    if not session.entries:
        return "empty", True
    if not session.has(Rank.OBJECTIVE):
        return "no objective yet", True
    return "DPP", True
