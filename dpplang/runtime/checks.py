"""What is bound is what was declared: shape, numbers, sign, definiteness. Checks give diagnostics, all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.program import Parameter, Program
from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.names import count, declared, expected, origin_notes, show_shape
from dpplang.runtime.threads import cores, each, quiet

Floats = NDArray[np.float64]

SYMMETRIC = frozenset({"psd", "nsd", "symmetric"})
_TOLERANCE = {8: 1e-9, 4: 1e-5, 2: 1e-2}
"""Per item size in bytes: what is rounding, relative to the largest entry of a tensor."""


_CHUNK = 1 << 17  # numbers that are worked on together
_THREADS = 2e7  # operations from which threads save more than they cost


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A value as it came: ``array`` in double precision, and the relative ``tolerance`` of the precision it had."""

    array: Floats
    tolerance: float = _TOLERANCE[8]


def tolerance(itemsize: int) -> float:
    return _TOLERANCE.get(itemsize, _TOLERANCE[8])


def numbers(parameter: Parameter, value: Any) -> Given:
    """A copy of an array-like as floats: a gradient taken later is at these values, whatever becomes of the original.
    What is ``Given`` already stays as it is.

    Raises:
        BindError: BND713, it is not made of real numbers.
    """
    if isinstance(value, Given):
        return value
    if hasattr(value, "toarray"):
        value = value.toarray()
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise BindError([not_numbers(parameter, str(error))]) from None
    if array.dtype.kind not in "fiub":
        raise BindError([not_numbers(parameter, f"its dtype is {array.dtype}")])
    precision = tolerance(array.dtype.itemsize) if array.dtype.kind == "f" else _TOLERANCE[8]
    return Given(np.array(array, dtype=np.float64), precision)


def not_numbers(parameter: Parameter, why: str) -> Diagnostic:
    """BND713"""
    message = f"`{parameter.name}` is not an array of real numbers: {why}"
    return Diagnostic("BND713", message, notes=origin_notes(parameter), help=(expected(parameter),))


def check(program: Program, given: Mapping[str, Given]) -> tuple[int, ...]:
    """Check the values of all declared parameters.

    Args:
        given: per declared parameter, an array ``[*batch, *shape]``.

    Returns:
        The batch shape: the broadcast of all batch dims.

    Raises:
        BindError: everything that is wrong (BND712, BND714, BND715, BND716).
    """
    batch, problems = _shapes(program, {name: value.array.shape for name, value in given.items()})
    for parameter in declared(program):
        value = given[parameter.name]
        if _own(parameter, value.array.shape) == parameter.shape:
            problems += value_problems(parameter, value)
    if problems:
        raise BindError(problems)
    return batch


