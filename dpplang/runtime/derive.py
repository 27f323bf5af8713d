"""Derived parameters: computed on any array namespace, and explained where they cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.evaluate import evaluate, in_order, references, trace
from dpplang.asa.numeric import Numeric
from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.checks import SYMMETRIC, Given, place, value_problems
from dpplang.runtime.names import origin_notes

_NOT_DEFINED = {
    "log": "a logarithm of {}",
    "log1p": "a logarithm of 1 plus {}",
    "sqrt": "a square root of {}",
    "div": "a division of {} by {}",
    "pow": "the power {} ^ {}",
    "exp": "an exponential of {}, which overflows",
}


def symmetrize(parameter: Parameter, value: Any, xp: Any) -> Any:
    """(P + Pᵀ)/2 for what is declared symmetric or definite, so that its gradient is symmetric too."""
    if SYMMETRIC.isdisjoint(parameter.attributes):
        return value
    return 0.5 * (value + xp.matrix_transpose(value))


def derive(program: Program, values: Mapping[str, Any], constants: Mapping[str, Any], xp: Any) -> dict[str, Any]:
    """Values of all parameters, derived ones included, ``[*batch, *shape]``.

    Args:
        values: of the declared parameters, checked, as arrays of the namespace ``xp``.
        constants: the program's, in the same namespace.
    """
    known = dict(constants)
    for parameter in program.parameters:
        value = values[parameter.name] if parameter.value is None else evaluate(parameter.value, known, xp)
        known[parameter.name] = symmetrize(parameter, value, xp)
    return {p.name: known[p.name] for p in program.parameters}


def check_derived(program: Program, values: Mapping[str, NDArray[np.float64]]) -> None:
    """Check that derived parameters exist and are what they are declared to be.

    Args:
        values: of all parameters, as NumPy arrays.

    Raises:
        BindError: BND717 for one that is not defined at some batch element, saying which operation failed on what;
            BND715 for an attribute that does not hold.
    """
    problems: list[Diagnostic] = []
    broken: set[str] = set()
    for parameter in program.parameters:
        if parameter.value is None:
            continue
        value = values[parameter.name]
        with np.errstate(all="ignore"):
            sound = bool(np.isfinite(value.sum())) or bool(np.isfinite(value).all())
        if not sound:
            if references(parameter.value).isdisjoint(broken):
                problems.append(_explain(parameter, {**values, **dict(program.constants)}))
            broken.add(parameter.name)
        else:
            problems += value_problems(parameter, Given(value))
    if problems:
        raise BindError(problems)


def _explain(parameter: Parameter, values: Mapping[str, NDArray[np.float64]]) -> Diagnostic:
    """Follow the first batch element that is not finite down to the operation that made it so of finite operands."""
    assert parameter.value is not None
    nodes = in_order(parameter.value)
    outs = trace(nodes, values, np)
    index = _first_bad(outs[-1], len(parameter.shape))
    elements = {id(n): _element(out, len(n.shape), index) for n, out in zip(nodes, outs, strict=True)}

    def bad(node: Numeric) -> bool:
        return not np.isfinite(elements[id(node)]).all()

    culprit = next((n for n in nodes if bad(n) and not any(bad(a) for a in n.args)), parameter.value)
    why = _why(culprit, [elements[id(a)] for a in culprit.args], elements[id(culprit)])
    message = f"`{parameter.name}` is not defined{place(index, ())}: {why}"
    return Diagnostic("BND717", message, notes=origin_notes(parameter))


def _first_bad(value: NDArray[np.float64], rank: int) -> tuple[int, ...]:
    bad = ~np.isfinite(value)
    flat = bad.any(axis=tuple(range(value.ndim - rank, value.ndim)))
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(flat)), flat.shape))


def _element(value: NDArray[np.float64], rank: int, index: tuple[int, ...]) -> NDArray[np.float64]:
    """The batch element that broadcasting pairs with ``index`` of the result."""
    ahead = value.ndim - rank
    own = index[len(index) - ahead :] if ahead else ()
    return value[tuple(i if size > 1 else 0 for i, size in zip(own, value.shape, strict=False))]


_OF_A_MATRIX = {
    "chol": "a Cholesky factor",
    "logdet": "a log-determinant",
    "sqrtm": "a square root",
    "logm": "a logarithm",
}


def _why(node: Numeric, operands: list[NDArray[np.float64]], out: NDArray[np.float64]) -> str:
    match node.op:
        case "chol" | "logdet" | "sqrtm" | "logm":
            matrix = operands[0]
            name = _OF_A_MATRIX[node.op]
            if not np.allclose(matrix, matrix.T, rtol=0, atol=1e-5 * float(np.abs(matrix).max())):
                return f"{name} of a matrix that is not symmetric"
            least = float(np.linalg.eigvalsh(0.5 * (matrix + matrix.T))[0])
            word = "positive semidefinite" if node.op == "sqrtm" else "positive definite"
            return f"{name} of a matrix that is not {word} (its smallest eigenvalue is {least:.6g})"
        case "inv" | "solve":
            return "an inverse of a singular matrix"
        case _ if node.op in _NOT_DEFINED:
            at = np.unravel_index(int(np.argmax(~np.isfinite(out))), out.shape)
            parts = [f"{float(a[at] if a.shape else a):.6g}" for a in operands]
            return _NOT_DEFINED[node.op].format(*parts) + place((), [int(i) for i in at])
        case _:
            return f"`{node.op}` gives {'NaN' if np.isnan(out).any() else 'an infinite number'}"
