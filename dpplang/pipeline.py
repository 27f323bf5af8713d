"""The whole way on one screen: text → AST → typed tree → program → solution.

Each phase is a cached property or a pure function of what is bound; nothing to the right of ``check`` is imported
before
it is needed, so that checking a file loads neither NumPy nor a solver.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, DiagnosticsError
from dpplang.core.source import Source
from dpplang.semantics.check import Checked, check
from dpplang.semantics.library import standard_library
from dpplang.semantics.lints import lint
from dpplang.semantics.lints.memory import Memory
from dpplang.semantics.loader import Loader, read_source
from dpplang.semantics.sizes import Sizes, solve_sizes
from dpplang.semantics.tree import Model
from dpplang.syntax import parser

if TYPE_CHECKING:
    from dpplang.asa.program import Program
    from dpplang.runtime.runner import Runner
    from dpplang.runtime.solution import Solution

Shapes = Mapping[str, Sequence[int]]


class Compilation:
    """What is known of a source text: its phases, each computed when it is first asked for, none raising.

    Args:
        source: the text. loader: resolves its imports; without one, none can be resolved.
    """

    def __init__(self, source: Source, loader: Loader | None = None) -> None:
        self.source = source
        self.loader = loader or Loader()

    @cached_property
    def parsed(self) -> parser.Parsed:
        return parser.parse(self.source)

    @cached_property
    def checked(self) -> Checked:
        return check(self.parsed.file, loader=self.loader, library=standard_library())

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found, of every phase, in order of the text."""
        found = gathered(self.parsed, self.checked)
        if not found or any(d.is_error for d in found):
            return found
        from dpplang.semantics.fixes.warned import remedied  # loaded where there is something to mend

        return remedied(self.parsed.file, found)

    @property
    def model(self) -> Model | None:
        """The typed tree, or None if anything is wrong with the text."""
        return None if any(d.is_error for d in self.diagnostics) else self.checked.model


def gathered(parsed: parser.Parsed, checked: Checked, memory: Memory | None = None) -> tuple[Diagnostic, ...]:
    """Everything found in a text, in its order: errors of every phase, or, where there are none, what lints find.

    ``memory``: what lints remember of the last version of the text, if there was one.
    """
    guessed = _guessed_lines(parsed.diagnostics)
    judged = (d for d in checked.diagnostics if not (d.primary and d.primary.span.line in guessed))
    found = (*parsed.diagnostics, *(judged if guessed else checked.diagnostics))
    if checked.model is not None and not any(d.is_error for d in found):
        found = (*found, *lint(parsed.file, checked.model, memory))
    return tuple(sorted(found, key=lambda d: d.sort_key))


def _guessed_lines(found: Sequence[Diagnostic]) -> set[int]:
    """Lines whose brackets do not match: what they mean is a guess, and what is wrong with that would be said twice."""
    lines: set[int] = set()
    for d in found:
        if d.code in ("SYN004", "SYN005") and d.primary:
            ends = [d.primary.span.line, *(label.span.line for label in d.secondary)]
            lines.update(range(min(ends), min(max(ends), min(ends) + 100) + 1))
    return lines


def compile_path(path: str | Path) -> Compilation:
    """A file's phases. A file that cannot be read is a diagnostic of the result, as everything else is.

    Raises:
        DiagnosticsError: the file cannot be read (NAM112).
    """
    return Compilation(read_source(Path(path)), Loader.beside(Path(path)))


def check_path(path: str | Path) -> tuple[Model | None, tuple[Diagnostic, ...]]:
    """Parse and check a file; never raises for what a user did."""
    try:
        compilation = compile_path(path)
    except DiagnosticsError as error:
        return None, error.diagnostics
    return compilation.model, compilation.diagnostics


