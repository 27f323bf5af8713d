"""How a program is solved and differentiated."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, fields
from difflib import get_close_matches
from importlib.util import find_spec
from typing import Any

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError

SOLVERS = ("auto", "clarabel", "scs", "moreau")
DERIVATIVES = ("exact", "least_squares", "smoothed", "diffcp")
SIDES = ("both", "left", "right")


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The derivative over a finite distance (LPGD): for linear programs, whose solutions jump between vertices.

    Attributes:
        tau: how far the upstream gradient, its largest entry scaled to 1, moves the objective (and the right-hand
            sides, for gradients of duals). Large enough that solutions move: a part of the objective's coefficients.
        rho: weight of ½‖x − x*‖², which holds the moved solution near the first one; 0 for none.
        sides: the two perturbed solutions that are compared: ``both`` ahead and behind, or one with the solution
            itself: ``right`` (ahead, along the upstream gradient) or ``left``.
    """

    tau: float = 0.1
    rho: float = 0.0
    sides: str = "both"

    def __post_init__(self) -> None:
        """Raises:
        BindError: a value that its option cannot have (SOL802).
        """
        problems: list[Diagnostic] = []
        if not (_is_number(self.tau) and self.tau > 0):
            problems.append(Diagnostic("SOL802", f"option `tau` is a positive number, not {self.tau!r}"))
        if not (_is_number(self.rho) and self.rho >= 0):
            problems.append(Diagnostic("SOL802", f"option `rho` is a number, at least 0, not {self.rho!r}"))
        if self.sides not in SIDES:
            near = get_close_matches(str(self.sides), SIDES, 1)
            help_text = (f"did you mean `{near[0]}`?",) if near else ()
            message = f"option `sides` is {_alternatives(SIDES)}, not {self.sides!r}"
            problems.append(Diagnostic("SOL802", message, help=help_text))
        if problems:
            raise BindError(problems)


@dataclass(frozen=True, slots=True)
class Options:
    """Options of an engine. Make it with :meth:`of` where names and values come from a user.

    Attributes:
        solver: ``auto`` takes the method that is made for the program's kind, where there is one
            (:mod:`dpplang.runtime.methods`), and ``clarabel`` for what it leaves; ``clarabel`` (interior point,
            accurate), ``scs`` (first order, for large cones) and ``moreau`` (interior point, if installed) are that
            solver alone.
        derivative: ``exact`` factorizes the optimality system, takes the derivative of least norm where that is
            singular, and warns where it matters (DIF601); ``least_squares`` is the same and says nothing;
            ``smoothed``, or a :class:`Smoothed` with its numbers, goes a finite distance, so that a linear program's
            gradient is useful; ``diffcp`` asks that package instead (no power cones).
        tolerance: on residuals and gap, relative to the size of the data; the solver's stopping criterion.
        max_iterations: of the solver, and of every method ahead of it (changes of an active set, Newton steps); what a
            method has not solved by then goes to the next, and the solver has the last word. None for their own limits.
        time_limit: seconds for each batch element, in each method and in the solver, looked at between iterations; a
            method that works on a whole batch has as many times that as there are elements. None for none.
        threads: at work at once on a solve or a derivative; None for as many as there are cores to run on.
        accept_inaccurate: where the solver stops short, its answer still counts (status ``inaccurate``) if our own
            relative residuals are below this; 0 accepts none.
        refine: Newton steps on the optimality conditions after the solver, each as costly as a derivative. One carries
            a solution from the solver's tolerance to rounding error wherever it is regular; without it an error of ε
            in the objective leaves up to √ε in the solution, and gradients composed of many solves drift apart.
        verbose: say what each method solves and how long it takes, and let the solver print its progress.
    """

    solver: str = "auto"
    derivative: str | Smoothed = "exact"
    tolerance: float = 1e-9
    max_iterations: int | None = None
    time_limit: float | None = None
    threads: int | None = None
    accept_inaccurate: float = 1e-6
    refine: int = 1
    verbose: bool = False

    def __post_init__(self) -> None:
        """Raises:
        BindError: a value that its option cannot have (SOL802).
        """
        problems = [p for p in map(self._problem, OPTION_NAMES) if p is not None]
        if problems:
            raise BindError(problems)

    def _problem(self, name: str) -> Diagnostic | None:
        value = getattr(self, name)
        match name:
            case "derivative" if isinstance(value, Smoothed):
                return None
            case "solver" | "derivative":
                words = SOLVERS if name == "solver" else DERIVATIVES
                fits, wanted = value in words, _alternatives(words)
                near = get_close_matches(str(value), words, 1)
            case "tolerance" | "accept_inaccurate":
                fits = _is_number(value) and 0 <= value < 1 and (value > 0 or name != "tolerance")
                wanted, near = "a number between 0 and 1", []
            case "time_limit":
                fits = value is None or (_is_number(value) and value > 0)
                wanted, near = "a number of seconds, or None", []
            case "refine":
                fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 20
                wanted, near = "a number of steps from 0 to 20", []
            case "max_iterations" | "threads":
                fits = value is None or (isinstance(value, int) and not isinstance(value, bool) and value > 0)
                wanted, near = "a positive integer, or None", []
            case _:
                fits, wanted, near = isinstance(value, bool), "True or False", []
        if fits:
            return _missing("moreau") if name == "solver" and value == "moreau" else None
        help_text = (f"did you mean `{near[0]}`?",) if near else ()
        return Diagnostic("SOL802", f"option `{name}` is {wanted}, not {value!r}", help=help_text)

    def deadline(self, elements: int) -> float:
        """When a method that starts now on so many elements must stop, by ``time.monotonic``."""
        return math.inf if self.time_limit is None else time.monotonic() + self.time_limit * elements

    @staticmethod
    def of(**options: Any) -> Options:
        """Options by name.

        Raises:
            BindError: a name that is no option (SOL801), a value that its option cannot have (SOL802).
        """
        unknown = [name for name in options if name not in OPTION_NAMES]
        if unknown:
            raise BindError([_unknown(name) for name in unknown])
        return Options(**options)


def say(options: Options, method: object, given: int, done: int, start: float) -> None:
    """One line for ``verbose``: what a method has made of some elements since ``start``, by ``time.perf_counter``."""
    if options.verbose:
        took = 1e3 * (time.perf_counter() - start)
        print(f"dpplang: {type(method).__name__} has answers for {done} of {given} elements after {took:.3g} ms")


def _missing(solver: str) -> Diagnostic | None:
    """What to do where an optional solver is not installed."""
    if find_spec(solver) is not None:
        return None
    message = f"option `solver` is `{solver}`, which is not installed"
    return Diagnostic("SOL802", message, help=(f"`pip install dpplang[{solver}]`, or leave it to `auto`",))


OPTION_NAMES: tuple[str, ...] = tuple(field.name for field in fields(Options))


def _unknown(name: str) -> Diagnostic:
    near = get_close_matches(name, OPTION_NAMES, 1, cutoff=0.5)
    help_text = (f"did you mean `{near[0]}`?",) if near else ()
    listed = ", ".join(f"`{option}`" for option in OPTION_NAMES)
    return Diagnostic("SOL801", f"there is no option `{name}`", notes=(f"the options are {listed}",), help=help_text)


def _alternatives(words: tuple[str, ...]) -> str:
    *most, last = (f"`{word}`" for word in words)
    return f"{', '.join(most)} or {last}"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
