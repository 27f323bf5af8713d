"""The ``value:`` of every record: its own ``test`` lines, and CVXPY's value over every region of signs."""

from __future__ import annotations

from itertools import pairwise

import cvxpy as cp
import numpy as np
import pytest

from dpplang.asa.evaluate import evaluate
from dpplang.lowering.numeric import to_numeric
from dpplang.semantics.infer import Inference
from dpplang.semantics.report import Report
from dpplang.semantics.scope import FileScope, Scope
from dpplang.semantics.tree import Atom, AtomCall, Expr, Role
from dpplang.semantics.walk import State
from dpplang.syntax import ast
from tests.stdlib.build import LIBRARY, apply, call, number, tensor
from tests.stdlib.test_facts_against_cvxpy import constants
from tests.stdlib.twins import BY_LABEL, Twin
from tests.stdlib.values import value_at

TESTS = [
    pytest.param(atom, relation, id=relation.span.text)
    for name in LIBRARY.functions()
    for atom, item in zip(LIBRARY.lookup(name), LIBRARY.items(name), strict=True)
    for relation in item.tests
]


def typed(node: ast.Expr) -> Expr:
    report = Report()
    expr = Inference(report, State()).infer(node, Scope(FileScope(LIBRARY), numeric=True))
    assert expr is not None, report.diagnostics
    return expr


def constant(expr: Expr) -> np.ndarray:
    return np.asarray(evaluate(to_numeric(expr, {}), {}, np))


@pytest.mark.parametrize(("atom", "relation"), TESTS)
def test_the_records_own_tests_hold(atom: Atom, relation: ast.Relation) -> None:
    left, right = relation.operands
    assert isinstance(left, ast.Call) and left.function.name == atom.name and relation.ops == ("==",)
    arguments = [typed(a) for a in left.arguments]
    keywords = {k.name.name: typed(k.value) for k in left.keywords}
    wanted = constant(typed(right))
    if len(arguments) > len(atom.formals):  # a variadic call, folded
        have = constant(arguments[0])
        for first, second in pairwise(arguments):
            have = value_at(apply(atom, first, second), [have, constant(second)])
    else:
        got = apply(atom, *arguments, **keywords)
        have = value_at(got, [constant(a) for a in got.args]) if isinstance(got, AtomCall) else constant(got)
    np.testing.assert_allclose(have, wanted, rtol=1e-12, atol=1e-12)


def test_every_record_has_a_doc_and_a_test() -> None:
    for name in LIBRARY.functions():
        items = LIBRARY.items(name)
        assert all(item.doc.strip() for item in items), name
        assert all(item.tests for item in items), name


def draws(twin: Twin, rng: np.random.Generator) -> list[list[np.ndarray]]:
    """Arguments over every region of signs that the domain has, and at its whole numbers."""
    regions = [(0.1, 3.0)] if twin.domain in ("nonneg", "psd", "density") else [(-3.0, 3.0), (-3.0, 0.0), (0.0, 3.0)]
    found: list[list[np.ndarray]] = []
    for low, high in regions:
        for whole in (False, True):
            point = [rng.uniform(low, high, shape) for shape in twin.shapes]
            if whole:
                point = [np.round(a) if low <= 0 else np.maximum(1.0, np.round(a)) for a in point]
            last = len(point) - 1
            found.append(
                [
                    a if twin.domain == "definite" and position != last else _structured(a, twin.domain)
                    for position, a in enumerate(point)
                ]
            )
    return found


def _structured(array: np.ndarray, domain: str) -> np.ndarray:
    if domain == "density":
        definite = array @ array.T + np.eye(len(array))
        return definite / np.trace(definite)
    if domain in ("psd", "definite"):
        return array @ array.T + np.eye(len(array))
    return (array + array.T) / 2 if domain == "symmetric" else array


@pytest.mark.parametrize("label", BY_LABEL)
def test_value_is_cvxpys(label: str) -> None:
    twin = BY_LABEL[label]
    rng = np.random.default_rng(len(label))
    symbols = [tensor(f"x{i}", Role.VAR, shape) for i, shape in enumerate(twin.shapes)]
    for point in draws(twin, rng):
        wanted = twin.cvxpy(*(cp.Constant(a) for a in point)).value
        if len(point) > 2:
            have = point[0]
            for other in point[1:]:
                pair = call(twin.name, tensor("a", Role.VAR, have.shape), tensor("b", Role.VAR, other.shape))
                assert isinstance(pair, AtomCall)
                have = value_at(pair, [have, other])
        else:
            expr = call(twin.name, *symbols, *constants(twin))
            if not isinstance(expr, AtomCall):
                assert twin.name == "power" and twin.constants[0] in (0, 1)
                continue
            have = value_at(expr, [*point, *(constant(a) for a in expr.args[len(point) :])])
        np.testing.assert_allclose(have, wanted, rtol=1e-9, atol=1e-9, err_msg=str(point))


@pytest.mark.parametrize("name", ["max", "min", "norm1", "norm2", "norm_inf", "sum_squares", "log_sum_exp"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_reductions_along_an_axis(name: str, axis: int) -> None:
    atom = {"norm2": lambda x, axis: cp.norm(x, 2, axis=axis)}.get(name) or getattr(cp, name)
    matrix = np.arange(6.0).reshape(2, 3) - 2.5
    wanted = (matrix**2).sum(axis=axis) if name == "sum_squares" else atom(cp.Constant(matrix), axis=axis % 2).value
    expr = call(name, tensor("X", Role.VAR, (2, 3)), axis=number(axis))
    assert isinstance(expr, AtomCall)
    np.testing.assert_allclose(value_at(expr, [matrix]), wanted, rtol=1e-12)
    assert tuple(int(str(s)) for s in expr.shape) == wanted.shape


def test_keepdims_keeps_the_axis() -> None:
    expr = call("max", tensor("X", Role.VAR, (2, 3)), axis=number(1), keepdims=number(1))
    assert [str(s) for s in expr.shape] == ["2", "1"]
    assert [str(s) for s in call("max", tensor("X", Role.VAR, (2, 3)), keepdims=number(1)).shape] == ["1", "1"]
