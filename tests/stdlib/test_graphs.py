"""The graph of every record, lowered and solved: its optimal value is ``value:``, and so is its gradient.

Everything is generated from the record. Arguments are drawn by the sampler of its proof, over all regions of signs and at
whole numbers, where functions have their corners and domains their boundaries.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dpplang
from dpplang.asa.evaluate_vjp import evaluate_vjp
from dpplang.core.errors import SolveError
from dpplang.lowering.numeric import to_numeric
from dpplang.semantics.tree import Atom
from dpplang.torch import Layer
from tests.stdlib.build import LIBRARY
from tests.stdlib.programs import Fixed, fixed, points
from tests.stdlib.values import sizes_of, value_of

RECORDS = [
    pytest.param(atom, id=f"{name}-{position}", marks=[pytest.mark.slow] if name == "quantum_rel_entr" else [])
    for name in LIBRARY.functions()
    for position, atom in enumerate(LIBRARY.lookup(name))
    if atom.graph is not None
]
APPROXIMATE = {"quantum_rel_entr": 1e-3}
"""Atoms whose graph is an approximation of their value, and how good it is here."""
LARGE = 1e4
"""Values beyond this are at the edge of the domain, where no solver's tolerance reaches."""


def bound(atom: Atom, program: Fixed, found: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Values of the program's parameters, a batch of all points."""
    names = {
        f.symbol.name: f.symbol.name if f.mode else f"p_{f.symbol.name}" for f in atom.formals if f.mode != "const"
    }
    return {ours: np.stack([point[name] for point in found]) for name, ours in names.items()}


@pytest.mark.parametrize("atom", RECORDS)
def test_optimal_value_of_the_graph_is_the_value(atom: Atom) -> None:
    for whole in (False, True):
        found = [p for p in points(atom, 9, whole=whole) if abs(np.sum(value_of(atom, list(p.values())))) < LARGE]
        if not found:
            continue
        program = fixed(atom, found[0])
        values = bound(atom, program, found)
        solved = program.problem.solve(values, data=program.data).value if values else np.full(len(found), np.nan)
        wanted = [np.sum(value_of(atom, list(point.values()))) for point in found]
        tolerance = APPROXIMATE.get(atom.name, 2e-5)
        np.testing.assert_allclose(solved, wanted, rtol=tolerance, atol=tolerance, err_msg=str(found))


@pytest.mark.parametrize("atom", RECORDS)
def test_gradient_of_the_solved_graph_is_that_of_the_value(atom: Atom) -> None:
    found = points(atom, 6, whole=False)
    program = fixed(atom, found[0])
    values = {name: torch.tensor(v, requires_grad=True) for name, v in bound(atom, program, found).items()}
    layer = Layer(program.problem, data=program.data)
    layer(**values).value.sum().backward()
    assert atom.value is not None
    tolerance = 20 * APPROXIMATE.get(atom.name, 5e-5)
    for position, point in enumerate(found):
        numeric = to_numeric(atom.value, sizes_of(atom, list(point.values())))
        slopes = evaluate_vjp(numeric, point, np.ones(numeric.shape))
        for formal in atom.formals:
            if formal.mode == "const":
                continue
            name = formal.symbol.name
            grad = values[name if formal.mode else f"p_{name}"].grad
            have = np.zeros(point[name].shape) if grad is None else grad[position].numpy()
            want = slopes.get(name, np.zeros(point[name].shape))
            if formal.symbol.has("symmetric"):  # only the upper triangle was bound
                want = np.triu(want + want.T) - np.diag(np.diag(want))
            elif any(f"{name} == {name}'" in r.span.text for r in atom.domain):
                have, want = have + have.T, want + want.T  # in directions that stay symmetric
            np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance, err_msg=f"{name} at {point}")


OUTSIDE = {
    "sqrt": "-1", "inv_pos": "-1", "log": "-1", "log1p": "-2", "entr": "-1", "xexp": "-1", "loggamma": "-1",
    "rel_entr": "-1, 1", "kl_div": "1, -1", "geo_mean": "[1, -1]", "harmonic_mean": "[1, -1]", "inv_prod": "[1, -1]",
    "quad_over_lin": "[1, 1], -1", "matrix_frac": "[1, 1], [[1, 0], [0, -1]]", "tr_inv": "[[1, 0], [0, -1]]",
    "log_det": "[[1, 0], [0, -1]]", "von_neumann_entr": "[[1, 0], [0, -1]]",
    "quantum_rel_entr": "[[1, 0], [0, 1]], [[1, 0], [0, -1]]",
}  # fmt: skip
"""Arguments outside the domain of every atom that has one (``power`` and ``pnorm`` below)."""


def outside(name: str, arguments: str) -> None:
    """A variable fixed to arguments outside the domain makes the problem infeasible."""
    atom = LIBRARY.lookup(name)[-1]
    sense = "minimize" if atom.curvature.is_convex else "maximize"
    fixings = []
    for position, argument in enumerate(eval(f"[{arguments}]")):
        shape = "".join(f"[{', '.join(map(str, s))}]" for s in [np.shape(argument)] if s)
        fixings.append((f"var x{position}{shape}", f"  x{position} == {argument}"))
    call = f"{name}({', '.join(f'x{i}' for i in range(len(fixings)))})"
    text = "\n".join([*(d for d, _ in fixings), f"{sense} {call}", "subject to", *(r for _, r in fixings)])
    with pytest.raises(SolveError, match="infeasible"):
        dpplang.parse(text).solve()


@pytest.mark.parametrize("name", OUTSIDE)
def test_the_graph_implies_the_domain(name: str) -> None:
    outside(name, OUTSIDE[name])


def test_every_atom_with_a_domain_is_tried_outside_of_it() -> None:
    restricted = {n for n in LIBRARY.functions() if all(a.domain for a in LIBRARY.lookup(n)[-1:])}
    symmetric = {n for n in restricted if n.startswith("lambda")}
    assert restricted - symmetric - {"power", "pnorm"} == set(OUTSIDE)
