"""What names mean while expressions are lowered, and what was lowered already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dpplang.core.errors import InternalError
from dpplang.core.source import Span
from dpplang.lattice.dims import Shape
from dpplang.lowering.affine import Affine, Ints
from dpplang.lowering.env import Env, project
from dpplang.semantics.tree import Expr, Symbol


@dataclass(slots=True, eq=False)
class Scope:
    """What names mean in one place: the program's, or one instance of an atom's graph.

    ``symbols`` are forms over the rows of ``base``; ``memo`` holds what was lowered already, ``projected`` the
    environments it was lowered in. Environments are keys by identity.
    """

    sizes: Mapping[str, int]
    symbols: dict[Symbol, Affine]
    base: Env
    memo: dict[tuple[Expr, Env, bool], Affine] = field(default_factory=dict)
    projected: dict[tuple[Env, frozenset[str]], tuple[Env, Ints]] = field(default_factory=dict)

    def project(self, env: Env, names: frozenset[str]) -> tuple[Env, Ints]:
        """:func:`dpplang.lowering.env.project`, once; the base environment itself where that is what it gives."""
        key = (env, frozenset(names & env.columns.keys()))
        if key not in self.projected:
            inner, pointer = project(*key)
            whole = not inner.columns and inner.rows == self.base.rows
            self.projected[key] = (self.base, env.base) if whole else (inner, pointer)
        return self.projected[key]

    def forget(self) -> None:
        """Drop what was lowered."""
        self.memo.clear()
        self.projected.clear()

    def where(self, values: Mapping[str, int]) -> Scope:
        """The same scope with some index variables fixed, so that shapes may depend on them."""
        return Scope({**self.sizes, **values}, self.symbols, self.base, self.memo, self.projected)

    def shape(self, shape: Shape, span: Span | None = None) -> tuple[int, ...]:
        """A symbolic shape in numbers."""
        try:
            return tuple(int(axis.evaluate(self.sizes)) for axis in shape)
        except KeyError as error:
            raise InternalError(f"a shape depends on `{error.args[0]}`, which varies ({span})") from error
