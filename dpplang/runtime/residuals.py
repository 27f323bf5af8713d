"""How well (x, y, s) solves a program, measured by ourselves and not by the solver.

    primal  ‖Ax + s − b‖ and the distance of s to K        dual  ‖Px + Aᵀy + q‖ and the distance of y to K*
    gap     |xᵀPx + qᵀx + bᵀy|

each relative to 1 + the largest of its terms, in the maximum norm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Product


@dataclass(frozen=True, slots=True)
class Residuals:
    primal: float
    dual: float
    gap: float

    @property
    def worst(self) -> float:
        return max(self.primal, self.dual, self.gap)

    def __str__(self) -> str:
        return f"primal {self.primal:.1e}, dual {self.dual:.1e}, gap {self.gap:.1e}"


def residuals(
    P: sp.csc_matrix, q: Array, A: sp.csc_matrix, b: Array, cone: Product, x: Array, y: Array, s: Array
) -> Residuals:
    """Residuals of one element; infinite where the solution is not finite. P is the upper triangle."""
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(s).all()):
        return Residuals(np.inf, np.inf, np.inf)
    Ax, Aty = A @ x, A.T @ y
    Px = P @ x + sp.triu(P, 1).T @ x
    quadratic, linear, constant = float(x @ Px), float(q @ x), float(b @ y)
    primal = max(_size(Ax + s - b), _size(s - cone.project(s))) / (1 + max(_size(Ax), _size(s), _size(b)))
    dual = max(_size(Px + Aty + q), _size(y - cone.project_dual(y))) / (1 + max(_size(Px), _size(Aty), _size(q)))
    gap = abs(quadratic + linear + constant) / (1 + max(abs(quadratic), abs(linear), abs(constant)))
    return Residuals(primal, dual, gap)


def _size(vector: Array) -> float:
    return float(np.abs(vector).max(initial=0.0))
