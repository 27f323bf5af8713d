"""Fixes by code, for findings whose rules know nothing of the text around: found in the syntax, and tried.

Every function takes the finding and gives fixes; none if it has nothing to offer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from dpplang.core.diagnostics import Applicability, Diagnostic, Edit, Fix
from dpplang.core.source import Span
from dpplang.semantics import hints
from dpplang.semantics.fixes.declared import (
    declare_dim,
    declare_tensor,
    drop_attribute,
    moved_up,
    repeated,
    with_attribute,
)
from dpplang.semantics.fixes.naming import joined
from dpplang.semantics.fixes.operators import flipped, other_sense, transposed
from dpplang.semantics.fixes.parametric import definiteness
from dpplang.semantics.fixes.program import Around
from dpplang.semantics.fixes.rewrite import Impossible, Rewrite
from dpplang.semantics.fixes.syntax import binders_on, path
from dpplang.semantics.fixes.trial import Trial
from dpplang.semantics.infer import infer
from dpplang.semantics.report import Report
from dpplang.semantics.scope import FileScope, Scope
from dpplang.syntax import ast
from dpplang.syntax.grouping import grouped
from dpplang.syntax.walk import walk

_MOST_NAMES = 4
UNSAFE, SAFE, DISPLAY = Applicability.UNSAFE, Applicability.SAFE, Applicability.DISPLAY


@dataclass(frozen=True, slots=True)
class Site:
    """A finding, the program around it, what its names mean, and what tries candidates."""

    found: Diagnostic
    around: Around
    scope: FileScope
    trial: Trial

    @property
    def span(self) -> Span:
        assert self.found.primary is not None
        return self.found.primary.span

    @property
    def node(self) -> ast.Expr | None:
        return self.around.node_at(self.span)

    def first(self, candidates: Iterable[tuple[str, tuple[Edit, ...]]]) -> tuple[Fix, ...]:
        return self.trial.first(self.found, candidates)


Offer = Callable[[Site], tuple[Fix, ...]]


def offered(found: Iterable[Diagnostic], around: Around, scope: FileScope, trial: Trial) -> tuple[Diagnostic, ...]:
    """The findings with what can be offered for each that has no fix yet; help that a fix repeats is left out."""
    result: list[Diagnostic] = []
    for diagnostic in found:
        offer = OFFERS.get(diagnostic.code)
        here = diagnostic.primary is not None and diagnostic.primary.span.source is around.file.source
        if offer is not None and here and not diagnostic.fixes:
            fixes = offer(Site(diagnostic, around, scope, trial))
            if fixes:
                said = any(f.applicability is not DISPLAY for f in fixes) and diagnostic.code in _SAID
                diagnostic = replace(diagnostic, fixes=fixes, help=() if said else diagnostic.help)
        result.append(diagnostic)
    return tuple(result)


# --- parameters ----------------------------------------------------------------------------------------------------


def _derived(site: Site) -> tuple[Fix, ...]:
    """A function of parameters that must be computed beforehand."""
    node = site.node or _call_named_at(site)
    item = None if node is None else site.around.item_at(node.span)
    if node is None or item is None or isinstance(item, ast.AtomItem):
        return ()
    formals = frozenset(f.name.name for f in item.formals) if isinstance(item, ast.FuncItem) else frozenset[str]()
    rewrite = Rewrite(site.around, item, binders_on(path(item, node)[:-1]), formals)
    expr = infer(node, Scope(site.scope), Report())
    if expr is not None and expr.facts.variables:
        return ()  # what depends on variables cannot be computed beforehand
    attribute = "" if expr is None else definiteness(expr, rewrite, node)
    shape = () if expr is None else expr.shape
    try:
        fix = rewrite.fix(node, rewrite.derive(joined(node), node.span.text, shape, attribute=attribute))
    except Impossible:
        return ()
    return (fix,) if site.trial.mends(site.found, fix) else ()


def _call_named_at(site: Site) -> ast.Call | None:
    """The call whose function's name is underlined."""
    item = site.around.item_at(site.span)
    calls = (n for n in walk(item) if isinstance(n, ast.Call)) if item is not None else ()
    return next((c for c in calls if c.function.span == site.span), None)


# --- declarations --------------------------------------------------------------------------------------------------


def _attribute(*words: str) -> Offer:
    """An attribute at the declaration of a tensor that is underlined, or is part of what is."""

    def offer(site: Site) -> tuple[Fix, ...]:
        if site.node is None:
            return ()
        file = site.around.file
        single = [with_attribute(file, site.node, word) for word in words]
        names = list({n.name: n for n in walk(site.node) if isinstance(n, ast.Name)}.values())[:_MOST_NAMES]
        if len(names) > 1:
            single += [with_attribute(file, name, words[0]) for name in names]
        candidates = [one for group in single for one in group]
        several = [one for name in names for one in with_attribute(file, name, words[0])]
        if len(several) > 1:
            every = tuple(edit for _, edits in several for edit in edits)
            candidates.append(("; ".join(title for title, _ in several), every))
        return site.first(candidates)

    return offer


def _missing_attribute(site: Site) -> tuple[Fix, ...]:
    words = site.found.message.rpartition(" must be ")[2].split(" or ")
    return _attribute(*words)(site)


def _unknown_name(site: Site) -> tuple[Fix, ...]:
    node = site.node
    item = site.around.item_at(site.span)
    if item is None:
        return ()
    dim = declare_dim(site.around, item, site.span)
    if dim is not None:
        return (dim,)
    if not isinstance(node, ast.Name) or hints.of_name(node.name) is not None:
        return ()
    return site.first(declare_tensor(site.around, item, node))


def _defined_later(site: Site) -> tuple[Fix, ...]:
    fix = moved_up(site.around, site.span)
    return () if fix is None else (fix,)


