"""What is bound as ``data``: checked against its declaration, then part of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.core.errors import BindError
from dpplang.lattice.dims import show_shape
from dpplang.lowering.affine import Floats
from dpplang.semantics.tree import Expr, Model, Symbol

SLACK = 1e-9
"""Relative error that is taken for rounding where an attribute is checked."""

Constant = Callable[[Expr], Floats]
"""The value of a constant expression."""
Shaped = Callable[[Symbol], tuple[int, ...]]
"""The shape of a symbol in numbers."""


def bind_data(
    model: Model, data: Mapping[str, Any], shape_of: Shaped, constant: Constant, bind: Callable[[Symbol, Floats], None]
) -> None:
    """Hand an array of the declared shape for every ``data`` to ``bind``, in order: a default may use earlier ones.

    Raises:
        BindError: everything that is wrong: names that do not exist (BND705), no value (BND711), another shape
            (BND712), no real numbers (BND713), NaN or infinity (BND714), an attribute that does not hold (BND715).
    """
    names = {symbol.name for symbol in model.data}
    wrong = [Diagnostic("BND705", f"there are no data `{name}` in this program") for name in sorted(set(data) - names)]
    for symbol in model.data:
        shape = shape_of(symbol)
        if symbol.name in data:
            value = np.asarray(data[symbol.name])
        elif symbol.default is not None:
            value = np.broadcast_to(constant(symbol.default), shape)
        else:
            wrong.append(_missing(symbol))
            bind(symbol, np.zeros(shape))
            continue
        problem = _misfit(symbol, value, shape)
        if problem is not None:
            wrong.append(problem)
            value = np.zeros(shape)
        bind(symbol, value.astype(np.float64))
    if wrong:
        raise BindError(wrong)


def _missing(symbol: Symbol) -> Diagnostic:
    named = f"`{symbol.name}`" + (f" of shape {show_shape(symbol.shape)}" if symbol.shape else "")
    return Diagnostic(
        "BND711",
        f"the data {named} have no value",
        Label(symbol.span, "declared here"),
        help=(f'bind them: `data={{"{symbol.name}": …}}` or `--data FILE`, or declare a default',),
    )


def _misfit(symbol: Symbol, value: np.ndarray, shape: tuple[int, ...]) -> Diagnostic | None:
    """The first thing that is wrong with a value, if anything."""

    def found(code: str, what: str) -> Diagnostic:
        return Diagnostic(code, f"the data `{symbol.name}` {what}", Label(symbol.span, "declared here"))

    if value.dtype.kind not in "fiub":
        return found("BND713", f"are not real numbers: their dtype is {value.dtype}")
    if value.shape != shape:
        declared = f" ({show_shape(symbol.shape)})" if symbol.shape else ""
        return found("BND712", f"have shape {list(value.shape)}, not {list(shape)}{declared}")
    numbers = value.astype(np.float64)
    if not np.isfinite(numbers).all():
        place = tuple(map(int, np.argwhere(~np.isfinite(numbers))[0]))
        return found("BND714", f"hold {numbers[place]} at {list(place)}")
    for attribute, problem in _broken(symbol, numbers):
        return found("BND715", f"are declared {attribute}, but {problem}")
    return None


def _broken(symbol: Symbol, x: Floats) -> Iterator[tuple[str, str]]:
    """Attributes that do not hold, and why not."""
    slack = SLACK * float(np.abs(x).max(initial=0.0))
    for name in (a.name for a in symbol.attributes):
        match name:
            case "nonneg" | "pos":
                bad = x < -slack if name == "nonneg" else x <= 0
            case "nonpos" | "neg":
                bad = x > slack if name == "nonpos" else x >= 0
            case "diagonal":
                bad = np.abs(x) * (1 - np.eye(x.shape[-1])) > slack
            case "symmetric" | "psd" | "nsd":
                bad = np.abs(x - np.swapaxes(x, -1, -2)) > slack
                if name != "symmetric" and not bad.any() and x.size:
                    values = np.linalg.eigvalsh((x + np.swapaxes(x, -1, -2)) / 2)
                    worst = float(values.min() if name == "psd" else values.max())
                    if (worst if name == "psd" else -worst) < -x.shape[-1] * slack:
                        yield name, f"an eigenvalue is {worst:.6g}"
            case _:
                continue  # a mask is checked with the parameters it is for
        if bad.any():
            place = tuple(map(int, np.argwhere(bad)[0]))
            yield name, f"hold {x[place]:.6g} at {list(place)}"