def batch_shape(program: Program, shapes: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    """The part of :func:`check` that needs no values: shapes, and the batch shape.

    Raises:
        BindError: BND712, BND716.
    """
    batch, problems = _shapes(program, shapes)
    if problems:
        raise BindError(problems)
    return batch


def _shapes(program: Program, shapes: Mapping[str, tuple[int, ...]]) -> tuple[tuple[int, ...], list[Diagnostic]]:
    problems: list[Diagnostic] = []
    batches: dict[str, tuple[int, ...]] = {}
    for parameter in declared(program):
        shape = shapes[parameter.name]
        if _own(parameter, shape) == parameter.shape:
            batches[parameter.name] = shape[: len(shape) - len(parameter.shape)]
        else:
            problems.append(_misfit(program, parameter, shape))
    distinct = {batch for batch in batches.values() if batch}
    if len(distinct) <= 1:
        return next(iter(distinct), ()), problems
    try:
        return np.broadcast_shapes(*distinct), problems
    except ValueError:
        return (), [*problems, _clash(batches)]


def _own(parameter: Parameter, shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The last axes of a value, as many as the parameter has; None if there are not as many."""
    rank = len(parameter.shape)
    return shape[len(shape) - rank :] if len(shape) >= rank else None


def _clash(batches: Mapping[str, Sequence[int]]) -> Diagnostic:
    parts = ", ".join(f"`{n}` has {list(b)}" for n, b in batches.items() if b)
    return Diagnostic(
        "BND716",
        f"the batch dims do not broadcast: {parts}",
        help=("batch dims stand before a parameter's own and broadcast as in NumPy: equal sizes, or 1",),
    )


def _misfit(program: Program, parameter: Parameter, shape: tuple[int, ...]) -> Diagnostic:
    rank, own = len(parameter.shape), _own(parameter, shape)
    if own is None:
        axes = "1 axis" if len(shape) == 1 else f"{len(shape)} axes"
        why = f"has {axes}, and its own shape has {rank}"
    else:
        axis = next(i for i in range(rank) if own[i] != parameter.shape[i])
        size = parameter.shape[axis]
        names = [name for name, value in program.sizes if value == size]
        dim = f" (the dim `{names[0]}`)" if len(names) == 1 else ""
        place = axis if len(shape) == rank else axis - rank
        why = f"has size {own[axis]} along axis {place}, where {size}{dim} is expected"
    message = f"`{parameter.name}` of shape {show_shape(shape)} {why}"
    return Diagnostic("BND712", message, notes=origin_notes(parameter), help=(expected(parameter),))


def value_problems(parameter: Parameter, value: Given) -> Iterator[Diagnostic]:
    """NaN and infinities, else the declared attributes that do not hold."""
    array = value.array
    if array.size == 0:
        return
    with np.errstate(all="ignore"):
        suspicious = not np.isfinite(array.sum())
    if suspicious and not (finite := np.isfinite(array)).all():
        at = _first(~finite)
        word = "NaN" if np.isnan(array[at]) else "infinite"
        yield _problem("BND714", parameter, array, at, f"`{parameter.name}` is {word}", int((~finite).sum()) - 1)
        return
    for attribute in parameter.attributes:
        yield from _attribute_problems(parameter, attribute, value)


def _attribute_problems(parameter: Parameter, attribute: str, value: Given) -> Iterator[Diagnostic]:
    array = value.array
    if attribute in SYMMETRIC:
        yield from _symmetry_problems(parameter, attribute, value)
        return
    slack = value.tolerance * float(np.abs(array).max())
    match attribute:
        case "nonneg":
            excess, bad = -array, array < -slack
        case "nonpos":
            excess, bad = array, array > slack
        case "pos":
            excess, bad = -array, array <= 0
        case "neg":
            excess, bad = array, array >= 0
        case "diagonal":
            excess = np.abs(array) * (1 - np.eye(array.shape[-1]))
            bad = excess > slack
        case _:
            inside = np.zeros(parameter.size, dtype=bool)
            inside[list(parameter.support or ())] = True
            excess = np.abs(array) * ~inside.reshape(parameter.shape)
            bad = excess > slack
    if bad.any():
        at = _first(excess == np.where(bad, excess, -np.inf).max())
        message = f"`{parameter.name}` is declared {attribute}, but is {array[at]:.6g}"
        yield _problem("BND715", parameter, array, at, message, int(bad.sum()) - 1)


def _symmetry_problems(parameter: Parameter, attribute: str, value: Given) -> Iterator[Diagnostic]:
    array = value.array
    if _is_symmetric(attribute, value):
        return
    mirrored = np.swapaxes(array, -1, -2)
    slack = value.tolerance * np.abs(array).max(axis=(-2, -1), keepdims=True)
    gap = np.abs(array - mirrored)
    if (bad := gap > slack).any():
        at = _first(gap == gap[bad].max())
        message = (
            f"`{parameter.name}` is declared {attribute}, but is not symmetric: "
            f"{array[at]:.6g} and, across the diagonal, {mirrored[at]:.6g}"
        )
        yield _problem("BND715", parameter, array, at, message, int(bad.any(axis=(-2, -1)).sum()) - 1)
        return
    if attribute == "symmetric":
        return
    signed = 0.5 * (array + mirrored) if attribute == "psd" else -0.5 * (array + mirrored)
    smallest = np.linalg.eigvalsh(signed)[..., 0]
    bad = smallest < -slack[..., 0, 0]
    if not bad.any():
        return
    at = _first(smallest == smallest[bad].min())
    which = "smallest" if attribute == "psd" else "largest"
    number = smallest[at] if attribute == "psd" else -smallest[at]
    message = f"`{parameter.name}` is declared {attribute}, but its {which} eigenvalue is {number:.6g}"
    yield _problem("BND715", parameter, array, at, message, int(bad.sum()) - 1)


def _is_symmetric(attribute: str, value: Given) -> bool:
    """Whether all matrices are plainly what they are declared to be: a Cholesky factor that exists proves it, at a
    fraction of an eigenvalue's cost. A few matrices at a time, which stay in cache."""
    order = value.array.shape[-1]
    matrices = value.array.reshape(-1, order, order)

    def sound(part: slice) -> bool:
        some = matrices[part]
        mirrored = np.swapaxes(some, 1, 2)
        slack = value.tolerance * np.maximum(some.max(axis=(1, 2)), -some.min(axis=(1, 2)))
        gap = some - mirrored
        if (np.maximum(gap.max(axis=(1, 2)), -gap.min(axis=(1, 2))) > slack).any():
            return False
        if attribute == "symmetric":
            return True
        signed = np.add(some, mirrored, out=gap)
        signed *= 0.5 if attribute == "psd" else -0.5
        np.einsum("bii->bi", signed)[:] += slack[:, None]
        try:
            np.linalg.cholesky(signed)
        except np.linalg.LinAlgError:
            return False
        return True

    step = max(1, _CHUNK // (order * order))
    chunks = [slice(start, start + step) for start in range(0, len(matrices), step)]
    work = len(matrices) * order**3 / 3
    with quiet(order):
        return all(each(sound, chunks, cores() if work > _THREADS else 1))


def _problem(
    code: str, parameter: Parameter, array: Floats, at: tuple[int, ...], message: str, more: int
) -> Diagnostic:
    ahead = array.ndim - len(parameter.shape)
    others = (f"and at {count(more, 'other place')}",) if more > 0 else ()
    return Diagnostic(code, message + place(at[:ahead], at[ahead:]), notes=(*others, *origin_notes(parameter)))


def place(batch: Sequence[int], entry: Sequence[int]) -> str:
    """Words for where: `` at batch index 4, entry [1, 2]``; empty if there is nothing to say."""
    words: list[str] = []
    if batch:
        words.append(f"batch index {batch[0] if len(batch) == 1 else tuple(int(i) for i in batch)}")
    if entry:
        words.append(f"entry {[int(i) for i in entry]}")
    return " at " + ", ".join(words) if words else ""


def _first(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Index of the first True."""
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(mask)), mask.shape))