class Problem:
    """A checked program, ready to be bound.

    Attributes:
        model: the typed tree. warnings: diagnostics that are not errors.
    """

    def __init__(self, compilation: Compilation) -> None:
        """Raises:
        DiagnosticsError: the text has errors; carries every diagnostic.
        """
        model = compilation.model
        if model is None:
            raise DiagnosticsError(compilation.diagnostics)
        self.model = model
        self.compilation = compilation
        self.warnings = compilation.diagnostics
        self._runners: dict[object, Runner] = {}

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the ``param`` declarations, in order: the positional arguments of a layer."""
        return tuple(p.name for p in self.model.params)

    @property
    def data(self) -> tuple[str, ...]:
        """Names of the ``data`` declarations, in order."""
        return tuple(d.name for d in self.model.data)

    def sizes(self, shapes: Shapes, dims: Mapping[str, int] | None = None) -> Sizes:
        """Solve for the dims from full tensor shapes (leading batch dims included) and given values.

        Raises:
            BindError: shapes that contradict each other, or a dim that nothing determines.
        """
        found = solve_sizes(self.model, {k: tuple(s) for k, s in shapes.items()}, dict(dims or {}))
        if any(d.is_error for d in found.diagnostics):
            raise BindError(found.diagnostics)
        return found

    def compile(
        self,
        dims: Mapping[str, int] | None = None,
        data: Mapping[str, Any] | None = None,
        shapes: Shapes | None = None,
    ) -> Program:
        """Lower for sizes and data.

        Args:
            dims: values of dims. data: array-likes for ``data`` declarations.
            shapes: shapes of parameters, where they determine dims.

        Raises:
            BindError: missing or ill-fitting data, sizes that are not determined.
        """
        return self.runner(dims, data, shapes).program

    def runner(
        self,
        dims: Mapping[str, int] | None = None,
        data: Mapping[str, Any] | None = None,
        shapes: Shapes | None = None,
        **options: Any,
    ) -> Runner:
        """The compiled program in an engine with these options; compiled once per sizes, data and options.

        Raises:
            BindError: as :meth:`compile`, or an option that does not exist or cannot have that value.
        """
        import numpy as np

        from dpplang.lowering.lower import lower
        from dpplang.runtime.options import Options
        from dpplang.runtime.runner import Runner

        arrays = {name: np.asarray(value) for name, value in (data or {}).items()}
        found = self.sizes({**{k: v.shape for k, v in arrays.items()}, **(shapes or {})}, dims)
        sizes = tuple(sorted(found.sizes.items()))
        chosen = Options.of(**options)
        key = (sizes, _fingerprint(arrays), chosen)
        if key not in self._runners:
            self._runners[key] = Runner(lower(self.model, found.sizes, arrays), chosen)
        return self._runners[key]

    def solve(
        self,
        values: Mapping[str, Any] | None = None,
        *,
        dims: Mapping[str, int] | None = None,
        data: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        on_failure: str = "raise",
        **named: Any,
    ) -> Solution:
        """Solve for NumPy values; leading batch dims broadcast as in NumPy.

        Args:
            values, named: array-likes for parameters (and data) by name.
            dims: sizes that no tensor determines. data: array-likes for ``data``.
            options: fields of :class:`dpplang.runtime.options.Options` (``solver``, ``tolerance`` …); each may also be
                given by keyword where no parameter has that name.
            on_failure: ``raise`` or ``nan``.

        Raises:
            BindError: values that do not fit. SolveError: an element without a solution (``on_failure="raise"``).
        """
        import numpy as np

        from dpplang.runtime.options import OPTION_NAMES

        given = {**(values or {}), **named}
        bound = {k: v for k, v in given.items() if k in self.data}
        declared = {*self.parameters, *self.data}
        chosen = {k: v for k, v in given.items() if k not in declared and k in OPTION_NAMES}
        tensors = {k: v for k, v in given.items() if k not in bound and k not in chosen}
        shapes = {k: np.shape(v) for k, v in tensors.items() if k in self.parameters}
        runner = self.runner(dims, {**(data or {}), **bound}, shapes, **{**(options or {}), **chosen})
        return runner.solve(tensors, on_failure=on_failure)

    def __repr__(self) -> str:
        return f"Problem({self.compilation.source.name!r}: {', '.join(self.parameters) or 'no parameters'})"


def load(path: str | Path) -> Problem:
    """Parse and check a ``.dpp`` file.

    Raises:
        DiagnosticsError: it cannot be read or has errors; carries every diagnostic.
    """
    return Problem(compile_path(path))


def parse(text: str, name: str = "<text>") -> Problem:
    """Parse and check a program given as text (it can import nothing but the standard library).

    Raises:
        DiagnosticsError: it has errors; carries every diagnostic.
    """
    return Problem(Compilation(Source(name, text)))


def _fingerprint(arrays: Mapping[str, Any]) -> tuple[tuple[str, tuple[int, ...], str, bytes], ...]:
    """Identity of bound data by content, so that an array changed in place is seen."""
    return tuple(
        (name, a.shape, a.dtype.str, hashlib.blake2b(a.tobytes(), digest_size=16).digest())
        for name, a in sorted(arrays.items())
    )
