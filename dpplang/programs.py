"""What the layers of every framework share: a source, and the program compiled for the sizes of each call."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dpplang.asa.program import Program
from dpplang.asa.serialize import from_bytes, load, to_bytes
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.names import assign, match_names
from dpplang.runtime.options import Options
from dpplang.runtime.runner import Runner

if TYPE_CHECKING:
    from dpplang.pipeline import Problem

CACHED = 64
"""Combinations of shapes whose compiled program is remembered."""


class Programs:
    """The programs of one source, compiled once per sizes and data.

    Args:
        source: path of a ``.dpp`` program or of a compiled ``.npz`` one, a ``Problem``, or a ``Program``.
        dims, data, options: as for a layer; data are arrays.

    Raises:
        DiagnosticsError: a program with errors. BindError: an option that does not exist, dims or data given for a
            program that is compiled already.
    """

    def __init__(
        self,
        source: str | Path | Problem | Program,
        dims: Mapping[str, int],
        data: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        self.options = Options.of(**options)
        self.dims = dict(dims)
        self.data = dict(data)
        self._source = _open(source)
        self._runners: dict[Any, Runner] = {}
        if isinstance(self._source, Program) and (self.dims or self.data):
            message = "a compiled program has its dims and data already"
            raise BindError([Diagnostic("BND710", message, help=("leave out `dims` and `data`",))])

    @property
    def name(self) -> str:
        source = self._source
        return source.name if isinstance(source, Program) else source.compilation.source.name

    def __str__(self) -> str:
        dims = "".join(f", {k}={v}" for k, v in self.dims.items())
        return f"{self.name!r}{dims}, solver={self.options.solver!r}"

    def bind(
        self, values: tuple[Any, ...], named: Mapping[str, Any], plain: Callable[[Any], Any]
    ) -> tuple[Runner, dict[str, Any]]:
        """The runner for the sizes at hand, and the values by name, in order of declaration.

        Args:
            values, named: arrays of any framework, by position in order of declaration or by name; by name also
                ``data`` that were not given before. plain: makes a NumPy array of one of those.

        Raises:
            BindError: names or sizes that do not fit.
        """
        if isinstance(self._source, Program):
            runner = self.runner(())
            return runner, assign(runner.program, named, values)
        problem = self._source
        fresh = {name: plain(v) for name, v in named.items() if name in problem.data}
        given = {name: v for name, v in named.items() if name not in fresh}
        taken = {d.symbol.name: "is derived: it is computed at every call" for d in problem.model.derived}
        found, problems = match_names(problem.parameters, given, values, taken)
        if problems:
            raise BindError(problems)
        shapes = {name: tuple(v.shape) if hasattr(v, "shape") else np.shape(v) for name, v in found.items()}
        runner = self.runner(tuple(shapes.items()), fresh)
        return runner, assign(runner.program, found)

    def runner(self, shapes: tuple[tuple[str, tuple[int, ...]], ...], fresh: Mapping[str, Any] | None = None) -> Runner:
        """Compiled once per sizes and data; data of the call itself are compared by content."""
        if not fresh and shapes in self._runners:
            return self._runners[shapes]
        if isinstance(self._source, Program):
            runner = Runner(self._source, self.options)
        else:
            chosen = {name: getattr(self.options, name) for name in self.options.__slots__}
            runner = self._source.runner(self.dims, {**self.data, **(fresh or {})}, dict(shapes), **chosen)
        if not fresh:
            if len(self._runners) >= CACHED:
                self._runners.clear()
            self._runners[shapes] = runner
        return runner

    def __getstate__(self) -> dict[str, Any]:
        """Source text (or compiled program) and options; what is compiled is built anew where it is needed."""
        return {**self.__dict__, "_source": _pack(self._source), "_runners": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _source=_unpack(state["_source"]))

    def __deepcopy__(self, memo: dict[int, Any]) -> Programs:
        """What is compiled is immutable and shared with the copy."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__, dims=dict(self.dims), data=dict(self.data), _runners=dict(self._runners))
        return twin


def _open(source: str | Path | Problem | Program) -> Problem | Program:
    if isinstance(source, Program):
        return source
    if isinstance(source, str | Path):
        if Path(source).suffix == ".npz":
            return load(source)
        from dpplang.pipeline import load as load_problem

        return load_problem(source)
    return source


def _pack(source: Problem | Program) -> Any:
    if isinstance(source, Program):
        return to_bytes(source)
    compilation = source.compilation
    return compilation.source.name, compilation.source.text, compilation.loader


def _unpack(packed: Any) -> Problem | Program:
    if isinstance(packed, bytes):
        return from_bytes(packed)
    from dpplang.core.source import Source
    from dpplang.pipeline import Compilation, Problem

    name, text, loader = packed
    return Problem(Compilation(Source(name, text), loader))
