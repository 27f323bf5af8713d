"""Sign, curvature and DPP of every atom against CVXPY's, over arguments of every sign, curvature and parameter dependence."""

from __future__ import annotations

from itertools import product

import cvxpy as cp
import numpy as np
import pytest
from cvxpy.utilities import scopes

from dpplang.lattice.curvature import Curvature
from dpplang.lattice.sign import Sign
from dpplang.semantics.build import literal
from dpplang.semantics.tree import Expr, Role
from tests.stdlib.build import LIBRARY, SPAN, attempt, call, infix, number, tensor
from tests.stdlib.twins import BY_LABEL, Twin

CURVATURES = ("constant", "affine", "convex", "concave", "unknown")
SIGNS = ("nonneg", "nonpos", "unknown")


def pair(name: str, shape: tuple[int, ...], curvature: str, sign: str) -> tuple[Expr, cp.Expression]:
    """One argument for us and for CVXPY, both of this curvature and this sign."""
    attributes = [] if sign == "unknown" else [sign]
    role = Role.DATA if curvature == "constant" else Role.VAR
    ours, theirs = tensor(name, role, shape, *attributes), cp.Variable(shape, **dict.fromkeys(attributes, True))
    match curvature, sign:
        case "constant", _:
            value = {"nonneg": 1.0, "nonpos": -1.0, "unknown": 1.0}[sign]
            entries = np.full(shape, value)
            if sign == "unknown" and entries.size:
                entries = np.where(np.arange(entries.size).reshape(shape) % 2 == 0, 1.0, -1.0)
            return ours, cp.Constant(entries)
        case "affine", _:
            return ours, theirs
        case ("convex", "nonneg") | ("concave", "nonpos"):
            body = call("square", ours), cp.square(theirs)
            return body if sign == "nonneg" else (infix("*", number(-1), body[0]), -1 * body[1])
        case ("concave", "nonneg") | ("convex", "nonpos"):
            body = call("sqrt", ours), cp.sqrt(theirs)
            return body if sign == "nonneg" else (infix("*", number(-1), body[0]), -1 * body[1])
        case "convex", _:
            return infix("-", call("exp", ours), number(1)), cp.exp(theirs) - 1
        case "concave", _:
            return call("log", ours), cp.log(theirs)
        case _:
            left, right = call("sqrt", ours), call("square", ours)
            body = infix("+", left, right) if sign == "nonneg" else infix("-", left, right)
            them = cp.sqrt(theirs) + cp.square(theirs) if sign == "nonneg" else cp.sqrt(theirs) - cp.square(theirs)
            if sign == "nonpos":
                body, them = (
                    infix("-", infix("*", number(-1), left), right),
                    -1 * cp.sqrt(theirs) - cp.square(theirs),
                )
            return body, them


def constants(twin: Twin) -> list[Expr]:
    found: list[Expr] = []
    for value in twin.constants:
        if isinstance(value, np.ndarray):
            nested = tuple(map(tuple, value.tolist())) if value.ndim == 2 else tuple(value.tolist())
            shape = tensor("shape", Role.DATA, value.shape).shape
            found.append(literal(nested, shape, SPAN))
        else:
            found.append(number(value))
    return found


def curvature_of(expression: cp.Expression) -> Curvature:
    if expression.is_constant():
        return Curvature.CONSTANT
    if expression.is_affine():
        return Curvature.AFFINE
    if expression.is_convex():
        return Curvature.CONVEX
    return Curvature.CONCAVE if expression.is_concave() else Curvature.UNKNOWN


def sign_of(expression: cp.Expression) -> Sign:
    if expression.is_zero():
        return Sign.ZERO
    return Sign.NONNEG if expression.is_nonneg() else Sign.NONPOS if expression.is_nonpos() else Sign.UNKNOWN


def combinations(twin: Twin) -> list[tuple[tuple[str, str], ...]]:
    one = list(product(CURVATURES, SIGNS))
    if len(twin.shapes) == 1:
        return [(c,) for c in one]
    if len(twin.shapes) == 2:
        return list(product(one, one))
    few = [("affine", "unknown"), ("convex", "nonneg"), ("concave", "nonpos"), ("constant", "nonneg")]
    return list(product(*(few for _ in twin.shapes)))


STRONGER = {
    "scalene": "CVXPY takes it apart into pos and neg, which are not known to be increasing in a nonnegative argument",
    "xexp": "CVXPY asks for an argument that is known to be nonnegative; ours implies it, as sqrt does",
}
"""Atoms of which ours knows more than CVXPY's, and why; what is proved of them is proved (test_contracts)."""


