"""Calls that are wrong, and what decides between the records of one name."""

from __future__ import annotations

import pytest

from dpplang.core.diagnostics import Diagnostic
from dpplang.lattice.curvature import Curvature
from dpplang.lattice.sign import Sign
from dpplang.semantics.atom_definite import is_nsd, is_psd, is_symmetric
from dpplang.semantics.build import affine, bilinear, literal
from dpplang.semantics.tree import Apply, AtomCall, Const, Expr, Ref, Role
from tests.stdlib.build import SPAN, attempt, call, infix, number, tensor

X = tensor("x", Role.VAR, (3,))
MATRIX = tensor("X", Role.VAR, (2, 3))
A = tensor("A", Role.DATA, (3, 3))


def wrong(name: str, *args: Expr, **keywords: Expr) -> Diagnostic:
    called = attempt(name, *args, **keywords)
    assert called.expr is None
    (diagnostic,) = called.diagnostics
    return diagnostic


def transpose(expr: Expr) -> Expr:
    return affine("transpose", (expr,), tuple(reversed(expr.shape)), SPAN)


def product(left: Expr, right: Expr) -> Expr:
    return bilinear("matmul", left, right, (left.shape[0], right.shape[1]), SPAN)


# --- wrong calls -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "keywords", "code", "words"),
    [
        ("kl_div", (X,), {}, "ATM401", "takes 2 arguments, 1 given"),
        ("abs", (X, X), {}, "ATM401", "takes 1 argument, 2 given"),
        ("huber", (X, number(1), number(2)), {}, "ATM401", "takes 1 to 2 arguments, 3 given"),
        ("huber", (X,), {"Mx": number(1)}, "ATM402", "no argument `Mx`"),
        ("huber", (X, number(1)), {"M": number(1)}, "ATM402", "given twice"),
        ("abs", (X,), {"axis": number(0)}, "ATM402", "no argument `axis`"),
        ("maximum", (X, tensor("y", Role.VAR, (4,))), {}, "ATM403", "shapes [3] and [4] differ"),
        ("lambda_max", (MATRIX,), {}, "ATM403", "must have shape [n, n], this has shape [2, 3]"),
        ("quad_form", (X, tensor("P", Role.DATA, (2, 2), "psd")), {}, "ATM403", "this has shape [2, 2]"),
        (
            "sum_largest",
            (X, tensor("k", Role.PARAM, (), "nonneg")),
            {},
            "ATM404",
            "`k` of `sum_largest` must be constant",
        ),
        (
            "quad_form",
            (X, tensor("P", Role.VAR, (3, 3), "psd")),
            {},
            "ATM405",
            "`P` of `quad_form` must be free of variables",
        ),
        ("quad_form", (X, A), {}, "ATM406", "must be psd or nsd"),
        ("huber", (X,), {"M": number(-1)}, "ATM406", "must be nonneg"),
        ("power", (X, tensor("p", Role.DATA, ())), {}, "ATM407", "not defined for this constant"),
        ("norm1", (X,), {"axis": number(1)}, "ATM408", "from -1 to 0"),
        ("max", (tensor("s", Role.VAR, ()),), {"axis": number(0)}, "ATM408", "must be left out"),
        ("max", (MATRIX,), {"keepdims": number(2)}, "ATM408", "0 or 1"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(name, args, keywords, code, words) -> None:
    diagnostic = wrong(name, *args, **keywords)
    assert diagnostic.code == code
    assert words in diagnostic.message


def test_a_misspelt_keyword_has_a_fix() -> None:
    diagnostic = wrong("norm1", MATRIX, axs=number(0))
    assert [edit.text for fix in diagnostic.fixes for edit in fix.edits] == ["axis"]


# --- which record ------------------------------------------------------------------------------------------------


def test_rank_tells_the_spectral_norm_from_the_euclidean() -> None:
    spectral, euclidean = call("norm2", MATRIX), call("norm2", MATRIX, axis=number(1))
    assert isinstance(spectral, AtomCall) and spectral.atom.kind == "plain"
    assert isinstance(euclidean, AtomCall) and euclidean.atom.kind == "reduction" and euclidean.axis == 1


def test_the_exponents_zero_and_one_leave_no_atom() -> None:
    assert isinstance(call("power", X, number(1)), Ref)
    one = call("power", X, number(0))
    assert isinstance(one, Apply) and one.op == "full" and one.facts.is_constant
    assert isinstance(call("power", tensor("s", Role.VAR, ()), number(0)), Const)


@pytest.mark.parametrize(("exponent", "curvature"), [(6, "convex"), (3, "convex"), (1.5, "convex"), (0.3, "concave")])
def test_the_exponent_chooses_the_curvature(exponent: float, curvature: str) -> None:
    assert call("power", X, number(exponent)).facts.curvature.value == curvature


def test_an_even_power_is_convex_on_the_whole_line_and_others_are_increasing() -> None:
    convex = infix("-", call("exp", X), number(1))
    assert call("power", convex, number(6)).facts.curvature is Curvature.UNKNOWN
    assert call("power", convex, number(3)).facts.curvature is Curvature.CONVEX


def test_a_parameter_matrix_is_for_the_quadratic_objective_only() -> None:
    form = call("quad_form", X, tensor("P", Role.PARAM, (3, 3), "psd"))
    assert isinstance(form, AtomCall) and form.atom.graph is None and form.atom.quadratic is not None
    assert form.facts.curvature is Curvature.CONVEX and form.facts.dpp is Curvature.CONVEX
    shifted = infix("-", X, tensor("p", Role.PARAM, (3,)))
    assert (
        call("quad_form", shifted, tensor("P", Role.PARAM, (3, 3), "psd")).facts.dpp is Curvature.CONVEX
    )  # it gets a variable


def test_quad_form_of_a_constant_vector_is_affine_in_the_matrix() -> None:
    form = call("quad_form", tensor("c", Role.DATA, (3,)), tensor("P", Role.VAR, (3, 3)))
    assert form.facts.curvature is Curvature.AFFINE


def test_a_declared_symmetric_matrix_needs_no_equation() -> None:
    symmetric = call("lambda_max", tensor("S", Role.VAR, (3, 3), "symmetric"))
    general = call("lambda_max", tensor("G", Role.VAR, (3, 3)))
    assert isinstance(symmetric, AtomCall) and not symmetric.atom.domain
    assert isinstance(general, AtomCall) and general.atom.domain


def test_more_than_two_arguments_fold() -> None:
    folded = call("maximum", X, number(-1), tensor("y", Role.VAR, (3,), "nonneg"))
    assert isinstance(folded, AtomCall) and isinstance(folded.args[0], AtomCall)
    assert folded.facts.sign is Sign.NONNEG


# --- definiteness ------------------------------------------------------------------------------------------------


def literal_matrix(*rows: tuple[float, ...]) -> Expr:
    return literal(
        tuple(tuple(map(float, r)) for r in rows), tensor("s", Role.DATA, (len(rows), len(rows))).shape, SPAN
    )


@pytest.mark.parametrize(
    ("expr", "psd", "nsd"),
    [
        (literal_matrix((2, 1), (1, 2)), True, False),
        (literal_matrix((1, 1), (1, 1)), True, False),
        (literal_matrix((1, 2), (2, 1)), False, False),
        (literal_matrix((1, 0), (1, 1)), False, False),
        (literal_matrix((0, 1), (1, 0)), False, False),
        (literal_matrix((-2, 1), (1, -2)), False, True),
        (literal_matrix((0, 0), (0, 0)), True, True),
        (A, False, False),
        (product(transpose(A), A), True, False),
        (product(A, transpose(A)), True, False),
        (product(A, A), False, False),
        (product(product(transpose(A), tensor("Q", Role.DATA, (3, 3), "nsd")), A), False, True),
        (product(transpose(A), product(tensor("Q", Role.DATA, (3, 3), "psd"), A)), True, False),
        (infix("+", A, transpose(A)), False, False),
        (infix("*", number(-2), tensor("Q", Role.PARAM, (3, 3), "psd")), False, True),
        (infix("*", tensor("g", Role.PARAM, ()), tensor("Q", Role.PARAM, (3, 3), "psd")), False, False),
        (transpose(product(transpose(A), A)), True, False),
    ],
)
def test_definiteness_is_proved_from_structure(expr: Expr, psd: bool, nsd: bool) -> None:
    assert (is_psd(expr), is_nsd(expr)) == (psd, nsd)


def test_symmetry_of_a_sum_with_its_transpose() -> None:
    assert is_symmetric(infix("+", A, transpose(A)))
    assert not is_symmetric(infix("+", A, A))


def test_shared_parts_are_looked_at_once() -> None:
    """Two hundred doublings, 2²⁰⁰ paths: a `let` chain that a stranger's file can write."""
    left, right = A, tensor("B", Role.DATA, (3, 3), "psd")
    for _ in range(150):
        left, right = infix("+", left, left), infix("+", right, right)
    assert is_psd(right) and not is_psd(left)
    chain = A
    for _ in range(150):
        chain = product(chain, chain)
    assert not is_psd(chain)
