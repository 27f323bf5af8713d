"""What a cone must offer: its projection, and the projection's derivative as an eigendecomposition.

The projection Π onto a closed convex cone K is firmly nonexpansive and, where it is differentiable, its derivative is
symmetric with eigenvalues in [0, 1]: DΠ(v) = U diag(λ) Uᵀ. Eigenvalue 1 spans the directions that stay in the cone, 0
those that it cuts off. Every cone here knows U and λ in closed form, so that nothing is decomposed numerically but
matrices. Dual cones need no formulas of their own: Π_{K*}(v) = v + Π_K(−v) (Moreau).

Π is the gradient of ½‖Π(v)‖², so that the form ⟨a, D²Π(v)[b, c]⟩ is symmetric in all of a, b and c.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """DΠ(v) = U diag(λ) Uᵀ for an array of cones of one dimension k.

    Attributes:
        values: λ, ``[..., k]``, in [0, 1].
        vectors: U, ``[..., k, k]``, eigenvectors in its columns; None for the identity.
    """

    values: Array
    vectors: Array | None = None

    def apply(self, direction: Array) -> Array:
        """DΠ(v) · direction, ``[..., k]``; the derivative is symmetric, so this is the adjoint as well."""
        return self.outward(self.values * self.inward(direction))

    def inward(self, vector: Array) -> Array:
        """Uᵀ vector: coordinates in the eigenbasis."""
        if self.vectors is None:
            return vector
        return np.matmul(vector[..., None, :], self.vectors)[..., 0, :]

    def outward(self, coordinates: Array) -> Array:
        """U coordinates: back from the eigenbasis."""
        if self.vectors is None:
            return coordinates
        return np.matmul(self.vectors, coordinates[..., None])[..., 0]


class Cone(Protocol):
    """One kind and dimension of cone; every method works on an array ``[..., k]`` of points, one cone each."""

    def project(self, point: Array) -> Array:
        """The nearest point of the cone, ``[..., k]``."""
        ...

    def spectrum(self, point: Array) -> Spectrum:
        """The derivative of :meth:`project` at ``point`` (one of the generalized Jacobian where it has a kink)."""
        ...

    def second(self, point: Array, one: Array, other: Array) -> Array:
        """D²Π(point)[one, other], ``[..., k]``: how DΠ · one changes along ``other`` (0 where Π has a kink and is
        affine on either side)."""
        ...


def project_dual(cone: Cone, point: Array) -> Array:
    """The nearest point of the dual cone K* = {y : ⟨y, s⟩ ≥ 0 for all s in K}."""
    return point + cone.project(-point)
