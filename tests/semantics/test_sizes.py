"""Sizes of dims from shapes of tensors."""

from __future__ import annotations

import pytest

from dpplang.semantics.sizes import solve_sizes
from tests.semantics.helpers import model_of

MODEL = model_of(
    "dim n, T = 12, k\nparam Q[n, n], q[n], w[T + 1, n], g, v[2*k + n], f[3]\nvar x[n]\n"
    "minimize sum_squares(Q @ x) + q @ x + g + sum(w) + sum(v) + sum(f)\n"
)


def solve(shapes: dict[str, tuple[int, ...]], **given: int):
    return solve_sizes(MODEL, shapes, given)


def test_sizes_and_batch() -> None:
    found = solve({"Q": (3, 3), "q": (7, 3), "w": (5, 2, 6, 3), "g": (7,), "v": (7,)})
    assert found.diagnostics == ()
    assert found.sizes == {"n": 3, "T": 5, "k": 2}
    assert found.batch == {"Q": (), "q": (7,), "w": (5, 2), "g": (7,), "v": ()}


def test_default_is_the_last_resort() -> None:
    assert solve({"q": (3,)}, k=1).sizes == {"n": 3, "T": 12, "k": 1}


@pytest.mark.parametrize(
    "shapes, given, code, words",
    [
        ({"Q": (3, 3), "q": (4,)}, {"k": 1}, "BND701", "`n` is 3 from `Q` [3, 3] but 4 from `q` [4]"),
        ({"Q": (3, 4)}, {"k": 1}, "BND701", "`n` is 3 from `Q` [3, 4] but 4 from `Q` [3, 4]"),
        ({"q": (3,)}, {"k": 1, "n": 5}, "BND701", "`n` is 5 as given but 3 from `q` [3]"),
        ({"q": (3,), "v": (9,)}, {"k": 1}, "BND701", "must be 2*k + n = 5"),
        ({"Q": (3,)}, {}, "BND702", "needs 2 axes"),
        ({"q": (3,), "v": (4,)}, {}, "BND703", "no positive `k`"),
        ({"q": (3,), "w": (1, 3)}, {"k": 1}, "BND703", "no positive `T`"),
        ({"q": (0,)}, {"k": 1}, "BND703", "no positive `n`"),
        ({"q": (3,)}, {"k": 0}, "BND703", "positive whole number"),
        ({"q": (3,)}, {}, "BND704", "`k` has no value"),
        ({"qq": (3,)}, {"k": 1}, "BND705", "no tensor `qq`"),
        ({"q": (3,)}, {"k": 1, "m": 2}, "BND705", "no dim `m`"),
        ({"q": (3,), "f": (4,)}, {"k": 1}, "BND706", "must be 3"),
    ],
)
def test_misfits(shapes: dict[str, tuple[int, ...]], given: dict[str, int], code: str, words: str) -> None:
    found = solve(shapes, **given)
    assert [d.code for d in found.diagnostics] == [code]
    assert words in found.diagnostics[0].message
