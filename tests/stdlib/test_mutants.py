"""Mutation tests of the library: whatever is changed in a record's contract, graph or value, its proof or its solution
shows it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import dpplang
from dpplang.core.errors import DiagnosticsError, SolveError
from dpplang.semantics.tree import Atom
from dpplang.syntax import ast
from dpplang.syntax.printer import print_node
from tests.stdlib.build import LIBRARY
from tests.stdlib.mutants import NAME, Mutant, mutants, renamed
from tests.stdlib.programs import points, program_text
from tests.stdlib.values import value_of

RECORDS = [
    pytest.param(name, position, id=f"{name}-{position}")
    for name in LIBRARY.functions()
    for position in range(len(LIBRARY.items(name)))
]

ZERO_LOG = "there x = 0, and 0 log 2 = 0"
NO_MATRIX = "P = 0 is all that is left: a semidefinite matrix with a zero diagonal"
LAST = "sound for every exponent; earlier records take those that are another's"
EQUIVALENT = {
    ("xexp", 0, "graph without sign: x >= 0"): "exp_cone implies it",
    ("entr", 0, "value: 1 to 2"): ZERO_LOG,
    ("rel_entr", 0, "value: 1 to 2"): ZERO_LOG,
    ("kl_div", 0, "value: 1 to 2"): ZERO_LOG,
    ("von_neumann_entr", 0, "value: 1 to 2"): ZERO_LOG,
    ("von_neumann_entr", 1, "value: 1 to 2"): ZERO_LOG,
    ("von_neumann_entr", 0, "graph without order: x[1:n] <= x[0:n-1]"): "majorization alone says it: entropy is Schur-concave",
    ("power", 5, "requires p > 2"): "|x|ᵖ is convex for every such p; test_calls holds which record is chosen",
    ("power", 6, "requires p > 1"): LAST,
    ("power", 7, "requires 0 < p < 1"): LAST,
    ("power", 8, "requires p < 0"): LAST,
    ("mixed_norm", 4, "requires nothing"): LAST,
    ("mixed_norm", 4, "requires q == inf"): LAST,
    ("mixed_norm", 4, "requires p == inf"): LAST,
    **{
        ("quad_form", at, f"monotone {slope} in x where x {sign} 0 and P {have} 0 to {slope} in x where x {sign} 0 and P {turned} 0"): NO_MATRIX
        for at, have, turned, slope, sign in (
            (at, *(("<=", ">=") if at in (1, 4) else (">=", "<=")), slope, sign)
            for at in (0, 1, 3, 4)
            for slope, sign in zip(("increasing", "decreasing"), ("<=", ">=") if at in (1, 4) else (">=", "<="), strict=True)
        )
    },
}  # fmt: skip
"""Mutants that are sound, and why."""
OPEN = {("mixed_norm", 2, "requires 1 <= p < inf"), ("mixed_norm", 3, "requires 1 <= q < inf")}
"""Mutants that are wrong (at p = q = ∞) and that no test line finds yet."""
SLOW = {"quantum_rel_entr"}
"""Its graphs take seconds to solve: of its value and graph only what the checker decides is tried (test_graphs solves it)."""
LARGE = 1e4


def codes_of(name: str, position: int, mutant: Mutant) -> list[str]:
    """What the checker finds in a mutant. Where only ``requires:`` has changed it stands among the other records of its
    name, which it must not displace."""
    own: Sequence[ast.AtomItem] = (mutant.item,)
    if mutant.part == "requires":
        others = LIBRARY.items(name)
        own = [mutant.item if i == position else renamed(other) for i, other in enumerate(others)]
    _, findings = LIBRARY.extended(own)
    return [d.code for d in findings if d.is_error]


def fails_when_solved(mutant: Mutant) -> bool:
    """Whether the solved graph is not the value at some sampled point of the mutant's own domain."""
    library, _ = LIBRARY.extended((mutant.item,))
    (atom,) = library.lookup(NAME)
    assert isinstance(atom, Atom) and atom.graph is not None
    for whole in (False, True):
        found = points(atom, 5, whole=whole)
        if not found:
            continue
        made = program_text(atom, found[0])
        problem = dpplang.parse(f"{print_node(mutant.item)}\n{made.text}")
        moving = [f for f in atom.formals if f.mode != "const"]
        for point in found:
            wanted = np.sum(value_of(atom, list(point.values())))
            if np.isnan(wanted):
                return True
            if abs(wanted) > LARGE:
                continue
            values = {f.symbol.name if f.mode else f"p_{f.symbol.name}": point[f.symbol.name] for f in moving}
            try:
                solved = problem.solve(values, data=made.data).value
            except (SolveError, DiagnosticsError):
                return True
            if not np.allclose(solved, wanted, rtol=1e-3, atol=1e-3):
                return True
    return False


def survives(name: str, position: int, mutant: Mutant) -> bool:
    codes = codes_of(name, position, mutant)
    if codes:
        # A changed constant may be an index or an axis: then a shape is wrong.
        assert all(c.startswith("ATM4") or (mutant.part == "value" and c.startswith("SHP")) for c in codes), (
            mutant.label
        )
        return False
    if name in SLOW and mutant.part in ("value", "graph", "domain"):
        return False
    alone = mutant.part != "requires" or len(LIBRARY.items(name)) == 1
    return mutant.part in ("sign", "monotone", "curvature") or not alone or not fails_when_solved(mutant)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "position"), RECORDS)
def test_every_mutant_is_caught(name: str, position: int) -> None:
    found = {m.label for m in mutants(LIBRARY.items(name)[position]) if survives(name, position, m)}
    assert found == {label for other, at, label in {*EQUIVALENT, *OPEN} if (other, at) == (name, position)}


@pytest.mark.parametrize(("name", "position"), RECORDS)
def test_one_mutant_of_every_record_is_caught(name: str, position: int) -> None:
    """The first of those that structure alone refutes: the curvature."""
    mutant = next(m for m in mutants(LIBRARY.items(name)[position]) if m.part == "curvature")
    assert codes_of(name, position, mutant)


def test_the_records_themselves_are_sound_under_another_name() -> None:
    for name in ("norm2", "power", "quad_form", "tv"):
        items = [renamed(item) for item in LIBRARY.items(name)]
        assert not [d for d in LIBRARY.extended(items)[1] if d.is_error]
