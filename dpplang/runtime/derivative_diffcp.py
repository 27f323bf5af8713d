"""The sensitivity S by the package diffcp: a second opinion, and the reference in tests.

diffcp differentiates programs with a linear objective, so ½xᵀPx becomes t with (t + 1, t − 1, √2·Rx) in a
second-order cone, RᵀR = P. The derivatives in q and b are those of the original program, and they are all that S is
made of.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import scipy.sparse as sp

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.derivative import Sensitivity
from dpplang.runtime.options import Options
from dpplang.runtime.solvers.protocol import Structure
from dpplang.runtime.solvers.scs import scs_order

if TYPE_CHECKING:
    from dpplang.runtime.solved import Solved

Adjoint: TypeAlias = Callable[[Array, Array], tuple[Array, Array]]

_DENSE = 400  # up to this order diffcp factorizes, beyond it it iterates


class Diffcp:
    """S for each element by diffcp's adjoint. Its own solve of the rewritten program comes with it.

    Raises:
        BindError: the program has power cones, which diffcp does not know (SOL802).
    """

    def __init__(self, structure: Structure, options: Options) -> None:
        if structure.cones.pow:
            message = "option `derivative` is `exact` for a program with power cones: diffcp does not know them"
            raise BindError([Diagnostic("SOL802", message)])
        self._structure, self._options = structure, options
        self._order = scs_order(structure.cones)
        self._place = np.argsort(self._order)

    def __call__(self, solved: Solved) -> Sensitivity:
        return _ByElement([self._differentiate(solved, i) if ok else None for i, ok in enumerate(solved.ok)])

    def _differentiate(self, solved: Solved, i: int) -> Adjoint:
        import diffcp

        data, cones = solved.data, self._structure.cones
        P, q, A, b = (e[i if e.shape[0] > 1 else 0] for e in (data.P, data.q, data.A, data.b))
        rows = sp.csr_array(self._structure.A.matrix(A))[self._order]
        m, n = self._structure.A.shape
        root = _root(self._structure.P.matrix(P).toarray())
        insert = cones.zero + cones.nonneg + sum(cones.soc) if root.shape[0] else m
        extended, constant, objective = rows, b[self._order], q
        soc = list(cones.soc)
        if root.shape[0]:
            epigraph = np.zeros((2 + len(root), n + 1))
            epigraph[:2, n] = -1.0
            epigraph[2:, :n] = -np.sqrt(2) * root
            wide = sp.csr_array(sp.hstack([rows, sp.csr_array((m, 1))]))
            extended = sp.csr_array(sp.vstack([wide[:insert], sp.csr_array(epigraph), wide[insert:]]))
            corner = np.concatenate(([1.0, -1.0], np.zeros(len(root))))
            constant = np.concatenate((constant[:insert], corner, constant[insert:]))
            objective = np.append(q, 1.0)
            soc.append(len(root) + 2)
        cone = {"z": cones.zero, "l": cones.nonneg, "q": soc, "s": list(cones.psd), "ep": cones.exp}
        order = sum(self._structure.A.shape)
        *_, adjoint = diffcp.solve_and_derivative(
            sp.csc_matrix(extended), constant, objective, {k: v for k, v in cone.items() if v},
            mode="dense" if order <= _DENSE else "lsmr", solve_method="SCS",
            eps_abs=1e-12, eps_rel=1e-12, max_iters=200_000, verbose=False,
        )  # fmt: skip
        extra = len(root) + 2 if len(root) else 0

        def apply(g: Array, h: Array) -> tuple[Array, Array]:
            permuted = h[self._order]
            dy = np.concatenate((permuted[:insert], np.zeros(extra), permuted[insert:]))
            dx = np.append(g, 0.0) if extra else g
            _, db, dc = adjoint(dx, dy, np.zeros_like(dy))
            t = np.concatenate((db[:insert], db[insert + extra :]))[self._place]
            return -dc[:n], t

        return apply


class _ByElement:
    """S from one adjoint per element (None for those that failed)."""

    free = None

    def __init__(self, adjoints: list[Adjoint | None]) -> None:
        self._adjoints = adjoints

    def __call__(self, g: Array, h: Array) -> tuple[Array, Array]:
        r, t = np.zeros_like(g), np.zeros_like(h)
        for i, adjoint in enumerate(self._adjoints):
            # diffcp takes a small upstream gradient for zero: hand it one of size 1.
            size = max(np.abs(g[i]).max(initial=0.0), np.abs(h[i]).max(initial=0.0))
            if adjoint is not None and size > 0:
                one, other = adjoint(g[i] / size, h[i] / size)
                r[i], t[i] = size * one, size * other
        return r, t


def _root(upper: Array) -> Array:
    """R ``[k, n]`` with RᵀR = P, for the rank k of P given by its upper triangle."""
    values, vectors = np.linalg.eigh(np.triu(upper) + np.triu(upper, 1).T)
    large = values > 1e-12 * values.max(initial=0.0)
    return np.sqrt(values[large])[:, None] * vectors[:, large].T
