"""Our DCP and DPP verdicts against CVXPY's ``is_dcp`` and ``is_dpp`` on random programs.

Left out of the generator, because we accept more there (docs/language.md §4): parametric ``quad_form``, parametric ``kron`` and
``convolve``, ``x' @ P @ x``; and where we refuse more: products of parameters hidden in ``huber``'s M and in ``dotsort``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.semantics.helpers import run

N = 3


@dataclass(frozen=True)
class Twin:
    """One expression in both languages; ``vector`` is its rank. ``cvx`` builds a fresh CVXPY expression."""

    text: str
    cvx: Callable[[dict[str, Any]], Any]
    vector: bool


DECLARATIONS = f"""
param p nonneg, q, r nonpos, b[{N}], g[{N}] nonneg, A[{N}, {N}]
data c[{N}], d[{N}] nonneg, k
var x[{N}], y[{N}] nonneg, u, z nonpos
"""


def names() -> dict[str, Any]:
    """Fresh CVXPY symbols for every declared name."""
    return {
        "p": cp.Parameter(nonneg=True),
        "q": cp.Parameter(),
        "r": cp.Parameter(nonpos=True),
        "b": cp.Parameter(N),
        "g": cp.Parameter(N, nonneg=True),
        "A": cp.Parameter((N, N)),
        "c": _unknown_sign(cp.Constant(np.array([1.0, -2.0, 3.0]))),
        "d": cp.Constant(np.array([1.0, 2.0, 3.0])),
        "k": _scalar_of_unknown_sign(),
        "x": cp.Variable(N),
        "y": cp.Variable(N, nonneg=True),
        "u": cp.Variable(),
        "z": cp.Variable(nonpos=True),
    }


def _unknown_sign(constant: cp.Constant) -> cp.Constant:
    assert constant.sign == "UNKNOWN"
    return constant


def _scalar_of_unknown_sign() -> Any:
    """A constant whose sign CVXPY does not know: it looks at the values of leaves, but not through sums."""
    scalar = cp.Constant(2.0) - cp.Constant(1.0)
    assert scalar.sign == "UNKNOWN"
    return scalar


def leaf(name: str, vector: bool) -> Twin:
    return Twin(name, lambda s: s[name], vector)


def times(left: Any, right: Any) -> Any:
    """Elementwise product; plain numbers are folded, as our checker folds literals."""
    return left * right if isinstance(left, float) and isinstance(right, float) else cp.multiply(left, right)


def raised(base: Any, exponent: float) -> Any:
    return base**exponent if isinstance(base, float) else cp.power(base, exponent)


def inner_product(left: Any, right: Any) -> Any:
    """Not ``@``: CVXPY 1.9.3 raises an IndexError while it looks for a quadratic form in ``(x * p) @ x``."""
    return cp.sum(cp.multiply(left, right))


VECTORS = st.sampled_from([leaf(n, True) for n in "xxybgcd"])
SCALARS = st.sampled_from([leaf(n, False) for n in "uuzpqrk"] + [
    Twin("2", lambda _: 2.0, False),
    Twin("(-1.5)", lambda _: -1.5, False),
])  # fmt: skip

ELEMENTWISE: dict[str, Callable[[Any], Any]] = {
    "abs": cp.abs,
    "square": cp.square,
    "exp": cp.exp,
    "log": cp.log,
    "sqrt": cp.sqrt,
    "pos": cp.pos,
    "neg": cp.neg,
    "logistic": cp.logistic,
    "entr": cp.entr,
    "inv_pos": cp.inv_pos,
    "huber": cp.huber,
}
REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": cp.sum,
    "norm1": cp.norm1,
    "norm2": lambda e: cp.norm(e, 2),
    "norm_inf": cp.norm_inf,
    "sum_squares": cp.sum_squares,
    "max": cp.max,
    "min": cp.min,
    "log_sum_exp": cp.log_sum_exp,
    "geo_mean": cp.geo_mean,
}
VECTOR_MAPS: dict[str, Callable[[Any], Any]] = {"cumsum": cp.cumsum, "-": lambda e: -e}
POWERS = ("2", "3", "4", "0.5", "1.5", "0.3", "(-1)", "(-2)", "1", "0")


@st.composite
def twins(draw: st.DrawFn, vector: bool, depth: int) -> Twin:
    if depth == 0 or draw(st.integers(0, 5)) == 0:
        return draw(VECTORS if vector else SCALARS)
    kind = draw(
        st.sampled_from(["sum", "sum", "product", "product", "quotient", "atom", "atom", "extremum", "power", "map"])
    )
    sub = depth - 1
    if kind in ("sum", "product", "quotient"):
        both = draw(st.booleans()) if vector else False
        left = draw(twins(vector, sub))
        right = draw(twins(both, sub))
        if kind == "quotient":
            return Twin(f"({left.text} / {right.text})", lambda s: left.cvx(s) / right.cvx(s), vector)
        if kind == "product":
            return Twin(f"({left.text} * {right.text})", lambda s: times(left.cvx(s), right.cvx(s)), vector)
        if draw(st.booleans()):
            return Twin(f"({left.text} - {right.text})", lambda s: left.cvx(s) - right.cvx(s), vector)
        return Twin(f"({left.text} + {right.text})", lambda s: left.cvx(s) + right.cvx(s), vector)
    if kind == "extremum":
        left, right = draw(twins(vector, sub)), draw(twins(vector, sub))
        name, function = draw(st.sampled_from([("maximum", cp.maximum), ("minimum", cp.minimum)]))
        return Twin(f"{name}({left.text}, {right.text})", lambda s: function(left.cvx(s), right.cvx(s)), vector)
    if kind == "power":
        base, exponent = draw(twins(vector, sub)), draw(st.sampled_from(POWERS))
        value = float(exponent.strip("()"))
        if value in (3.0, -1.0) and not set(re.findall(r"\w+", base.text)) & {"x", "y", "u", "z"}:
            return base  # CVXPY takes odd powers of negative constants for positive
        return Twin(f"({base.text})^{exponent}", lambda s: raised(base.cvx(s), value), vector)
    if vector:
        if kind == "map":
            inner = draw(twins(True, sub))
            name = draw(st.sampled_from([*VECTOR_MAPS, "A @"]))
            if name == "A @":
                return Twin(f"(A @ {inner.text})", lambda s: s["A"] @ inner.cvx(s), True)
            text = f"({name}({inner.text}))"
            return Twin(text, lambda s: VECTOR_MAPS[name](inner.cvx(s)), True)
        inner, name = draw(twins(True, sub)), draw(st.sampled_from(sorted(ELEMENTWISE)))
        return Twin(f"{name}({inner.text})", lambda s: ELEMENTWISE[name](inner.cvx(s)), True)
    if kind == "map":
        inner = draw(twins(True, sub))
        other = draw(twins(True, sub))
        if draw(st.booleans()):
            return Twin(f"({inner.text})[1]", lambda s: inner.cvx(s)[1], False)
        return Twin(f"({inner.text} @ {other.text})", lambda s: inner_product(inner.cvx(s), other.cvx(s)), False)
    if draw(st.booleans()):
        inner, name = draw(twins(True, sub)), draw(st.sampled_from(sorted(REDUCTIONS)))
        return Twin(f"{name}({inner.text})", lambda s: REDUCTIONS[name](inner.cvx(s)), False)
    inner, name = draw(twins(False, sub)), draw(st.sampled_from(sorted(ELEMENTWISE)))
    return Twin(f"{name}({inner.text})", lambda s: ELEMENTWISE[name](inner.cvx(s)), False)


def our_verdict(text: str, sense: str) -> tuple[bool, bool]:
    """(DCP, DPP) of a program with this objective."""
    result = run(f"{DECLARATIONS}\n{sense} {text}\n")
    assume("SHP515" not in result.errors)  # a root of a negative number, which CVXPY finds when it solves
    families = {code[:3] for code in result.errors}
    assert families <= {"DCP", "DPP"}, (text, [(d.code, d.message) for d in result.diagnostics])
    return "DCP" not in families, not families


def cvxpy_verdict(twin: Twin, sense: str) -> tuple[bool, bool]:
    expr = twin.cvx(names())
    objective = cp.Minimize(expr) if sense == "minimize" else cp.Maximize(expr)
    problem = cp.Problem(objective)
    return problem.is_dcp(), problem.is_dpp()


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, print_blob=False, deadline=None, suppress_health_check=list(HealthCheck))
@given(twin=twins(False, 3), sense=st.sampled_from(["minimize", "maximize"]))
def test_random_programs(twin: Twin, sense: str) -> None:
    assert our_verdict(twin.text, sense) == cvxpy_verdict(twin, sense), twin.text
