"""Lower a text and solve the program by hand: nothing of the runtime takes part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import clarabel
import numpy as np
import scipy.sparse as sp

from dpplang.asa.evaluate import evaluate
from dpplang.asa.program import OutputMap, Program
from dpplang.core.source import Source
from dpplang.lowering.lower import lower
from dpplang.pipeline import Compilation
from dpplang.semantics.sizes import solve_sizes
from dpplang.semantics.tree import Model


@dataclass(frozen=True)
class Solved:
    value: float
    outputs: dict[str, np.ndarray]

    def __getitem__(self, name: str) -> np.ndarray:
        return self.outputs[name]


def model_of(text: str) -> Model:
    compilation = Compilation(Source("test.dpp", text))
    assert compilation.model is not None, [d.message for d in compilation.diagnostics]
    return compilation.model


def lowered(text: str, values: Mapping[str, Any], dims: Mapping[str, int] | None = None) -> tuple[Program, np.ndarray]:
    """The program, and θ at these values."""
    model = model_of(text)
    arrays = {name: np.asarray(value, float) for name, value in values.items()}
    sizes = solve_sizes(model, {name: a.shape for name, a in arrays.items()}, dict(dims or {}))
    assert not any(d.is_error for d in sizes.diagnostics), sizes.diagnostics
    program = lower(model, sizes.sizes, {d.name: arrays[d.name] for d in model.data if d.name in arrays})
    return program, theta_of(program, arrays)


def theta_of(program: Program, values: Mapping[str, np.ndarray]) -> np.ndarray:
    known = dict(program.constants)
    parts = [np.zeros(0)]
    for parameter in program.parameters:
        value = values[parameter.name] if parameter.value is None else evaluate(parameter.value, known, np)
        known[parameter.name] = np.asarray(value, float)
        assert known[parameter.name].shape == parameter.shape
        parts.append(known[parameter.name].ravel())
    return np.concatenate(parts)


def solve(program: Program, theta: np.ndarray) -> Solved:
    cones = program.cones
    kinds = [clarabel.ZeroConeT(cones.zero)] * bool(cones.zero)
    kinds += [clarabel.NonnegativeConeT(cones.nonneg)] * bool(cones.nonneg)
    kinds += [clarabel.SecondOrderConeT(k) for k in cones.soc] + [clarabel.PSDTriangleConeT(k) for k in cones.psd]
    kinds += [clarabel.ExponentialConeT()] * cones.exp + [clarabel.PowerConeT(a) for a in cones.pow]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    P, A = sp.csc_matrix(program.P.at(theta)), sp.csc_matrix(program.A.at(theta))
    found = clarabel.DefaultSolver(P, program.q(theta), A, program.b(theta), kinds, settings).solve()
    assert str(found.status) in ("Solved", "AlmostSolved"), found.status
    value = found.obj_val + program.d(theta)[0]
    value = -value if program.sense == "maximize" else value
    z = np.concatenate([found.x, found.z, [value, 1.0]])
    maps = (*program.variables, *program.duals, *program.outputs)
    return Solved(value, {o.name: read(o, theta, z) for o in maps})


def read(output: OutputMap, theta: np.ndarray, z: np.ndarray) -> np.ndarray:
    size = int(np.prod(output.shape))
    return np.bincount(output.rows, output.values(theta) * z[output.columns], minlength=size).reshape(output.shape)


def assert_well_formed(program: Program) -> None:
    """The invariants that the runtime relies on."""
    stops = [0, *(block.stop for block in program.rows)]
    assert [block.start for block in program.rows] == stops[:-1]
    assert stops[-1] == program.m == program.cones.rows
    offsets = np.cumsum([0, *(p.size for p in program.parameters)])
    assert [p.offset for p in program.parameters] == offsets[:-1].tolist()
    for matrix in (program.P, program.A):
        assert matrix.indptr.dtype == matrix.indices.dtype == np.int64
        assert matrix.values.matrix.shape == (matrix.nnz, program.n_theta)
        columns = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
        position = columns * matrix.shape[0] + matrix.indices
        assert (np.diff(position) > 0).all()
        alive = (matrix.values.constant != 0) | (np.diff(matrix.values.matrix.indptr) > 0)
        assert alive.all()
    assert (program.P.indices <= np.repeat(np.arange(program.n), np.diff(program.P.indptr))).all()
    for values in (program.P.values, program.A.values, program.q, program.b, program.d):
        m = values.matrix  # rebuilt, so that SciPy looks for itself
        assert sp.csr_array((m.data, m.indices, m.indptr), shape=m.shape).has_canonical_format
        assert (values.matrix.data != 0).all()
