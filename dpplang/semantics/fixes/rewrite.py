"""A rewrite in the making: the declarations and constraints that the new text of an expression needs."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Applicability, Edit, Fix
from dpplang.core.source import Span
from dpplang.lattice.dims import Shape
from dpplang.semantics.fixes.program import Around
from dpplang.semantics.fixes.syntax import Place, path
from dpplang.syntax import ast
from dpplang.syntax.grouping import bare, grouped, needed, words

_TOKEN = re.compile(r"\w+|\s+|.", re.DOTALL)


class Impossible(Exception):
    """There is no such rewrite of this expression. Never leaves this package."""


@dataclass(slots=True)
class Rewrite:
    """What is to be declared, and where.

    Attributes:
        item: the item whose text changes. binders: index variables around that text, outermost first.
        formals: names that mean nothing outside the item (arguments of a ``func``).
        assuming: whether weights that may be zero are taken to be positive, which is then said.
        patches: edits of definitions that the text uses.
    """

    around: Around
    item: ast.AnyItem
    binders: tuple[ast.Binder, ...] = ()
    formals: frozenset[str] = frozenset()
    assuming: bool = False
    lines: list[str] = field(default_factory=list[str])
    constraints: list[str] = field(default_factory=list[str])
    assumptions: list[str] = field(default_factory=list[str])
    patches: list[Edit] = field(default_factory=list[Edit])
    _used: set[str] = field(default_factory=set[str])

    # --- new names -----------------------------------------------------------------------------------------------

    def derive(
        self, name: str, value: str, shape: Shape, binders: tuple[ast.Binder, ...] = (), attribute: str = ""
    ) -> str:
        """Text that stands for a new derived parameter of this value: its name, indexed where the value is.

        Args:
            name: what to call it, if that is free. shape: of the value. binders: within the rewritten text.
            attribute: of the declaration, ``psd``.

        Raises:
            Impossible: the value hangs on names that mean nothing outside, or on an index in a way no array holds.
        """
        value = _on_one_line(value)
        bound = self._bound(value, binders)
        if bound and len(shape) + len(bound) > 2:
            raise Impossible
        lifted, rank = value, len(shape)
        for binder in reversed(bound):
            lifted = f"{'hstack' if rank == 0 else 'vstack'}({lifted} for {binder.span.text})"
            rank += 1
        fresh = self._existing(lifted) if not attribute else None
        if fresh is None:
            fresh = self.around.names.fresh(name, f"{lifted} {attribute}")
            self._declare(f"derived {fresh}{attribute and f' {attribute}'} = {lifted}")
            self._use(lifted)
        return self._indexed(fresh, bound)

    def introduce(self, place: Place, name: str = "z", relation: str = "==") -> str:
        """Text that stands for a new variable that is constrained to be (at least, for ``>=``) this expression.

        Raises:
            Impossible: as :meth:`derive`, or its shape is none that can be declared.
        """
        text = _on_one_line(place.text)
        bound = self._bound(text, place.binders)
        extents = [_extent(b) for b in bound]
        sizes = [str(axis) for axis in place.expr.shape]
        named = {n for axis in place.expr.shape for n in axis.names}
        if not named <= self.around.dims:
            raise Impossible
        self._refuse_formals(text)
        fresh = self.around.names.fresh(name)
        shape = ", ".join([*extents, *sizes])
        self._declare(f"var {fresh}{shape and f'[{shape}]'}")
        index = self._indexed(fresh, bound)
        label = ""
        if bound:
            label = f"{self.around.names.fresh(f'{fresh}_def')}[{', '.join(b.span.text for b in bound)}]: "
        self.constraints.append(f"{label}{index} {relation} {text}")
        self._use(" ".join(extents))
        return index

    def tried(self, make: Callable[[], str | None]) -> str | None:
        """What ``make`` writes; None, and nothing added, if that is impossible."""
        kept = (self.lines[:], self.constraints[:], self.assumptions[:], self.patches[:], set(self._used))
        try:
            text = make()
        except Impossible:
            text = None
        if text is None:
            self.lines, self.constraints, self.assumptions, self.patches, self._used = kept
        return text

    def _declare(self, line: str) -> None:
        if line not in self.lines:
            self.lines.append(line)

    def _bound(self, text: str, binders: tuple[ast.Binder, ...]) -> tuple[ast.Binder, ...]:
        """Index variables that a text uses. A later one of a name hides the earlier."""
        names = words(text)
        visible = {b.name.name: b for b in (*self.binders, *binders)}
        bound = tuple(b for b in (*self.binders, *binders) if b.name.name in names and visible[b.name.name] is b)
        for binder in bound:
            if words(binder.span.text) & set(visible) - {binder.name.name}:
                raise Impossible
        return bound

    def _indexed(self, name: str, bound: tuple[ast.Binder, ...]) -> str:
        if not bound:
            return name
        return f"{name}[{', '.join(_position(b) for b in bound)}]"

    def _existing(self, value: str) -> str | None:
        """A derived parameter that is this already, and stands where the rewritten item can use it."""
        wanted = "".join(value.split())
        late = isinstance(self.item, ast.ObjectiveItem | ast.ConstraintItem)
        for item in self.around.file.items:
            if isinstance(item, ast.DerivedItem) and not item.declaration.attributes:
                above = late or item.span.end <= self.item.span.start
                if above and "".join(item.value.span.text.split()) == wanted:
                    return item.declaration.name.name
        return None

    def _use(self, text: str) -> None:
        self._refuse_formals(text)
        self._used |= words(text)

    def _refuse_formals(self, text: str) -> None:
        if words(text) & self.formals:
            raise Impossible

    # --- the fix -------------------------------------------------------------------------------------------------

    def fix(self, node: ast.Expr, text: str, applicability: Applicability = Applicability.SAFE) -> Fix:
        """The fix that replaces ``node`` by ``text`` and adds what that needs; unsafe if something was assumed.

        Raises:
            Impossible: there is no place for it.
        """
        above = path(self.item, node)
        new = grouped(text, needed(node, above[-2] if len(above) > 1 else None))
        edits = [*_smallest(Edit(node.span, new)), *self.patches]
        everything = " ".join([new, *self.lines, *self.constraints, *(e.text for e in self.patches)])
        idle = [i for i in self.around.idle_without(node, everything) if i is not self.item]
        edits += [self.around.without(i) for i in idle]
        if self.lines:
            edits += self.around.declare(self.lines, frozenset(self._used), self.item)
        if self.constraints:
            constrained = self.around.constrain(self.constraints)
            if not constrained:
                raise Impossible
            edits += constrained
        if any(line.startswith("var ") for line in self.lines) and (kept := self.around.keep_outputs()):
            edits.append(kept)
        if self.assumptions:
            applicability = Applicability.UNSAFE
        left_out = ", ".join(f"`{_name_of(i)}`" for i in idle)
        title = self._title(node, text) + (f"; {left_out} is left out, unused" if idle else "")
        return Fix(title, tuple(edits), applicability)

    def _title(self, node: ast.Expr, text: str) -> str:
        """``derived Rg = sqrt(gamma) * R, and sum_squares(Rg @ w)``."""
        said = ", ".join([*self.lines, *self.constraints])
        if not said:
            title = f"write `{_short(text)}`"
        elif text.isidentifier():
            title = said
        elif text == node.span.text and self.patches:
            title = f"{said}, and {', '.join(f'{e.text} for {_short(e.span.text)}' for e in self.patches)}"
        else:
            title = f"{said}, and {_short(text)}"
        return title + (f" (assumes that {', '.join(self.assumptions)})" if self.assumptions else "")


def _name_of(item: ast.AnyItem) -> str:
    """The name that a ``let`` or a ``func`` defines."""
    match item:
        case ast.LetItem(declaration=declaration):
            return declaration.name.name
        case ast.FuncItem(name=name):
            return name.name
        case _:
            return ""


def _smallest(edit: Edit) -> list[Edit]:
    """The edit without the words at both ends that it leaves as they are; none if it changes nothing."""
    old, new = edit.span.text, edit.text
    if old == new:
        return []
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    most = min(len(before), len(after))
    head = next((i for i in range(most) if before[i] != after[i]), most)
    tail = next((i for i in range(most - head) if before[-1 - i] != after[-1 - i]), most - head)
    start = edit.span.start + len("".join(before[:head]))
    stop = edit.span.end - len("".join(before[len(before) - tail :]))
    return [Edit(Span(edit.span.source, start, stop), "".join(after[head : len(after) - tail]))]


def _on_one_line(text: str) -> str:
    """Text that moves to an item of its own; comments in it move along, and keep their lines."""
    return text if "#" in text else bare(" ".join(text.split()))


def _extent(binder: ast.Binder) -> str:
    domain = binder.domain
    if not isinstance(domain, ast.Slice):
        return domain.span.text
    if domain.stop is None:
        raise Impossible
    stop = domain.stop.span.text
    return stop if domain.start is None else f"{stop} - {grouped(domain.start.span.text)}"


def _position(binder: ast.Binder) -> str:
    """The entry of an index variable in an array over its range."""
    name, domain = binder.name.name, binder.domain
    if isinstance(domain, ast.Slice) and domain.start is not None:
        return f"{name} - {grouped(domain.start.span.text)}"
    return name


def _short(text: str) -> str:
    short = " ".join(text.split())
    return short if len(short) <= 60 else short[:57] + "..."
