"""Random convex programs, a batch of them: gradients are central differences, alone and among neighbours."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import dpplang
from dpplang.runtime.warn import DerivativeWarning
from tests.lowering import test_random_programs as plain

N = plain.N
BATCH, STEP = 3, 1e-5
HEAD = (
    "dim n = 4\nparam A[n, n], b[n], p nonneg, q nonneg, r[n] pos, Q[n, n] psd\ndata C[n, n], d[n]\n"
    "var x[n], X[n, n], S[n, n] symmetric, u[n] pos\n"
)
STRONGLY_CONVEX = [
    "0.3 * sum_squares(x - 1)", "0.3 * sum_squares(X)", "0.3 * sum_squares(S - 0.2)", "0.3 * sum_squares(u - 1)",
]  # fmt: skip

# Arguments with parameters, and with constants alone (what a parameter may scale), by what an atom asks of them.
VECTORS = [text for text, _ in plain.PARAMETRIC] + ["r * x", "x * b + u"]
FREE_VECTORS = [text for text, _ in plain.CONSTANT] + ["u - d"]
POSITIVE, FREE_POSITIVE = ["u + r", "p * u + 0.1", "r * u"], ["u", "cumsum(u)"]
SYMMETRIC, FREE_SYMMETRIC = ["S + Q", "p * S - Q", "S - diag(r)"], ["S", "C' @ S @ C", "diag(x) + S"]
DEFINITE, FREE_DEFINITE = ["S + Q + 3 * eye(n)"], ["S + 4 * eye(n)", "diag(u) + eye(n)"]

OF_VECTORS = [atom for atom, _ in plain.CONVEX] + [
    "pnorm({}, 3)", "pnorm({}, 1.5)", "sum(power(abs({}), 1.7))", "var({})", "std({})", "tv({})", "cvar({}, 0.6)",
    "norm2({})^3", "sum(cummax({}))", "sum(scalene({}, 0.4, 2))", "ptp({})", "-sum(log_normcdf({}))", "exp(0.1 * norm1({}))",
]  # fmt: skip
OF_POSITIVE = [
    "-sum(log({}))", "-sum(sqrt({}))", "-geo_mean({})", "-harmonic_mean({})", "inv_prod({})", "sum(inv_pos({}))",
    "-sum(entr({}))", "sum(rel_entr({}, u))", "sum(xexp(0.2 * ({})))", "-sum(log1p({}))", "sum(power({}, -0.5))",
    "quad_over_lin(x, sum({}))", "-sum(power({}, 0.3))", "-pnorm({}, 0.5)", "sum(kl_div({}, u))",
]  # fmt: skip
OF_POSITIVE_WITH_PARAMETERS = ["sum(kl_div({}, r))", "sum(rel_entr(r, {}))"]
OF_SYMMETRIC = [
    "lambda_max({})", "-lambda_min({})", "lambda_sum_largest({}, 2)", "sum_squares({})", "norm_nuc({})", "sigma_max({})",
    "norm_fro({})",
]  # fmt: skip
OF_DEFINITE = ["-log_det({})", "tr_inv({})", "-von_neumann_entr({})"]
OF_DEFINITE_WITH_PARAMETERS = ["matrix_frac(x - b, {})"]


def term(draw) -> str:
    """A convex scalar, perhaps scaled by a parameter (then its argument is free of parameters)."""
    scaled = draw(st.booleans())
    atoms, arguments, with_parameters, more_atoms = draw(
        st.sampled_from(
            [
                (OF_VECTORS, FREE_VECTORS, VECTORS, []),
                (OF_POSITIVE, FREE_POSITIVE, POSITIVE, OF_POSITIVE_WITH_PARAMETERS),
                (OF_SYMMETRIC, FREE_SYMMETRIC, SYMMETRIC, []),
                (OF_DEFINITE, FREE_DEFINITE, DEFINITE, OF_DEFINITE_WITH_PARAMETERS),
            ]
        )
    )
    atom = draw(st.sampled_from(atoms if scaled else atoms + more_atoms))
    text = atom.format(draw(st.sampled_from(arguments if scaled else arguments + with_parameters)))
    return f"q * ({text})" if scaled else text


def program(draw) -> str:
    """A strongly convex program with up to three random terms and up to two random constraints."""
    terms = [term(draw) for _ in range(draw(st.integers(1, 3)))]
    bounds = [term(draw) for _ in range(draw(st.integers(0, 2)))]
    text = f"{HEAD}minimize {' + '.join(STRONGLY_CONVEX + terms)}\nsubject to\n  top: x <= 3\n"
    return text + "".join(f"  {t} <= 20\n" for t in bounds) + "return x, X, S, u, dual top\n"


def values(rng: np.random.Generator) -> dict[str, np.ndarray]:
    shapes = {"A": (N, N), "b": (N,), "p": (), "q": (), "r": (N,), "Q": (N, N)}
    found = {name: rng.standard_normal((BATCH, *shape)) for name, shape in shapes.items()}
    positive = {name: np.abs(found[name]) + 0.2 for name in "pqr"}
    return found | positive | {"Q": found["Q"] @ found["Q"].swapaxes(1, 2) / N + 0.3 * np.eye(N)}


def symmetric(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: v + v.swapaxes(1, 2) if name in "QS" else v for name, v in values.items()}


@pytest.mark.slow
@given(st.data(), st.integers(0, 1000))
@settings(max_examples=40, deadline=None, phases=[Phase.generate])
def test_gradients(data, seed: int) -> None:
    text, rng = program(data.draw), np.random.default_rng(seed + 1)
    problem, theta = dpplang.parse(text), values(rng)
    constants = {"C": rng.standard_normal((N, N)), "d": rng.standard_normal(N)}
    shapes = {"x": (N,), "X": (N, N), "S": (N, N), "u": (N,), "value": ()}
    upstream = symmetric({name: rng.standard_normal((BATCH, *shape)) for name, shape in shapes.items()})
    direction = symmetric({name: rng.standard_normal(v.shape) for name, v in theta.items()})

    def loss(step: float, rows: slice | int = slice(None)):
        moved = {name: v[rows] + step * direction[name][rows] for name, v in theta.items()}
        return problem.solve(moved, data=constants, options={"refine": 3})

    with warnings.catch_warnings():
        warnings.simplefilter("error", DerivativeWarning)
        try:
            here = loss(0.0)
            gradients = here.backward(upstream)
        except DerivativeWarning:
            return  # a kink, which is said aloud: no derivative to compare with
    inner = sum((g * direction[n]).reshape(BATCH, -1).sum(axis=1) for n, g in gradients.items())

    def slope(h: float) -> np.ndarray:
        ahead, behind = loss(h), loss(-h)
        return sum(((ahead[n] - behind[n]) * u).reshape(BATCH, -1).sum(axis=1) for n, u in upstream.items()) / (2 * h)

    coarse, fine = slope(STEP), slope(STEP / 4)
    smooth = np.abs(coarse - fine) <= 1e-5 * (1 + np.abs(fine))  # else the step crosses a kink
    np.testing.assert_allclose(inner[smooth], fine[smooth], rtol=2e-5, atol=2e-5, err_msg=text)
    # The graph of the matrix entropy is a quadrature, whose many copies of one matrix make systems ill-conditioned.
    precise = 1e-5 if "von_neumann" in text else 1e-8
    # forward mode is the same number from the other side
    tangents = here.tangent(direction)
    forward = sum((tangents[n] * u).reshape(BATCH, -1).sum(axis=1) for n, u in upstream.items())
    np.testing.assert_allclose(forward, inner, rtol=precise, atol=precise, err_msg=text)
    # neighbours do not matter
    alone = loss(0.0, 1)
    np.testing.assert_allclose(alone.x, here.x[1], rtol=0, atol=1e-9, err_msg=text)
    single = alone.backward({n: u[1] for n, u in upstream.items()})
    for name, gradient in gradients.items():
        np.testing.assert_allclose(single[name], gradient[1], rtol=10 * precise, atol=10 * precise, err_msg=text)
