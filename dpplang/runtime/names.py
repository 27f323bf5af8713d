"""Which value is meant for which parameter: by name, or by position in order of declaration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError


def declared(program: Program) -> tuple[Parameter, ...]:
    """The parameters that a caller gives, in order of declaration."""
    return tuple(p for p in program.parameters if p.value is None)


def assign(program: Program, named: Mapping[str, Any], positional: Sequence[Any] = ()) -> dict[str, Any]:
    """Values by parameter name, in order of declaration.

    Raises:
        BindError: all names that do not exist (BND710), are missing (BND711), doubled or too many (BND718).
    """
    parameters = {p.name: p for p in declared(program)}
    taken = {p.name: "is derived: it is computed at every call" for p in program.parameters if p.value is not None}
    taken |= {name: "was bound when the program was compiled" for name, _ in program.constants}
    found, problems = match_names(tuple(parameters), named, positional, taken)
    for name, parameter in parameters.items():
        if name not in found:
            message = f"`{name}` has no value"
            problems.append(Diagnostic("BND711", message, notes=origin_notes(parameter), help=(expected(parameter),)))
    if problems:
        raise BindError(problems)
    return {name: found[name] for name in parameters}


def match_names(
    names: Sequence[str], named: Mapping[str, Any], positional: Sequence[Any], taken: Mapping[str, str]
) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Values by name, and what is wrong with the names that were given.

    Args:
        names: in order of declaration. taken: names that exist but take no value, and why.
    """
    problems: list[Diagnostic] = []
    if len(positional) > len(names):
        message = f"{len(positional)} values by position for {count(len(names), 'parameter')}: {listed(names)}"
        problems.append(Diagnostic("BND718", message))
    found = dict(zip(names, positional, strict=False))
    for name, value in named.items():
        if name in found:
            problems.append(Diagnostic("BND718", f"`{name}` is given by position and by name"))
        elif name in taken:
            problems.append(Diagnostic("BND710", f"`{name}` {taken[name]} and takes no value"))
        elif name not in names:
            hint = suggestions(name, names, "parameters")
            problems.append(Diagnostic("BND710", f"there is no parameter `{name}`", help=hint))
        else:
            found[name] = value
    return found, problems


def suggestions(name: str, names: Iterable[str], what: str) -> tuple[str, ...]:
    """Help for a name that does not exist: the nearest that does, else all of them."""
    known = list(names)
    near = get_close_matches(name, known, 1, 0.6)
    if near:
        return (f"did you mean `{near[0]}`?",)
    return (f"the {what} are {listed(known)}",) if known else (f"there are no {what}",)


def listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{n}`" for n in names) or "none"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def expected(parameter: Parameter) -> str:
    """What a value of a parameter looks like, in words."""
    words = " ".join(parameter.attributes)
    return f"expected: {show_shape(parameter.shape)}{', ' + words if words else ''}, after any batch dims"


def show_shape(shape: Sequence[int]) -> str:
    return "[" + ", ".join(str(k) for k in shape) + "]" if shape else "a scalar"


def origin_notes(parameter: Parameter) -> tuple[str, ...]:
    """Where a parameter was declared, if that is known."""
    origin = parameter.origin
    return (f"`{parameter.name}` is declared at {origin.file}:{origin.line}:{origin.column}",) if origin.line else ()
