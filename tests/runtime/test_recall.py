"""Solutions found again by content: never another's, whatever is forgotten and whoever asks at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from dpplang.core.errors import SolveError
from dpplang.runtime.recall import Recall
from dpplang.runtime.runner import Runner
from tests.bind.programs import box, interval

G = np.array([1.0, -2.0, 3.0])


class _Counted:
    def __init__(self, source, names) -> None:
        self.count, self._runner, self._names = 0, Runner(source), names

    def __call__(self, values):
        self.count += 1
        return self._runner.solve(dict(zip(self._names, values, strict=True)))


@pytest.fixture
def solve() -> _Counted:
    return _Counted(box(), ("g", "z", "lower"))


def at(recall, g, z=0.2, lower=0.1, **how):
    with recall.at((np.asarray(g), np.asarray(z), np.asarray(lower)), **how) as solution:
        return solution


def test_the_same_bits_are_solved_once(solve):
    recall = Recall(solve)
    first = at(recall, G)
    assert at(recall, G.copy()) is first and solve.count == 1
    assert at(recall, G[::-1][::-1]) is first  # layout is not content


@pytest.mark.parametrize("other", [G[[1, 0, 2]], np.nextafter(G, 9.0), np.float32(G), G[None]], ids=str)
def test_anything_else_is_another_solution(solve, other):
    recall = Recall(solve)
    assert at(recall, other) is not at(recall, G) and solve.count == 2


def test_negative_zero_is_not_zero(solve):
    recall = Recall(solve)
    assert at(recall, [0.0, 1.0, 2.0]) is not at(recall, [-0.0, 1.0, 2.0])


def test_values_are_its_own(solve):
    recall, g = Recall(solve), G.copy()
    first = at(recall, g)
    g[:] = 7.0
    assert at(recall, G) is first and at(recall, g) is not first


def test_the_oldest_are_forgotten_first_and_solved_again(solve):
    weight = Runner(box()).solve(g=G, z=0.2, lower=0.1).weight
    recall = Recall(solve, limit=2 * weight)
    for k in (1.0, 2.0, 1.0, 3.0):  # 1 is used again, so 2 is the oldest
        at(recall, k * G)
    assert len(recall) == 2 and solve.count == 3
    at(recall, 1.0 * G)
    assert solve.count == 3
    np.testing.assert_array_equal(at(recall, 2.0 * G).x, Runner(box()).solve(g=2 * G, z=0.2, lower=0.1).x)
    assert solve.count == 4
    small = Recall(solve, limit=0)
    at(small, G)
    assert len(small) == 1  # the newest always stays: its derivative is about to be asked for


def test_of_what_was_differentiated_the_latest_is_kept(solve):
    """Ten solves and their derivatives in the opposite order, as through a loop: one solve each, and nothing piles up."""
    recall = Recall(solve)
    for k in range(10):
        at(recall, G + k)
    assert len(recall) == 10
    for k in reversed(range(10)):
        for _ in range(2):
            at(recall, G + k, differentiate=True)
        assert len(recall) == k + 1
    assert solve.count == 10
    at(recall, G + 1, differentiate=True)
    assert len(recall) == 1 and solve.count == 11


def test_what_failed_is_not_kept():
    solve = _Counted(interval(), ("lo", "hi"))
    recall = Recall(solve)
    for count in (1, 2):
        with pytest.raises(SolveError), recall.at((np.array(2.0), np.array(1.0))):
            pass
        assert len(recall) == 0 and solve.count == count


def test_threads_wait_for_one_solve_and_get_their_own(solve):
    recall = Recall(solve)
    points = [G * k for k in (1.0, 2.0, 3.0, 4.0)] * 8
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda g: at(recall, g), points))
    assert solve.count == 4
    for g, solution in zip(points, found, strict=True):
        np.testing.assert_allclose(solution.x, np.maximum(g * np.exp(0.2), 0.1 * np.exp(-0.2)), atol=1e-9)
