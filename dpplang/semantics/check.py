"""From the AST to the typed tree: the phases of checking, in order, on one screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from dpplang.core.diagnostics import Diagnostic, Label, Severity
from dpplang.core.source import Source, Span
from dpplang.lattice.dims import show_shape
from dpplang.semantics.arithmetic import declaration_labels
from dpplang.semantics.damage import Damage, damage
from dpplang.semantics.declarations import Declarations, Declared
from dpplang.semantics.infer import Inference
from dpplang.semantics.library import Library
from dpplang.semantics.loader import Loader
from dpplang.semantics.memo import Memo, remembered
from dpplang.semantics.modules import Modules
from dpplang.semantics.outputs import declare_duals, outputs_of
from dpplang.semantics.relations import constraints_of
from dpplang.semantics.report import Report, diagnose, replacement
from dpplang.semantics.scope import POISON, FileScope, Scope
from dpplang.semantics.sizes import undetermined
from dpplang.semantics.tree import Constraint, Expr, Model
from dpplang.semantics.typed import Typed
from dpplang.semantics.unused import unknown_names
from dpplang.semantics.verdicts import judge
from dpplang.semantics.walk import Inlined, State, reserve_index_names
from dpplang.syntax import ast
from dpplang.syntax.parser import parse

if TYPE_CHECKING:
    from dpplang.semantics.fixes.program import Around

T = TypeVar("T", bound=ast.Node)


@dataclass(frozen=True, slots=True)
class Checked:
    """``model`` is None iff ``diagnostics`` holds an error; ``typed`` is what could be typed all the same."""

    model: Model | None
    diagnostics: tuple[Diagnostic, ...]
    typed: Typed


def check_again(file: ast.File, *, loader: Loader, library: Library, memo: Memo) -> Checked:
    """Check another version of a file: the findings of :func:`check`, without their fixes, for what was edited.

    Raises:
        Stopped: as ``memo`` says.
    """
    return _checked(file, loader, library, State(memo=memo))


def check(file: ast.File, *, loader: Loader, library: Library) -> Checked:
    """Check a parsed file.

    Args:
        file: the AST; items that did not parse are absent, and what they would have declared counts as declared.
        loader: resolves imports. library: the standard atoms.

    Returns:
        The typed tree and every finding, in order of the text. Bad text is never an exception. A fix that is marked
        safe was tried: the text checks with it.
    """

    state = State()
    checked = _checked(file, loader, library, state)
    if not checked.diagnostics or state.overflowed:
        return checked
    spent = 0

    def findings(source: Source) -> tuple[tuple[Diagnostic, ...], int]:
        """What is found in a text, and the expressions typed so far to find such things."""
        nonlocal spent
        parsed, own = parse(source), State()
        found = (*parsed.diagnostics, *_checked(parsed.file, loader, library, own).diagnostics)
        spent += own.nodes
        return found, spent

    return replace(checked, diagnostics=_with_fixes(file, checked, findings))


def _with_fixes(
    file: ast.File, checked: Checked, findings: Callable[[Source], tuple[tuple[Diagnostic, ...], int]]
) -> tuple[Diagnostic, ...]:
    """What was found with every fix that can be offered; loaded where there is something to mend."""
    from dpplang.semantics.fixes.offers import offered
    from dpplang.semantics.fixes.program import Around, Names, introduced, most_fixes
    from dpplang.semantics.fixes.trial import Trial
    from dpplang.semantics.fixes.verified import verified
    from dpplang.syntax.grouping import words

    trial = Trial(file.source, findings)
    most = most_fixes(file)
    rest = tuple(replace(d, fixes=()) for d in checked.diagnostics[most:])
    found = verified(checked.diagnostics[:most], trial)
    scope = checked.typed.scope
    names = Names({*scope.names, *scope.functions, *words(file.source.text), *introduced(found)})
    return (*offered(found, Around(file, {}, names, checked.typed.inlined), scope, trial), *rest)


def _checked(file: ast.File, loader: Loader, library: Library, state: State) -> Checked:
    """The phases of checking, in order; fixes are not tried yet."""
    report, broken = Report(), damage(file)
    walk, memo = Inference(report, state), state.memo
    scope = Modules(report, library, memo).scope_of(file, loader)
    _poison(scope, broken)
    reserve_index_names(walk.state, _dim_names(file))
    if memo is not None:
        memo.begin(scope, walk.state)
    declared = Declarations(walk, scope).read(file.items)
    sense, objective = _objective(walk, file, scope, broken)
    items = [i for i in file.items if isinstance(i, ast.ConstraintItem)]
    constraints = _constraints(walk, items, scope, report)
    returned = _single(file, ast.ReturnItem, "NAM111", "`return` stands twice", report)
    if memo is None or returned is not None:  # where else would they stand
        declare_duals(scope, items, constraints, memo)
    report.add(*unknown_names(file, scope, walk.state.called))
    outputs = outputs_of(walk, returned, scope, declared.variables, constraints)
    at = next((i.expression.span for i in file.items if isinstance(i, ast.ObjectiveItem) and i.expression), None)
    inlined = walk.state.inlined
    judge(sense, objective, at, constraints, inlined, lambda: _around(file, declared, scope, inlined), report, memo)
    _warn_undetermined(declared, report, broken)
    model = Model(
        dims=tuple(declared.dims),
        data=tuple(declared.data),
        params=tuple(declared.params),
        derived=tuple(declared.derived),
        variables=tuple(declared.variables),
        sense=sense,
        objective=objective,
        constraints=constraints,
        outputs=outputs,
        doc=file.doc,
        source_name=file.source.name,
    )
    if memo is not None:
        memo.end()
    typed = Typed(model, scope, inlined)
    return Checked(None if report.has_errors else model, report.diagnostics, typed)


def _poison(scope: FileScope, broken: Damage) -> None:
    scope.names.update(dict.fromkeys(broken.names, POISON))
    scope.names.update({f"dual {name}": POISON for name in broken.constraints})
    for name in broken.functions:
        scope.functions.setdefault(name, POISON)


def _dim_names(file: ast.File) -> list[str]:
    return [d.name.name for i in file.items if isinstance(i, ast.DimItem) for d in i.declarations]


def _objective(walk: Inference, file: ast.File, scope: FileScope, broken: Damage) -> tuple[str, Expr | None]:
    item = _single(file, ast.ObjectiveItem, "NAM110", "a program has one objective; this is another", walk.report)
    if item is None:
        if not broken.has_objective and not _is_library(file):
            end = len(file.source.text)
            walk.report.add(
                diagnose(
                    "NAM109",
                    "the program has no objective",
                    Span(file.source, end, end),
                    help=("`minimize …`, `maximize …`, or `find` for any feasible point",),
                )
            )
        return "find", None
    if item.expression is None:
        return item.sense, None
    expression = item.expression
    value = remembered(walk, item, lambda: walk.infer(expression, Scope(scope)))
    if value is not None and value.shape:
        fix = replacement("sum its entries", value.span, f"sum({value.span.text})")
        walk.report.add(
            diagnose(
                "SHP509",
                f"an objective is a scalar; this has shape {show_shape(value.shape)}",
                value.span,
                show_shape(value.shape),
                secondary=declaration_labels(value),
                fixes=(fix,),
            )
        )
        return item.sense, None
    return item.sense, value


def _is_library(file: ast.File) -> bool:
    """A file of ``func`` and ``atom`` items (and imports) describes no problem."""
    kinds = (ast.FuncItem, ast.AtomItem, ast.ImportItem)
    return bool(file.items) and all(isinstance(i, kinds) for i in file.items)


def _single(file: ast.File, kind: type[T], code: str, message: str, report: Report) -> T | None:
    found = [i for i in file.items if isinstance(i, kind)]
    for other in found[1:]:
        report.add(diagnose(code, message, other.span, secondary=(Label(found[0].span, "the first"),)))
    return found[0] if found else None


def _constraints(
    walk: Inference, items: list[ast.ConstraintItem], scope: FileScope, report: Report
) -> tuple[Constraint, ...]:
    constraints: list[Constraint] = []
    first: dict[str, ast.Ident] = {}
    for number, item in enumerate(items, 1):
        ident = item.name
        if ident is None:
            name = f"constraint {number}"
        else:
            name = ident.name
            if first.setdefault(name, ident) is not ident:
                report.add(_named_twice(ident, first[name]))
        made = remembered(walk, item, lambda i=item, n=name: constraints_of(walk, i, Scope(scope), n))
        for constraint in made or ():
            # Those without a name are counted, whatever they were called before.
            constraints.append(constraint if constraint.name == name else replace(constraint, name=name))
    return tuple(constraints)


def _named_twice(ident: ast.Ident, first: ast.Ident) -> Diagnostic:
    label = Label(first.span, "first here")
    return diagnose("NAM102", f"two constraints are named `{ident.name}`", ident.span, secondary=(label,))


def _around(file: ast.File, declared: Declared, scope: FileScope, inlined: Mapping[int, Inlined]) -> Around:
    from dpplang.semantics.fixes.program import Around, Names
    from dpplang.syntax.grouping import words

    names = Names({*scope.names, *scope.functions, *words(file.source.text)})
    return Around(file, {d.symbol: d.value for d in declared.derived}, names, inlined)


def _warn_undetermined(declared: Declared, report: Report, broken: Damage) -> None:
    if report.has_errors or broken.names:
        return
    shapes = [s.shape for s in (*declared.data, *declared.params)]
    for dim in undetermined(declared.dims, shapes):
        report.add(
            diagnose(
                "SHP510",
                f"no declared tensor's shape determines `{dim.name}`",
                dim.span,
                help=(f"give it when binding (`--dim {dim.name}=10`), or a default: `dim {dim.name} = 10`",),
                severity=Severity.WARNING,
            )
        )
