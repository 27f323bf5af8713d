"""Random programs that are DCP but not DPP, each written twice: in the language, and for CVXPY with numbers in the place
of parameters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from hypothesis import strategies as st

N, T = 3, 2
HEAD = """\
dim n = 3, T = 2
data C[n, n]
param p nonneg, q, g pos, b[n], v[n] pos, r[T] pos, S[n, n], P[n, n] psd, A[T, n, n]
var x[n], y, w[T, n]
"""
OUTPUTS = ("x", "y", "w")
Values = dict[str, np.ndarray]


class Numbers:
    """Values of parameters and data beside CVXPY's variables; ``m.x``, ``m.S`` …"""

    def __init__(self, values: Values) -> None:
        self.__dict__.update({k: float(v) if v.ndim == 0 else v for k, v in values.items()})
        self.x, self.y, self.w = cp.Variable(N), cp.Variable(), cp.Variable((T, N))


Build = Callable[[Any], Any]


@dataclass(frozen=True)
class Term:
    """``binds``: how tightly the text holds together, 1 a sum, 2 a product, 5 a name or a call. ``smooth``: has a
    second derivative almost everywhere a solution can be."""

    text: str
    build: Build
    binds: int = 5
    smooth: bool = True

    def within(self, least: int) -> str:
        return self.text if self.binds >= least else f"({self.text})"


def values(seed: int) -> Values:
    rng = np.random.default_rng(seed)
    factor = rng.standard_normal((N, N))
    return {
        "C": rng.standard_normal((N, N)),
        "p": np.asarray(rng.uniform(0.3, 1.5)),
        "q": np.asarray(rng.choice([-1, 1]) * rng.uniform(0.3, 1.2)),
        "g": np.asarray(rng.uniform(0.3, 1.5)),
        "b": rng.standard_normal(N),
        "v": rng.uniform(0.3, 1.5, N),
        "r": rng.uniform(0.3, 1.5, T),
        "S": rng.standard_normal((N, N)),
        "P": factor @ factor.T + 0.1 * np.eye(N),
        "A": rng.standard_normal((T, N, N)),
    }


# --- factors without variables -------------------------------------------------------------------------------------

POSITIVE = [
    Term("g", lambda m: m.g),
    Term("p", lambda m: m.p),
    Term("p * g", lambda m: m.p * m.g, 2),
    Term("exp(q)", lambda m: np.exp(m.q)),
    Term("abs(q)", lambda m: abs(m.q)),
    Term("q^2", lambda m: m.q**2, 4),
    Term("1 + g", lambda m: 1 + m.g, 1),
    Term("g / (1 + p)", lambda m: m.g / (1 + m.p), 2),
    Term("v[1]", lambda m: m.v[1]),
    Term("2", lambda m: 2.0),
]
SIGNED = [
    Term("q", lambda m: m.q),
    Term("b[0]", lambda m: m.b[0]),
    Term("q * p", lambda m: m.q * m.p, 2),
    Term("tanh(q)", lambda m: np.tanh(m.q)),
    *POSITIVE,
]
MATRICES = [
    Term("S", lambda m: m.S),
    Term("C", lambda m: m.C),
    Term("S'", lambda m: m.S.T),
    Term("A[1]", lambda m: m.A[1]),
    Term("q * C", lambda m: m.q * m.C, 2),
    Term("S @ C", lambda m: m.S @ m.C, 2),
    Term("S @ S", lambda m: m.S @ m.S, 2),
]
VECTORS = [
    Term("b", lambda m: m.b),
    Term("v", lambda m: m.v),
    Term("q * v", lambda m: m.q * m.v, 2),
    Term("S @ b", lambda m: m.S @ m.b, 2),
]

# --- affine vectors, convex scalars ----------------------------------------------------------------------------------


