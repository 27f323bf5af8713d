"""The process behind the REPL that holds the numeric libraries: reads requests, writes replies, until input ends."""

from __future__ import annotations

import os
import pickle
import sys
import time
import warnings
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from dpplang.cli.binding import read_values
from dpplang.cli.usage import UsageError
from dpplang.cli.worker import answers
from dpplang.core.errors import DiagnosticsError, SolveError
from dpplang.pipeline import Compilation, Problem
from dpplang.repl.messages import Reply, Request, Work
from dpplang.repl.recipes import evaluate, selection
from dpplang.repl.state import Refused
from dpplang.semantics.loader import Loader
from dpplang.semantics.sizes import solve_sizes
from dpplang.semantics.tree import Model

FILES = (".npz", ".npy", ".json", ".csv")


def main() -> None:
    replies = answers()
    worker = Worker()
    while True:
        try:
            request = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(worker.reply(request), replies)
        replies.flush()


class Worker:
    """Answers requests; the program that was compiled last is kept."""

    def __init__(self) -> None:
        self._compiled: tuple[tuple[str, str], Compilation, Problem | None] | None = None

    def reply(self, request: Request) -> Reply:
        """The answer, or what is wrong: never an exception."""
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                reply = self._answer(request)
            said = dict.fromkeys(f"warning: {w.message}" for w in caught if str(w.message).startswith("["))
            return replace(reply, text="\n".join((*said, reply.text)))
        except (Refused, UsageError) as error:
            return Reply(problem=error.message, help=error.help)
        except DiagnosticsError as error:
            return Reply(diagnostics=error.diagnostics)
        except SolveError as error:
            return Reply(problem=f"[{error.code}] {error}")
        except Exception as error:
            if os.environ.get("DPP_TRACEBACK"):
                raise
            what = f"a fault of dpplang, not of your program: {type(error).__name__}: {error}"
            return Reply(problem=f"[ICE901] {what}", help="please report it with the program")

    def _answer(self, request: Request) -> Reply:
        compilation, problem = self._program(request)
        model = compilation.checked.typed.model
        if request.work is Work.VALUES and request.arguments[:1] == ("",):
            return Reply(names=tuple(_read_file(request.arguments[1], "", model)))
        values = _values(request, model)
        if request.work is Work.VALUES:
            return Reply("\n".join(_describe(name, values[name]) for name in request.arguments))
        assert problem is not None  # the REPL asks for numbers of a program without errors only
        match request.work:
            case Work.SOLVE:
                return _solve(problem, request, values)
            case Work.GRADIENT:
                return Reply(_gradient(problem, request, values))
            case Work.GRADCHECK:
                return Reply(_gradcheck(problem, request, values))
            case Work.PROGRAM:
                return Reply(_asa(problem, request, values))

    def _program(self, request: Request) -> tuple[Compilation, Problem | None]:
        key = (request.source.text, request.folder)
        if self._compiled is None or self._compiled[0] != key:
            compilation = Compilation(request.source, Loader(Path(request.folder)))
            problem = None if compilation.model is None else Problem(compilation)
            self._compiled = (key, compilation, problem)
        return self._compiled[1:]


def _values(request: Request, model: Model) -> dict[str, Any]:
    """All bound values. Each may use those before it, and the sizes that they determine."""
    seed = int(_option(request.options.get("seed", "0")) or 0)
    values: dict[str, Any] = {}
    for name, text in request.bindings.items():
        if Path(text).suffix.lower() in FILES and " " not in text.strip():
            values[name] = _read_file(text, name, model)[name]
            continue
        shapes = {n: np.shape(v) for n, v in values.items()}
        defaults = {d.name: d.default for d in model.dims if d.default is not None}
        sizes = {**defaults, **solve_sizes(model, shapes, dict(request.dims)).sizes, **request.dims}
        values[name] = evaluate(name, text, {**sizes, **values}, seed)
    return values


def _read_file(text: str, name: str, model: Model) -> dict[str, Any]:
    ranks = {s.name: len(s.shape) for s in (*model.data, *model.params)}
    return read_values(f"{name}={text}" if name else text, ranks)