def _given_twice(site: Site) -> tuple[Fix, ...]:
    if "is given twice" not in site.found.message:
        return ()
    return (Fix(f"leave out the second `{site.span.text}`", drop_attribute(site.span), SAFE),)


def _declared_twice(site: Site) -> tuple[Fix, ...]:
    edits = repeated(site.around, site.span)
    if edits is None:
        return ()
    fix = Fix(f"leave out the second `{site.span.text}`, which says the same", edits, SAFE)
    return (fix,) if site.trial.mends(site.found, fix) else ()


def _without_attribute(site: Site) -> tuple[Fix, ...]:
    return site.first([(f"leave out `{site.span.text}`", drop_attribute(site.span))])


def _axis(site: Site) -> tuple[Fix, ...]:
    return site.first((f"write `{axis}`", (Edit(site.span, axis),)) for axis in ("0", "1") if axis != site.span.text)


def _contradicted(site: Site) -> tuple[Fix, ...]:
    declared = next((label.span for label in site.found.secondary if label.text == "declared here"), None)
    if declared is None:
        return ()
    return site.first([(f"leave out `{declared.text}`", drop_attribute(declared))])


def _no_objective(site: Site) -> tuple[Fix, ...]:
    heads = [i for i in site.around.file.items if isinstance(i, ast.SubjectToItem | ast.ConstraintItem)]
    if not heads:
        return ()
    edits = tuple(site.around.above(heads[0], ["find"]))
    return site.first([("write `find`, for any feasible point", edits)])


def _shape(site: Site) -> tuple[Fix, ...]:
    """A ``derived`` or ``let`` of another shape than declared: it is inferred as well."""
    item = site.around.item_at(site.span)
    if not isinstance(item, ast.DerivedItem | ast.LetItem) or not item.declaration.shape:
        return ()
    start = item.declaration.name.span.end
    stop = item.declaration.span.source.text.index("]", item.declaration.shape[-1].span.end) + 1
    bracket = Span(site.span.source, start, stop)
    return site.first([("leave out the shape: it is inferred", (Edit(bracket, ""),))])


# --- operators, indices --------------------------------------------------------------------------------------------


def _displayed(candidates: Callable[[Site], Iterator[tuple[str, tuple[Edit, ...]]]]) -> Offer:
    """What may be meant, but says something else: shown, and never applied."""

    def offer(site: Site) -> tuple[Fix, ...]:
        return tuple(replace(fix, applicability=DISPLAY) for fix in site.first(candidates(site)))

    return offer


def _transposes(site: Site) -> tuple[Fix, ...]:
    return site.first(transposed(site.around, site.span))


def _index(site: Site) -> tuple[Fix, ...]:
    """The last entry for the one behind it, and a slice that ends at the end."""
    text = site.span.text

    def candidates() -> Iterator[tuple[str, tuple[Edit, ...]]]:
        if ":" in text:
            start = text.partition(":")[0]
            yield f"write `{start}:`, up to the end", (Edit(site.span, f"{start}:"),)
        else:
            yield f"write `{text} - 1`: indices count from 0", (Edit(site.span, f"{grouped(text, 1)} - 1"),)

    return site.first(candidates())


def _stack(site: Site) -> tuple[Fix, ...]:
    node = site.node
    if not isinstance(node, ast.Array):
        return ()
    inside = node.span.text.strip().removeprefix("[").removesuffix("]")
    return site.first([("join them with `hstack`", (Edit(site.span, f"hstack({inside})"),))])


def _several_arguments(site: Site) -> tuple[Fix, ...]:
    """``max(a, b)`` for ``maximum(a, b)``."""
    node = site.node
    entrywise = {"max": "maximum", "min": "minimum"}
    if not isinstance(node, ast.Call) or node.function.name not in entrywise:
        return ()
    name = entrywise[node.function.name]
    return site.first([(f"write `{name}`: of several, entry by entry", (Edit(node.function.span, name),))])


def _identity(site: Site) -> tuple[Fix, ...]:
    """``X >> 1`` for ``X >> eye(n)``."""
    node = site.node
    if node is None:
        return ()
    text = site.span.text
    scaled = "eye({})" if text == "1" else grouped(text, 2) + " * eye({})"
    names = sorted(site.around.dims)
    return site.first((f"write `{scaled.format(dim)}`", (Edit(site.span, scaled.format(dim)),)) for dim in names[:8])


OFFERS: dict[str, Offer] = {
    "DPP303": _derived,
    "ATM401": _several_arguments,
    "ATM405": _derived,
    "DCP204": _displayed(lambda site: other_sense(site.around)),
    "DCP205": _displayed(lambda site: flipped(site.around, site.span, {"==": ("<=", ">=")})),
    "DCP206": _displayed(lambda site: flipped(site.around, site.span, {"<=": (">=",), ">=": ("<=",)})),
    "DCP207": _attribute("nonneg", "nonpos"),
    "DCP209": _attribute("psd", "nsd"),
    "ATM406": _missing_attribute,
    "NAM101": _unknown_name,
    "NAM102": _declared_twice,
    "NAM103": _defined_later,
    "NAM109": _no_objective,
    "NAM116": _given_twice,
    "NAM122": _contradicted,
    "SHP501": _transposes,
    "SHP503": _transposes,
    "SHP505": _index,
    "SHP506": _index,
    "SHP511": _shape,
    "SHP512": _stack,
    "SHP513": _axis,
    "SHP516": _identity,
    "SHP518": _without_attribute,
}

_SAID = frozenset(("NAM102", "DPP303", "ATM405", "DCP207", "DCP209", "ATM406", "NAM101", "NAM103", "SHP503", "SHP516"))
"""Codes whose help says what the fix does."""
