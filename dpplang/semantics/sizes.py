"""Sizes of the dims from the shapes of tensors: polynomial equations, solved one unknown at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dpplang.core.diagnostics import Diagnostic, Label
from dpplang.lattice.dims import Poly, Shape, show_shape
from dpplang.semantics.report import diagnose
from dpplang.semantics.tree import Dim, Model, Symbol


@dataclass(frozen=True, slots=True)
class Sizes:
    """Attributes:
    sizes: values of the dims. batch: leading dims beyond the declared rank, per tensor.
    diagnostics: what does not fit (BND70x); then ``sizes`` holds what could be found.
    """

    sizes: dict[str, int]
    batch: dict[str, tuple[int, ...]]
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class _Equation:
    """``poly == value`` because of an axis of a tensor."""

    poly: Poly
    value: int
    symbol: Symbol
    axis: int
    shape: tuple[int, ...]


@dataclass(slots=True)
class _Known:
    """Values found so far and, in words, where each came from."""

    values: dict[str, int] = field(default_factory=dict[str, int])
    origin: dict[str, str] = field(default_factory=dict[str, str])

    def set(self, name: str, value: int, origin: str) -> None:
        self.values[name] = value
        self.origin[name] = origin


def solve_sizes(model: Model, shapes: Mapping[str, Sequence[int]], given: Mapping[str, int]) -> Sizes:
    """Values of every dim, and the batch dims of every tensor.

    Args:
        shapes: full shapes of bound tensors (data and parameters), leading batch dims included.
        given: values of dims that the caller states.

    Returns:
        A dim's value comes from ``given``, else from the tensors' shapes, else from its default. BND701:
        shapes contradict each
        other; BND702: too few axes; BND703: a size that is not a positive whole number; BND704: a dim that nothing
        determines; BND705: unknown names; BND706: an axis that is not of its fixed size.
    """
    found: list[Diagnostic] = []
    declared = {s.name: s for s in (*model.data, *model.params)}
    dims = {d.name: d for d in model.dims}
    known = _Known()
    for name, value in given.items():
        if name not in dims:
            found.append(_unknown(name, dims, "dim"))
        elif isinstance(value, bool) or value != int(value) or value < 1:
            found.append(
                diagnose("BND703", f"dim `{name}` must be a positive whole number, not {value!r}", dims[name].span)
            )
        else:
            known.set(name, int(value), "as given")
    equations: list[_Equation] = []
    batch: dict[str, tuple[int, ...]] = {}
    for name, shape in shapes.items():
        symbol = declared.get(name)
        if symbol is None:
            found.append(_unknown(name, declared, "tensor"))
            continue
        rank, full = len(symbol.shape), tuple(int(s) for s in shape)
        if len(full) < rank:
            found.append(_too_few_axes(symbol, full))
            continue
        own = full[len(full) - rank :]
        batch[name] = full[: len(full) - rank]
        equations += [_Equation(p, v, symbol, a, own) for a, (p, v) in enumerate(zip(symbol.shape, own, strict=True))]
    found += _propagate(equations, known)
    for dim in model.dims:
        if dim.name not in known.values and dim.default is not None and not found:
            known.set(dim.name, dim.default, "by default")
            found += _propagate(equations, known)
    if not found:
        found += _check(equations, known, dims)
    if not found:
        found += [_undetermined(d, model) for d in model.dims if d.name not in known.values]
        found += _negative(model, known)
    return Sizes(known.values, batch, tuple(found))


def undetermined(dims: Sequence[Dim], shapes: Sequence[Shape]) -> list[Dim]:
    """Dims without a default that the given shapes cannot determine."""
    known = {d.name for d in dims if d.default is not None}
    missing = {d.name for d in dims} - known
    progress = True
    while progress and missing:
        progress = False
        for poly in (p for shape in shapes for p in shape):
            name = _unknown_of(poly, known)
            if name is None:
                continue
            known.add(name)
            missing.discard(name)
            progress = True
            if not missing:
                break
    return [d for d in dims if d.name in missing]


def _unknown_of(poly: Poly, known: Collection[str]) -> str | None:
    """The one name without a value, if there is one and the polynomial is linear in it."""
    unknown = [n for n in poly.names if n not in known]
    if len(unknown) != 1:
        return None
    name = unknown[0]
    return name if all(m.count(name) <= 1 for m, _ in poly.terms) else None


def _propagate(equations: Sequence[_Equation], known: _Known) -> list[Diagnostic]:
    """Solve for one unknown at a time until nothing changes; equations that contradict each other are left to
    the check."""
    found: list[Diagnostic] = []
    bad: set[str] = set()
    progress = True
    while progress:
        progress = False
        for equation in equations:
            name = _unknown_of(equation.poly, known.values)
            if name is None or name in bad:
                continue
            rest = equation.poly.substitute({k: v for k, v in known.values.items() if k in equation.poly.names})
            slope, offset = rest.coefficient(name), rest.coefficient()
            if slope == 0:
                continue
            quotient, remainder = divmod(equation.value - offset, slope)
            if remainder or quotient < 1:
                bad.add(name)
                found.append(_no_solution(equation, name))
                continue
            known.set(name, quotient, f"from {_tensor(equation)}")
            progress = True
    return found


def _check(equations: Sequence[_Equation], known: _Known, dims: Mapping[str, Dim]) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    for equation in equations:
        names = equation.poly.names
        if not names <= known.values.keys():
            continue
        expected = equation.poly.evaluate(known.values)
        if expected != equation.value:
            found.append(_disagrees(equation, expected, known, dims))
    return found


def _tensor(equation: _Equation) -> str:
    return f"`{equation.symbol.name}` {_shown(equation.shape)}"


def _shown(shape: Sequence[int]) -> str:
    return f"[{', '.join(map(str, shape))}]"


def _disagrees(equation: _Equation, expected: int, known: _Known, dims: Mapping[str, Dim]) -> Diagnostic:
    symbol, poly = equation.symbol, equation.poly
    label = f"declared {show_shape(symbol.shape)}"
    if poly.constant is not None:
        have = f"it is {equation.value} in {_shown(equation.shape)}"
        message = f"axis {equation.axis} of `{symbol.name}` must be {expected}, {have}"
        return diagnose("BND706", message, symbol.span, label)
    names = sorted(poly.names)
    sources = ", ".join(f"`{n}` is {known.values[n]} {known.origin[n]}" for n in names)
    secondary = [Label(dims[n].span) for n in names if n in dims]
    if str(poly) in names:
        message = f"{sources} but {equation.value} from {_tensor(equation)}"
    else:
        message = f"axis {equation.axis} of {_tensor(equation)} must be {poly} = {expected}: {sources}"
    return diagnose("BND701", message, symbol.span, label, secondary=secondary)


def _no_solution(equation: _Equation, name: str) -> Diagnostic:
    message = (
        f"no positive `{name}` gives {equation.poly} = {equation.value}, axis {equation.axis} of {_tensor(equation)}"
    )
    return diagnose("BND703", message, equation.symbol.span, f"declared {show_shape(equation.symbol.shape)}")


def _too_few_axes(symbol: Symbol, shape: tuple[int, ...]) -> Diagnostic:
    rank = len(symbol.shape)
    message = (
        f"`{symbol.name}` is declared {show_shape(symbol.shape)}: it needs {rank} axes (and any batch axes "
        "before them), "
        f"its shape is {_shown(shape)}"
    )
    return diagnose("BND702", message, symbol.span)


def _undetermined(dim: Dim, model: Model) -> Diagnostic:
    holders = [s for s in (*model.data, *model.params) if any(dim.name in p.names for p in s.shape)]
    if holders:
        names = " or ".join(f"`{s.name}` {show_shape(s.shape)}" for s in holders[:3])
        help_text = f'bind {names}, or give it as `dims={{"{dim.name}": 10}}` or `--dim {dim.name}=10`'
    else:
        help_text = f'no tensor has it in its shape: give it as `dims={{"{dim.name}": 10}}` or `--dim {dim.name}=10`'
    return diagnose("BND704", f"dim `{dim.name}` has no value", dim.span, help=(help_text,))


def _negative(model: Model, known: _Known) -> list[Diagnostic]:
    """Shapes that come out negative for these sizes."""
    found: list[Diagnostic] = []
    for symbol in (*model.data, *model.params, *(d.symbol for d in model.derived), *model.variables):
        for axis, poly in enumerate(symbol.shape):
            if poly.names <= known.values.keys() and poly.evaluate(known.values) < 0:
                message = f"axis {axis} of `{symbol.name}` would have size {poly} = {poly.evaluate(known.values)}"
                found.append(diagnose("BND703", message, symbol.span, show_shape(symbol.shape)))
    return found


def _unknown(name: str, declared: Mapping[str, object], what: str) -> Diagnostic:
    from difflib import get_close_matches

    near = get_close_matches(name, list(declared), n=1, cutoff=0.6)
    names = ", ".join(f"`{n}`" for n in declared) or "none"
    hint = f"did you mean `{near[0]}`?" if near else f"declared: {names}"
    return diagnose("BND705", f"the program has no {what} `{name}`", None, help=(hint,))