def _option(text: str) -> Any:
    """A number, a truth value or a word."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def _options(request: Request) -> dict[str, Any]:
    return {name: _option(text) for name, text in request.options.items() if name != "seed"}


def _describe(name: str, value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return f"{name} = {float(array):.6g}"
    if array.size == 0:
        return f"{name}  {list(array.shape)}"
    if array.size <= 6 and array.ndim == 1:
        return f"{name} = {_digits(array)}"
    return f"{name}  {list(array.shape)}, entries from {array.min():.4g} to {array.max():.4g}"


def _solve(problem: Problem, request: Request, values: Mapping[str, Any]) -> Reply:
    began = time.perf_counter()
    solution = problem.solve(values, dims=request.dims, options=_options(request))
    taken = time.perf_counter() - began
    shown = [("value", (), solution.value)]
    shown += [(name, np.shape(solution[name]), solution[name]) for name in solution.names if name != "value"]
    return Reply(_listed(solution.status.value, shown), seconds=taken)


def _gradient(problem: Problem, request: Request, values: Mapping[str, Any]) -> str:
    output, *wanted = request.arguments
    name, bracket, items = output.partition("[")
    solution = problem.solve(values, dims=request.dims, options=_options(request))
    if name not in solution.names and name != "value":
        names = ", ".join(f"`{n}`" for n in dict.fromkeys((*solution.names, "value")))
        raise Refused(f"the program has no output `{name}`", f"it returns {names}")
    shape = np.shape(solution[name])
    weights = np.ones(shape) if not bracket else selection(shape, items.removesuffix("]"), output)
    found = solution.backward({name: weights}, tuple(wanted) or None)
    head = f"gradient of {'the sum of ' if np.sum(weights) != 1 else ''}`{output}`"
    return _listed(head, [(name, np.shape(g), g) for name, g in found.items()])


def _gradcheck(problem: Problem, request: Request, values: Mapping[str, Any]) -> str:
    from dpplang.cli.binding import Binding
    from dpplang.cli.gradcheck import TOLERANCE, compare, draw_missing

    rng = np.random.default_rng(0)
    drawn = draw_missing(problem, Binding(dict(values), dict(request.dims)), rng)
    options = {**_options(request), "tolerance": TOLERANCE}

    def solve(at: Mapping[str, Any]) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return problem.solve(at, dims=request.dims, options=options)

    found = compare(problem, solve, {**values, **drawn}, rng)
    width = max((len(c.parameter) for c in found), default=0)
    lines = [
        f"{c.parameter:<{width}}  {c.adjoint: .6g}  {c.difference: .6g}  {'agrees' if c.error <= 1e-4 else 'DIFFERS'}"
        for c in found
    ]
    note = [f"drawn at random: {', '.join(drawn)}"] if drawn else []
    return "\n".join(("directional derivatives: adjoint, central difference", *lines, *note))


def _asa(problem: Problem, request: Request, values: Mapping[str, Any]) -> str:
    from dpplang.asa.describe import describe
    from dpplang.cli.asa import print_tables

    data = {name: value for name, value in values.items() if name in problem.data}
    shapes = {name: np.shape(value) for name, value in values.items() if name not in data}
    program = problem.compile(dims=request.dims, data=data, shapes=shapes)
    printed = StringIO()
    with redirect_stdout(printed):
        print_tables("the program", describe(program))
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").split("\n"))


def _listed(head: str, rows: list[tuple[str, tuple[int, ...], Any]]) -> str:
    """A line for each array: name, shape, entries."""
    shapes = [list(shape) if shape else "scalar" for _, shape, _ in rows]
    first, second = max(len(r[0]) for r in rows), max(len(str(s)) for s in shapes)
    lines = [head]
    for (name, _, value), shape in zip(rows, shapes, strict=True):
        margin = " " * (first + second + 4)
        digits = _digits(np.asarray(value)).replace("\n", f"\n{margin}")
        lines.append(f"{name:<{first}}  {shape!s:<{second}}  {digits}")
    return "\n".join(lines)


def _digits(array: Any) -> str:
    rounded = np.asarray(array, dtype=np.float64) + 0.0
    tiny = np.abs(rounded) < 5e-7
    return np.array2string(np.where(tiny, 0.0, rounded), precision=5, suppress_small=True, threshold=60, edgeitems=3)