def affine(depth: int) -> st.SearchStrategy[Term]:
    leaf = st.sampled_from([Term("x", lambda m: m.x), Term("w[0]", lambda m: m.w[0]), Term("y", lambda m: m.y)])
    if depth == 0:
        return leaf
    inner = affine(depth - 1)
    return st.one_of(
        leaf,
        st.builds(_times, st.sampled_from(SIGNED), inner),
        st.builds(_matrix, st.sampled_from(MATRICES), inner),
        st.builds(_entries, st.sampled_from(VECTORS), inner),
        st.builds(_plus, inner, st.sampled_from(VECTORS), st.sampled_from("+-")),
        st.builds(_plus, inner, inner, st.sampled_from("+-")),
        st.builds(_over, inner, st.sampled_from(POSITIVE)),
        st.builds(_negated, inner),
    )


def _spread(value: Any) -> Any:
    return value + np.zeros(N) if np.shape(value) == () else value


def _times(scale: Term, term: Term) -> Term:
    return Term(f"{scale.within(2)} * {term.within(3)}", lambda m: scale.build(m) * term.build(m), 2)


def _matrix(matrix: Term, term: Term) -> Term:
    vector = term if "y" not in term.text else Term(f"{term.within(1)} + 0 * x", lambda m: _spread(term.build(m)), 1)
    return Term(f"{matrix.within(2)} @ {vector.within(3)}", lambda m: matrix.build(m) @ _spread(vector.build(m)), 2)


def _entries(vector: Term, term: Term) -> Term:
    return Term(
        f"{vector.within(2)} * {term.within(3)}", lambda m: cp.multiply(vector.build(m), _spread(term.build(m))), 2
    )


def _plus(left: Term, right: Term, sign: str) -> Term:
    def build(m: Any) -> Any:
        a, b = left.build(m), right.build(m)
        return a + b if sign == "+" else a - b

    return Term(f"{left.within(1)} {sign} {right.within(2)}", build, 1)


def _over(term: Term, scale: Term) -> Term:
    return Term(f"{term.within(2)} / {scale.within(5)}", lambda m: term.build(m) / scale.build(m), 2)


def _negated(term: Term) -> Term:
    return Term(f"-{term.within(4)}", lambda m: -term.build(m), 3)


ATOMS: list[tuple[str, Callable[[Any], Any], bool]] = [
    ("sum_squares({})", cp.sum_squares, True),
    ("sum(({})^2)", lambda a: cp.sum(cp.square(a)), True),
    ("log_sum_exp(0.3 * ({}))", lambda a: cp.log_sum_exp(0.3 * a), True),
    ("sum(logistic({}))", lambda a: cp.sum(cp.logistic(a)), True),
    ("sum(huber({}, M = 0.7))", lambda a: cp.sum(cp.huber(a, 0.7)), True),
    ("norm2({})", cp.norm2, False),
    ("norm1({})", cp.norm1, False),
    ("max({})", cp.max, False),
    ("sum(abs({}))", lambda a: cp.sum(cp.abs(a)), False),
    ("sum(pos({}))", lambda a: cp.sum(cp.pos(a)), False),
]


def _atom(atom: tuple[str, Callable[[Any], Any], bool], term: Term) -> Term:
    text, build, smooth = atom
    return Term(text.format(term.text), lambda m: build(_spread(term.build(m))), 5, smooth and term.smooth)


def _form(scale: Term) -> Term:
    return Term(f"{scale.within(2)} * quad_form(x, P)", lambda m: scale.build(m) * cp.quad_form(m.x, m.P), 2)


def _indexed(atom: tuple[str, Callable[[Any], Any], bool], shift: Term, scale: Term) -> Term:
    text, build, smooth = atom
    inner = f"A[t] @ w[t] - {shift.within(2)}"

    def made(m: Any) -> Any:
        return sum(scale.build(m) * m.r[t] * build(m.A[t] @ m.w[t] - shift.build(m)) for t in range(T))

    return Term(f"sum({scale.within(2)} * r[t] * {text.format(inner)} for t in T)", made, 5, smooth)


