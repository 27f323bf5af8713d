"""``x in C`` for a set C that a record says: ``kind: set``, whose graph is its constraints.

A set is typed as its indicator, the convex function that is zero on it and infinite elsewhere, so that its record is
proved as an atom's is, and its arguments are fitted as an atom's are: those of mode ``""`` are the element, ``param``
and ``const`` ones stand in brackets behind its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dpplang.core.diagnostics import Label
from dpplang.lattice.dims import Poly, Shape, size
from dpplang.semantics.atom_match import Keywords, Site
from dpplang.semantics.calls import call_atom
from dpplang.semantics.report import Mistake, mistake, plural
from dpplang.semantics.tree import Atom, AtomCall, Constraint, Expr, Kind, TypedFormal
from dpplang.syntax import ast

Member = tuple[tuple[Expr, ...], tuple[Expr, ...], Keywords]
"""The parts of an element, the positional and the named arguments of its set."""


def membership(node: ast.Membership, records: Sequence[Atom], member: Member, site: Site, name: str) -> Constraint:
    """The constraint that an element is in a set.

    Args:
        records: the set's, in order of preference.
        name: the constraint's.

    Raises:
        Mistake: the element or the arguments fit none of the records (as those of an atom, or SHP516, NAM105), or both
            depend on parameters that the set multiplies (DPP301).
    """
    parts, positional, keywords = member
    fitting = [r for r in records if len(element(r)) == len(parts)]
    if not fitting:
        counts = sorted({len(element(r)) for r in records})
        wanted = " or ".join(plural(c, "part") for c in counts)
        forms = tuple(f"one form is `{shown(r)}`" for r in records)
        message = f"an element of `{site.name}` has {wanted}, not {len(parts)}"
        raise mistake("SHP516", message, node.element.span, notes=forms)
    _check_arguments(fitting, positional, keywords, node)
    called = call_atom(tuple(fitting), (*parts, *positional), keywords, site)
    if not isinstance(called.expr, AtomCall):
        raise Mistake(*called.diagnostics)
    indicator = called.expr
    if all(p.facts.dpp.is_affine for p in parts) and not indicator.facts.dpp.is_convex:
        raise _entangled(indicator, node)
    arguments = tuple(a for f, a in zip(indicator.atom.formals, indicator.args, strict=True) if f.mode)
    shape = element_shape(indicator)
    return Constraint(
        name,
        Kind.CONE,
        parts,
        node.span,
        cone=site.name,
        cone_args=arguments,
        shape=shape,
        indicator=replace(indicator, span=node.span),
    )


def element(record: Atom) -> tuple[TypedFormal, ...]:
    """The formals that are the element's parts: they stand first."""
    return tuple(f for f in record.formals if not f.mode)


def shown(record: Atom) -> str:
    """``(u, v) in wedge(slope)``."""
    parts = [f.symbol.name for f in record.formals if not f.mode]
    arguments = [f.symbol.name for f in record.formals if f.mode]
    left = parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
    return f"{left} in {record.name}" + (f"({', '.join(arguments)})" if arguments else "")


def element_shape(indicator: AtomCall) -> Shape:
    """Shape of the dual: the element's; of several parts stacked, if they are spread to one shape, else end to end."""
    parts = [a for f, a in zip(indicator.atom.formals, indicator.args, strict=True) if not f.mode]
    if indicator.atom.kind == "elementwise":
        return indicator.shape if len(parts) == 1 else (Poly.const(len(parts)), *indicator.shape)
    if len(parts) == 1:
        return parts[0].shape
    total = Poly.const(0)
    for part in parts:
        total = total + size(part.shape)
    return (total,)


def _check_arguments(
    records: Sequence[Atom], positional: tuple[Expr, ...], keywords: Keywords, node: ast.Membership
) -> None:
    """As many arguments as some record takes; an atom's own message would count the element among them.

    Raises:
        Mistake: NAM105.
    """
    named = {ident.name for ident, _ in keywords}
    most = max(len(r.formals) - len(element(r)) for r in records)
    name, span = node.cone.name, node.cone.span
    forms = tuple(f"one form is `{shown(r)}`" for r in records)
    if len(positional) > most:
        raise mistake(
            "NAM105", f"`{name}` takes {plural(most, 'argument')}, {len(positional)} given", span, notes=forms
        )
    lacking = [
        [f.symbol.name for f in left if f.default is None and f.symbol.name not in named]
        for left in ([f for f in r.formals if f.mode][len(positional) :] for r in records)
    ]
    if not all(lacking):
        return
    lacks = " and ".join(f"`{name}`" for name in min(lacking, key=len))
    raise mistake("NAM105", f"`{name}` needs {lacks}", span, notes=forms)


def _entangled(indicator: AtomCall, node: ast.Membership) -> Mistake:
    parameters = ", ".join(f"`{s.name}`" for s in sorted(indicator.facts.params, key=lambda s: s.name))
    return mistake(
        "DPP301",
        f"`{node.cone.name}` multiplies its argument and its element, which both depend on parameters",
        node.cone.span,
        f"depends on {parameters}",
        secondary=(Label(node.element.span, "the element"),),
        notes=("it is DCP; DPP needs one factor that is free of parameters",),
        help=(f"give the element a name: `var z`, `z == {node.element.span.text}`, and `z in {node.cone.name}(…)`",),
    )