OUTSIDE = {"loggamma": Sign.NONNEG, "xexp": Sign.NONPOS}
"""Signs that CVXPY finds at x ≤ 0, where the function is not defined."""


def agrees(twin: Twin, ours: Curvature | Sign, theirs: Curvature | Sign) -> bool:
    if twin.name in OUTSIDE and theirs is OUTSIDE[twin.name]:
        return True
    unknown = theirs in (Curvature.UNKNOWN, Sign.UNKNOWN)
    return ours is theirs or (unknown and twin.name in STRONGER)


@pytest.mark.parametrize("label", BY_LABEL)
def test_sign_and_curvature_are_cvxpys(label: str) -> None:
    twin = BY_LABEL[label]
    for combination in combinations(twin):
        pairs = [
            pair(f"x{i}", shape, curvature, sign)
            for i, (shape, (curvature, sign)) in enumerate(zip(twin.shapes, combination, strict=True))
        ]
        ours = call(twin.name, *(o for o, _ in pairs), *constants(twin))
        theirs = twin.cvxpy(*(t for _, t in pairs))
        if theirs.is_constant() and all(c == "constant" for c, _ in combination):
            assert ours.facts.curvature is Curvature.CONSTANT, combination
            continue  # CVXPY's sign of a constant is that of its value
        assert agrees(twin, ours.facts.curvature, curvature_of(theirs)), combination
        if "constant" not in dict(combination):
            assert agrees(twin, ours.facts.sign, sign_of(theirs)), combination
        assert tuple(int(str(s)) for s in ours.shape) == theirs.shape


PARAMETRIC = ("variable", "parameter", "both", "scaled", "product")


def parametric(name: str, shape: tuple[int, ...], kind: str) -> tuple[Expr, cp.Expression]:
    """An argument that depends on parameters in one of five ways."""
    x, p = tensor(f"{name}_x", Role.VAR, shape), tensor(f"{name}_p", Role.PARAM, shape)
    q = tensor(f"{name}_q", Role.PARAM, ())
    cx, cp_, cq = cp.Variable(shape), cp.Parameter(shape), cp.Parameter()
    match kind:
        case "variable":
            return x, cx
        case "parameter":
            return p, cp_
        case "both":
            return infix("-", x, p), cx - cp_
        case "scaled":
            return infix("*", q, x), cq * cx
        case _:
            return infix("*", q, infix("*", p, x)), cq * cp.multiply(cp_, cx)


def is_extension(twin: Twin, kinds: tuple[str, ...]) -> bool:
    """``quad_over_lin`` with a parameter below (docs/language.md §4): CVXPY refuses it."""
    return twin.name == "quad_over_lin" and len(kinds) == 2 and kinds[1] in ("parameter", "both", "scaled")


@pytest.mark.parametrize("label", BY_LABEL)
def test_dpp_is_cvxpys(label: str) -> None:
    twin = BY_LABEL[label]
    kinds = list(product(PARAMETRIC, repeat=len(twin.shapes)))
    for combination in kinds:
        if is_extension(twin, combination):
            continue
        pairs = [parametric(f"x{i}", s, k) for i, (s, k) in enumerate(zip(twin.shapes, combination, strict=True))]
        ours = call(twin.name, *(o for o, _ in pairs), *constants(twin))
        theirs = twin.cvxpy(*(t for _, t in pairs))
        with scopes.dpp_scope():
            wanted = curvature_of(theirs)
        assert agrees(twin, ours.facts.dpp, wanted), combination
        assert agrees(twin, ours.facts.curvature, curvature_of(theirs)), combination


def test_a_parameter_may_stand_below_quad_over_lin() -> None:
    expr = call("quad_over_lin", tensor("x", Role.VAR, (3,)), tensor("p", Role.PARAM, (), "pos"))
    assert expr.facts.dpp is Curvature.CONVEX


def test_huber_takes_a_parameter_but_no_product_of_parameters() -> None:
    x = tensor("x", Role.VAR, (3,))
    p, q = tensor("p", Role.PARAM, (), "nonneg"), tensor("q", Role.PARAM, (), "nonneg")
    assert call("huber", x, M=p).facts.dpp is Curvature.CONVEX
    assert attempt("huber", x, M=infix("*", p, q)).diagnostics[0].code == "ATM405"
    assert attempt("huber", x, M=tensor("z", Role.VAR, (), "nonneg")).diagnostics[0].code == "ATM405"
    assert attempt("huber", x, M=tensor("r", Role.PARAM, ())).diagnostics[0].code == "ATM406"


def test_every_atom_has_a_twin() -> None:
    assert {twin.name for twin in BY_LABEL.values()} == set(LIBRARY.functions())