def convex(depth: int) -> st.SearchStrategy[Term]:
    plain = st.builds(_atom, st.sampled_from(ATOMS), affine(2))
    leaf = st.one_of(
        plain,
        plain,
        st.builds(_form, st.sampled_from(POSITIVE)),
        st.builds(_indexed, st.sampled_from(ATOMS), st.sampled_from(VECTORS), st.sampled_from(POSITIVE)),
    )
    if depth == 0:
        return leaf
    inner = convex(depth - 1)
    return st.one_of(
        leaf,
        st.builds(lambda s, t: _keep(_times(s, t), t), st.sampled_from(POSITIVE), inner),
        st.builds(lambda t, s: _keep(_over(t, s), t), inner, st.sampled_from(POSITIVE)),
        st.builds(lambda a, b: _keep(_plus(a, b, "+"), a, b), inner, inner),
    )


def _keep(made: Term, *parts: Term) -> Term:
    return Term(made.text, made.build, made.binds, all(p.smooth for p in parts))


@dataclass(frozen=True)
class Program:
    text: str
    problem: Callable[[Values], tuple[cp.Problem, Any]]
    smooth: bool


@dataclass(frozen=True)
class Called:
    """The body of a ``func`` of a vector ``s``."""

    text: str
    build: Callable[[Any, Any], Any]
    smooth: bool


def _calls(smooth: bool) -> st.SearchStrategy[Called]:
    def made(atom: tuple[str, Callable[[Any], Any], bool], scale: Term, matrix: Term, shift: Term) -> Called:
        inner = f"{matrix.within(2)} @ s - {shift.within(2)}"
        return Called(
            f"{scale.within(2)} * {atom[0].format(inner)}",
            lambda m, s: scale.build(m) * atom[1](matrix.build(m) @ s - shift.build(m)),
            atom[2],
        )

    atoms = [a for a in ATOMS if a[2] or not smooth]
    return st.builds(
        made, st.sampled_from(atoms), st.sampled_from(POSITIVE), st.sampled_from(MATRICES), st.sampled_from(VECTORS)
    )


REGULAR = Term("sum_squares(x) + y^2 + sum_squares(w)", lambda m: cp.sum_squares(m.x) + m.y**2 + cp.sum_squares(m.w), 1)


@st.composite
def programs(draw: Any, smooth: bool = False) -> Program:
    """A strongly convex program: its solution is unique. The last line is a constraint, or a ``return``, or neither."""
    term = draw(convex(2).filter(lambda t: t.smooth) if smooth else convex(2))
    shape = draw(st.sampled_from(["plain", "let", "func", "calls", "bound", "equal"]))
    lines = [HEAD.rstrip("\n")]
    called: Called | None = None
    bound, tie = draw(affine(1)), draw(st.sampled_from(VECTORS))
    match shape:
        case "let":
            lines += [f"let cost = {term.text}", f"minimize {REGULAR.text} + cost"]
        case "func":
            lines += [f"func cost(s) = {term.text} + s^2", f"minimize {REGULAR.text} + cost(y)"]
        case "calls":
            called = draw(_calls(smooth))
            lines += [f"func cost(s[n]) = {called.text}", f"minimize {REGULAR.text} + cost(x) + cost(2 * w[0] + b)"]
        case _:
            lines += [f"minimize {REGULAR.text} + {term.within(2)}"]
    if shape == "bound":
        lines += ["subject to", f"  {bound.text} <= {tie.text}"]
    if shape == "equal":
        lines += ["subject to", f"  x == {tie.text}  # tied"]
    if draw(st.booleans()):
        lines.append("return x, y, w")

    def problem(numbers: Values) -> tuple[cp.Problem, Any]:
        m = Numbers(numbers)
        objective = REGULAR.build(m) + (m.y**2 if shape == "func" else 0)
        if shape == "calls":
            objective += called.build(m, m.x) + called.build(m, 2 * m.w[0] + m.b)
        else:
            objective += term.build(m)
        constraints = []
        if shape == "bound":
            constraints = [bound.build(m) <= tie.build(m)]
        if shape == "equal":
            constraints = [m.x == tie.build(m)]
        return cp.Problem(cp.Minimize(objective), constraints), m

    sound = called.smooth if shape == "calls" else term.smooth
    return Program("\n".join(lines) + "\n", problem, sound and shape != "bound")
