"""The NumPy face: values by name, gradients through derived parameters, failures, saved programs."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from dpplang.core.errors import BindError, DppError, SolveError
from dpplang.runtime.runner import Runner
from dpplang.runtime.status import Status
from tests.bind.programs import box, interval, least

RNG = np.random.default_rng(3)
G = np.array([1.0, -2.0, 3.0])


def _box_by_hand(g, z, lower):
    """x and the dual of the box program."""
    w = np.exp(z)
    x = np.maximum(g * w, lower / w)
    return x, (x - g * w) / w


def test_values_by_attribute_item_and_order():
    sol = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    x, dual = _box_by_hand(G, 0.3, 0.5)
    np.testing.assert_allclose(sol.x, x, atol=1e-7)
    np.testing.assert_allclose(sol["x"], x, atol=1e-7)
    np.testing.assert_allclose(sol.dual.floor, dual, atol=1e-7)
    np.testing.assert_allclose(sol.dual["floor"], sol["dual.floor"])
    first, second = sol
    assert first is sol.x and second is sol["dual.floor"]
    assert sol.names == ("x", "dual.floor") and len(sol) == 2
    assert sol.status is Status.SOLVED
    np.testing.assert_allclose(sol.value, 0.5 * x @ x - (G * np.exp(0.3)) @ x, atol=1e-7)
    assert isinstance(sol.value, float)
    assert repr(sol).startswith("Solution(solved, value ") and "x [3], dual.floor [3]" in repr(sol)


def test_outputs_with_coefficients_from_parameters():
    values = {"Q": [[2.0, 0.5], [0.5, 1.0]], "c": [1.0, -3.0], "lo": 0.25, "t": 4.0}
    sol = Runner(least()).solve(values)
    np.testing.assert_allclose(sol.out0, 2 * sol.x[0] + 4 * sol.x[1] + 1, atol=1e-9)
    np.testing.assert_allclose(sol["value"], sol.value)


def test_a_batch_keeps_its_dims():
    g, z = RNG.standard_normal((4, 1, 3)), RNG.standard_normal(5) / 3
    sol = Runner(box()).solve(g=g, z=z, lower=0.1)
    x, dual = _box_by_hand(g, z[:, None], 0.1)
    assert sol.x.shape == (4, 5, 3) and sol.value.shape == sol.status.shape == (4, 5)
    np.testing.assert_allclose(sol.x, x, atol=1e-6)
    np.testing.assert_allclose(sol.dual.floor, dual, atol=1e-6)
    assert "batch [4, 5]: 20 solved" in repr(sol)


def test_an_empty_batch_and_its_gradient():
    sol = Runner(box()).solve(g=np.ones((0, 3)), z=0.0, lower=0.0)
    assert sol.x.shape == (0, 3) and sol.value.shape == (0,)
    grads = sol.backward({"x": np.ones((0, 3))})
    assert grads["g"].shape == (0, 3) and grads["z"] == 0.0
    assert "none" in repr(sol)


def _difference(runner, values, weights, name, step=1e-5):
    direction = RNG.standard_normal(np.shape(values[name]))
    if name == "Q":
        direction = direction + np.swapaxes(direction, -1, -2)

    def readout(t):
        sol = runner.solve({**values, name: values[name] + t * direction})
        return sum((w * sol[k]).sum() for k, w in weights.items())

    return direction, (readout(step) - readout(-step)) / (2 * step)


BATCHED = {
    "box": (
        box,
        {"g": RNG.standard_normal((4, 1, 3)), "z": RNG.standard_normal(5) / 3, "lower": np.asarray(0.1)},
        {"x": (4, 5, 3), "dual.floor": (4, 5, 3), "value": (4, 5)},
    ),
    "least": (
        least,
        {
            "Q": np.array([[2.0, 0.5], [0.5, 1.0]]),
            "c": RNG.standard_normal((3, 2)),
            "lo": np.asarray(-0.2),
            "t": np.array([[1.0], [2.0]]),
        },
        {"out0": (2, 3), "value": (2, 3), "x": (2, 3, 2), "dual.low": (2, 3, 2)},
    ),
}


@pytest.mark.parametrize("case", BATCHED)
def test_gradients_are_central_differences(case):
    program, values, shapes = BATCHED[case]
    runner = Runner(program())
    weights = {name: RNG.standard_normal(shape) for name, shape in shapes.items()}
    grads = runner.solve(values).backward(weights)
    assert set(grads) == set(values)
    for name in values:
        assert grads[name].shape == values[name].shape
        direction, expected = _difference(runner, values, weights, name)
        np.testing.assert_allclose((grads[name] * direction).sum(), expected, rtol=1e-4, atol=1e-5)


def test_only_wanted_gradients_and_symmetric_ones():
    program, values, shapes = BATCHED["least"]
    sol = Runner(program()).solve(values)
    weights = {"x": RNG.standard_normal(shapes["x"])}
    full, part = sol.backward(weights), sol.backward(weights, wanted=("Q",))
    assert set(part) == {"Q"}
    np.testing.assert_allclose(part["Q"], full["Q"])
    np.testing.assert_allclose(full["Q"], full["Q"].T)


def test_a_tiny_upstream_gradient_is_not_lost():
    sol = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    small, large = sol.backward({"x": 1e-12 * G}), sol.backward({"x": G})
    np.testing.assert_allclose(small["z"] * 1e12, large["z"], rtol=1e-9)


def _second(values):
    """The solution of a program whose output has a parameter in its coefficients, and upstream gradients for it."""
    solution = Runner(least()).solve(values, on_failure="nan")
    return solution, {"out0": np.ones(2), "dual.low": np.array([[0.3, -0.2]] * 2), "value": np.array([0.5, 0.5])}


def test_second_derivatives_are_differences_of_the_first():
    """Both modes along a direction, one element of the batch unbounded; and the Hessian is symmetric."""
    values = {"Q": np.array([np.diag([2.0, 3.0]), np.zeros((2, 2))]), "c": np.array([0.5, -1.0]), "lo": 0.1, "t": 1.5}
    first = {
        "c": np.array([0.3, 0.7]),
        "t": np.array(0.4),
        "Q": np.array([np.ones((2, 2)), np.zeros((2, 2))]),
        "lo": np.array(0.1),
    }
    other = {"c": np.array([-0.2, 0.5]), "t": np.array(-0.6), "Q": np.eye(2)}
    solution, upstream = _second(values)
    assert solution.status[1] is Status.UNBOUNDED
    found = solution.backward(upstream, along=first)
    moved = solution.tangent(other, along=first)
    step = 1e-5
    ahead, behind = (_second({k: v + e * first[k] for k, v in values.items()})[0] for e in (step, -step))
    gradients = [s.backward(upstream) for s in (ahead, behind)]
    for name in values:
        np.testing.assert_allclose(found[name], (gradients[0][name] - gradients[1][name]) / (2 * step), atol=1e-6)
    tangents = [s.tangent(other) for s in (ahead, behind)]
    total = 0.0
    for name, weight in upstream.items():
        np.testing.assert_allclose(moved[name], (tangents[0][name] - tangents[1][name]) / (2 * step), atol=1e-6)
        total += np.sum(weight * moved[name])
    assert abs(total) > 0.1
    assert total == pytest.approx(sum(np.sum(found[k] * other[k]) for k in other), abs=1e-10)


def test_second_derivatives_do_not_move_derived_parameters():
    solution = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    with pytest.raises(DppError, match="respect to `z` goes through the derived parameter `w`"):
        solution.backward({"x": np.ones(3)}, along={"z": 1.0})
    assert solution.backward({"x": np.ones(3)}, along={"lower": 1.0})["z"] == pytest.approx(-1 / np.exp(0.3))


def test_bad_calls_of_backward():
    sol = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    with pytest.raises(BindError, match="the solution has no `y`"):
        sol.backward({"y": G})
    with pytest.raises(BindError, match=r"`x` has shape \[2\], and `x` \[3\]"):
        sol.backward({"x": np.ones(2)})
    with pytest.raises(BindError, match="there is no parameter `lowr`"):
        sol.backward({"x": G}, wanted=("lowr",))


def test_an_output_that_is_not_there():
    sol = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    with pytest.raises(AttributeError, match=r"the solution has no `dual.flor`; did you mean `dual.floor`\?"):
        _ = sol.dual.flor
    with pytest.raises(BindError, match="BND720"):
        _ = sol["w"]
    assert not hasattr(sol, "_repr_html_")


def test_a_value_changed_after_the_solve_does_not_change_the_gradient():
    g = G.copy()
    sol = Runner(box()).solve(g=g, z=0.3, lower=0.5)
    g[:] = 1e6
    again = Runner(box()).solve(g=G, z=0.3, lower=0.5)
    np.testing.assert_allclose(sol.backward({"x": G})["z"], again.backward({"x": G})["z"])


def test_a_failed_element_raises_with_its_index_and_the_constraints_at_fault():
    with pytest.raises(SolveError) as error:
        Runner(interval()).solve(lo=np.array([[0.0, 5.0], [1.0, 1.0]]), hi=2.0)
    assert error.value.indices == ((0, 1),)
    assert error.value.statuses == ("infeasible",)
    text = str(error.value)
    assert "1 of 4 problems" in text and "(0, 1)" in text and "low" in text and "high" in text
    with pytest.raises(SolveError) as error:
        Runner(interval()).solve(lo=3.0, hi=2.0)
    assert error.value.indices == ((),)


def test_a_failed_element_becomes_nan_and_leaves_the_others():
    lo = np.array([0.0, 5.0, 1.0])
    sol = Runner(interval()).solve(lo=lo, hi=2.0, on_failure="nan")
    np.testing.assert_allclose(sol.x, [0.0, np.nan, 1.0], atol=1e-7)
    assert list(sol.status) == [Status.SOLVED, Status.INFEASIBLE, Status.SOLVED]
    assert np.isnan(sol.value[1]) and np.isnan(sol.dual.low[1])
    grads = sol.backward({"x": np.array([1.0, np.nan, 1.0])})
    np.testing.assert_allclose(grads["lo"], [1.0, 0.0, 1.0], atol=1e-6)
    np.testing.assert_allclose(grads["hi"], 0.0, atol=1e-6)


def test_a_wrong_word_for_on_failure():
    with pytest.raises(BindError, match="did you mean `raise`"):
        Runner(interval()).solve(lo=0.0, hi=1.0, on_failure="rais")


ALONE = """
import sys
import numpy as np
from dpplang.runtime.runner import Runner

sol = Runner.load(sys.argv[1]).solve(g=np.array([1.0, -2.0, 3.0]), z=0.3, lower=0.5)
sol.backward({"x": np.ones(3)})
print(float(sol.value))
loaded = [m for m in sys.modules if m == "torch" or m.startswith(
    ("torch.", "dpplang.syntax", "dpplang.semantics", "dpplang.lowering", "dpplang.pipeline", "dpplang.torch", "lark"))]
assert not loaded, loaded
"""


def test_a_saved_program_runs_without_the_front_end(tmp_path):
    runner = Runner(box())
    runner.save(tmp_path / "box.npz")
    done = subprocess.run(
        [sys.executable, "-c", ALONE, str(tmp_path / "box.npz")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(float(done.stdout), runner.solve(g=G, z=0.3, lower=0.5).value, rtol=1e-9)
