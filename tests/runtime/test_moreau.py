"""The optional solver Moreau, called directly, against the others; skipped loudly where it is not installed."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from dpplang.asa.cones import Cones
from dpplang.core.errors import BindError
from dpplang.runtime import options as module
from dpplang.runtime.engine import Engine
from dpplang.runtime.options import Options
from dpplang.runtime.status import Status
from tests.runtime.programs import CONES, build, random_program

installed = importlib.util.find_spec("moreau") is not None
needs = pytest.mark.skipif(not installed, reason="moreau is not installed: pip install dpplang[moreau]")


@needs
@pytest.mark.parametrize("quadratic", [True, False], ids=["quadratic", "linear"])
@pytest.mark.parametrize("name", CONES)
def test_it_agrees_on_every_cone(name: str, quadratic: bool) -> None:
    program, theta = random_program(CONES[name], quadratic=quadratic, seed=1)
    engines = [Engine(program, Options(solver=solver, refine=3)) for solver in ("moreau", "clarabel")]
    ours, reference = (engine.solve(theta) for engine in engines)
    assert ours.status[0] is Status.SOLVED
    for part in ("x", "y", "s", "value"):
        expected = getattr(reference, part)
        np.testing.assert_allclose(getattr(ours, part), expected, atol=1e-6 * (1 + np.abs(expected).max()))
    dx, wanted = np.random.default_rng(0).normal(size=ours.x.shape), [True] * len(theta)
    pairs = zip(
        *(e.adjoint(s, dx, None, None, wanted) for e, s in zip(engines, (ours, reference), strict=True)), strict=True
    )
    for left, right in pairs:
        assert left is not None and right is not None
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-5 * (1 + np.abs(right).max()))


@needs
def test_what_has_no_solution_and_limits_are_statuses() -> None:
    infeasible = build(np.eye(1), np.zeros(1), np.array([[1.0], [-1.0]]), np.array([0.0, -1.0]), Cones(nonneg=2))
    unbounded = build(np.zeros((1, 1)), np.array([-1.0]), np.array([[-1.0]]), np.zeros(1), Cones(nonneg=1))
    for program, status in ((infeasible, Status.INFEASIBLE), (unbounded, Status.UNBOUNDED)):
        assert Engine(program, Options(solver="moreau")).solve(()).status[0] is status
    program, theta = random_program(CONES["soc"])
    short = Options(solver="moreau", max_iterations=1, accept_inaccurate=0, refine=0)
    assert Engine(program, short).solve(theta).status[0] is Status.ITERATION_LIMIT


def test_without_it_the_option_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(BindError, match=r"`moreau`, which is not installed") as caught:
        Options.of(solver="moreau")
    assert "pip install dpplang[moreau]" in caught.value.diagnostics[0].help[0]
