"""``from_cvxpy``: a CVXPY problem as a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from dpplang.convert.problem import Writing, written
from dpplang.core import edits
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, InternalError
from dpplang.core.files import write_back
from dpplang.core.source import Source
from dpplang.pipeline import Compilation, Problem
from dpplang.syntax.formatting import format_source


class Converted:
    """A problem of CVXPY as a program.

    Attributes:
        text: the program, in canonical form.
        data: values of its ``data`` declarations, NumPy arrays by name.
        things: the CVXPY variables, parameters, constraints and shared expressions, by the name they have in the text.
        fixes: what ``fix=True`` applied, in words.
    """

    def __init__(
        self, text: str, data: Mapping[str, np.ndarray], things: Mapping[str, Any], fixes: Sequence[str] = ()
    ) -> None:
        self.text = text
        self.data = dict(data)
        self.things = dict(things)
        self.fixes = tuple(fixes)

    @cached_property
    def _compilation(self) -> Compilation:
        return Compilation(Source("<cvxpy>", self.text))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What the checker finds in the text: errors if the problem is not DPP, with the rewrites that make it so."""
        return self._compilation.diagnostics

    @cached_property
    def problem(self) -> Problem:
        """The checked program, for ``solve(data=converted.data)`` and ``dpplang.torch.Layer(…, data=converted.data)``.

        Raises:
            DiagnosticsError: it is not DPP (or not convex); ``from_cvxpy(…, fix=True)`` mends what can be mended.
        """
        return Problem(self._compilation)

    def save(self, path: str | Path) -> Path:
        """Write the program, and its data, if there are any, beside it under the same name with ``.npz``.

        ``dpp solve FILE.dpp --data FILE.npz`` and ``Layer("FILE.dpp", data=numpy.load("FILE.npz"))`` read them.

        Raises:
            WriteError: it cannot be written.
        """
        place = Path(path)
        write_back(place, self.text)
        if self.data:
            np.savez(place.with_suffix(".npz"), **self.data)  # pyright: ignore[reportArgumentType]
        return place

    def __repr__(self) -> str:
        return f"Converted({', '.join(self.things)}; data: {', '.join(self.data) or 'none'})"

    def __str__(self) -> str:
        return self.text


def from_cvxpy(
    problem: Any,
    *,
    parameters: Sequence[Any] = (),
    returns: Sequence[Any] = (),
    names: Mapping[str, Any] | None = None,
    dims: Mapping[str, int] | None = None,
    fix: bool = False,
) -> Converted:
    """Write a CVXPY problem as a ``.dpp`` program.

        converted = dpplang.from_cvxpy(problem, names=locals())
        print(converted.text)
        layer = dpplang.torch.Layer(converted.problem, data=converted.data)

    Everything that both languages have is written as a person would: promoted scalars spread, ``x >= 0`` has its bound
    on the right, what a Python loop wrote out is ``sum(… for t in T)`` or ``c[t in T]: …`` again, shared expressions
    are ``let`` lines, short constants stand in the text, and the others are ``data``, one for each value. The problem
    is the same: its optimal value, its solutions, its duals. One that is not DPP is written all the same: the checker
    then says why, and what would mend it.

    Args:
        problem: a ``cvxpy.Problem`` with real, continuous variables.
        parameters: parameters in the order in which a layer takes them by position; others follow. ``CvxpyLayer``'s
            argument of this name.
        returns: what the layer returns, in order: variables, affine expressions, and constraints, which stand for their
            duals. Without any, every variable. ``CvxpyLayer``'s ``variables``.
        names: names for variables, parameters, constraints, arrays and shared expressions: name → object. ``locals()``
            is right: what is no part of the problem is passed over. A list of variables or parameters of one shape
            becomes one array, whose members are ``xs[0]``, ``xs[1]`` and so on. What has no name here is called what
            CVXPY calls it (``name=``, ``label``), else x, p, c, e and so on, with numbers.
        dims: sizes that get a name, ``{"n": 10}``: every size of 10 becomes ``n``, so that one file serves any. A
            size that happens to be 10 and is not meant must be another, or the program means another thing for other n.
            Where it does not check that way, a size of 11 or 9 is written ``n + 1`` or ``n - 1``.
        fix: apply the safe fixes of the checker, until none is left.

    Returns:
        The program and its data.

    Raises:
        ConversionError: some part has no counterpart in the language: it names every such part, and what to do.
        BindError: two dims of one size, or ``problem`` is none.
    """
    _check(problem, dims or {})
    converted = _written(problem, parameters, returns, names or {}, dims or {}, False)
    if dims and any(d.is_error for d in converted.diagnostics):
        nearer = _written(problem, parameters, returns, names or {}, dims, True)
        if not any(d.is_error for d in nearer.diagnostics):
            converted = nearer
    return _mended(converted) if fix else converted


def _written(
    problem: Any,
    parameters: Sequence[Any],
    returns: Sequence[Any],
    names: Mapping[str, Any],
    dims: Mapping[str, int],
    near: bool,
) -> Converted:
    writing = Writing(problem, list(parameters), list(returns), names, dims, near)
    formatted = format_source(Source("<cvxpy>", written(writing.items)))
    if formatted.text is None:
        raise InternalError(f"the text that was made does not parse: {formatted.diagnostics[0].message}")
    return Converted(formatted.text, writing.constants.data, writing.names.things)


def _check(problem: Any, dims: Mapping[str, int]) -> None:
    if not (hasattr(problem, "objective") and hasattr(problem, "constraints") and hasattr(problem, "parameters")):
        message = f"`from_cvxpy` takes a `cvxpy.Problem`, not {type(problem).__name__}"
        raise BindError([Diagnostic("CVX903", message)])
    sizes = list(dims.values())
    if len(set(sizes)) < len(sizes):
        shown = ", ".join(f"{word} = {n}" for word, n in dims.items())
        help = ("build the problem with sizes that differ: which of them a size is could not be told",)
        raise BindError([Diagnostic("CVX903", f"dims of one size: {shown}", help=help)])


def _mended(converted: Converted) -> Converted:
    """With the safe fixes applied, in canonical form."""
    source = Source("<cvxpy>", converted.text)
    mended = edits.mend(source, lambda s: Compilation(s).diagnostics)
    if not mended.applied:
        return converted
    formatted = format_source(mended.source)
    fixes = [f"{a.diagnostic.code}: {a.fix.title}" for a in mended.applied]
    return Converted(formatted.text or mended.source.text, converted.data, converted.things, fixes)
