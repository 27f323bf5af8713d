"""The rows of the benchmark are well made: their programs check, take their tensors, and have every peer's form."""

from __future__ import annotations

import pytest

pytest.importorskip("cvxpy")

import dpplang
from benchmarks.row import NAMES, agrees, fastest
from benchmarks.works import WORKS


@pytest.mark.slow
@pytest.mark.parametrize("name", WORKS)
def test_works(name: str) -> None:
    work = WORKS[name]()
    assert work.name == name in NAMES
    problem = dpplang.parse(work.text)
    tensors = work.draw()
    assert len(problem.parameters) == len(tensors) and set(problem.data) == set(work.data)
    shapes = dict(zip(problem.parameters, (t.shape for t in tensors), strict=True))
    problem.sizes(shapes | {k: v.shape for k, v in work.data.items()})
    for twin in work.twins:
        problem_, parameters, variables = twin.build()
        assert len(parameters) == len(twin.convert(tensors)) and variables[0] in problem_.variables()


def test_the_fastest_peer_is_one_that_agrees() -> None:
    wrong = {"forward": 1.0, "backward": 1.0, "answer": 0.5, "gradient": 0.0}
    right = {"forward": 3.0, "backward": 1.0, "answer": 1e-6, "gradient": 1e-4}
    ours = {"forward": 0.1, "backward": 0.1}
    row = {"layers": {"dpplang": ours, "a": wrong, "b": right, "c": right | {"forward": 2.0}, "d": {"failed": "no"}}}
    assert fastest(row) == "c"
    assert not agrees(wrong) and not agrees({"failed": "no"})
