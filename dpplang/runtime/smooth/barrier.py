"""Nesterov–Todd scaling of symmetric cones, for a batch: orthants, second-order and semidefinite cones.

For s, λ inside the cone there is a linear N with N s = N⁻ᵀ λ =: ℓ, the scaled point. In its coordinates the condition
"s and λ are complementary" is ℓ∘ℓ = τe in the cone's Jordan algebra, and it is linearized there. Second-order and
semidefinite cones (as svec) are small, so that N is held as a matrix ``[B, count, k, k]``.

Source: Vandenberghe 2010, "The CVXOPT linear and quadratic cone program solvers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import Cones, svec, svec_indices, svec_scale, unsvec
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.cones.product import Group, Product
from dpplang.runtime.cones.second_order import SecondOrder
from dpplang.runtime.cones.semidefinite import Semidefinite

_KINK = 1e-7  # relative size from which an eigenvalue counts as not zero


class Algebra(Protocol):
    """A kind of cone; points are ``[B, count, k]``."""

    @property
    def degree(self) -> int:
        """Of the cone's barrier."""
        ...

    def identity(self, k: int) -> Array:
        """e ``[k]``."""
        ...

    def scaling(self, s: Array, lam: Array) -> tuple[Array, Array, Array]:
        """(N, N⁻¹, ℓ); N and its inverse as diagonals ``[B, count, k]`` or matrices ``[B, count, k, k]``."""
        ...

    def eigenvalues(self, v: Array) -> Array:
        """``[B, count, degree]``: v is in the cone where they are not negative."""
        ...

    def product(self, a: Array, b: Array) -> Array:
        """a∘b."""
        ...

    def divide(self, point: Array, r: Array) -> Array:
        """u with ℓ∘u = r."""
        ...

    def reach(self, point: Array, d: Array) -> Array:
        """The longest step ``[B, count]`` that keeps ℓ + step·d in the cone; infinite where any does."""
        ...


class Orthant:
    degree = 1

    def identity(self, k: int) -> Array:
        return np.ones(k)

    def scaling(self, s: Array, lam: Array) -> tuple[Array, Array, Array]:
        N = np.sqrt(lam / s)
        return N, 1 / N, np.sqrt(s * lam)

    def eigenvalues(self, v: Array) -> Array:
        return v

    def product(self, a: Array, b: Array) -> Array:
        return a * b

    def divide(self, point: Array, r: Array) -> Array:
        return r / point

    def reach(self, point: Array, d: Array) -> Array:
        worst = (d / point).min(axis=-1)
        return np.where(worst < 0, -1 / np.where(worst < 0, worst, -1.0), np.inf)


class Lorentz:
    degree = 1

    def identity(self, k: int) -> Array:
        return np.eye(1, k)[0]

    def scaling(self, s: Array, lam: Array) -> tuple[Array, Array, Array]:
        size_s, size_l = np.sqrt(_determinant(s)), np.sqrt(_determinant(lam))
        a, b = s / size_s, lam / size_l
        gamma = np.sqrt(0.5 * (1 + np.sum(a * b, axis=-1, keepdims=True)))
        w = a / (2 * gamma)
        w[..., :1] += b[..., :1] / (2 * gamma)
        w[..., 1:] -= b[..., 1:] / (2 * gamma)
        eta = np.sqrt(size_s / size_l)[..., None]
        tail = w[..., 1:]
        W = np.empty((*w.shape, w.shape[-1]))
        W[..., 0, 0] = w[..., 0]
        W[..., 0, 1:] = W[..., 1:, 0] = tail
        W[..., 1:, 1:] = tail[..., :, None] * (tail / (1 + w[..., :1]))[..., None, :] + np.eye(tail.shape[-1])
        inverse = W.copy()
        inverse[..., 0, 1:] *= -1
        inverse[..., 1:, 0] *= -1
        W *= eta
        inverse /= eta
        return inverse, W, (W @ lam[..., None])[..., 0]

    def eigenvalues(self, v: Array) -> Array:
        size = np.linalg.norm(v[..., 1:], axis=-1)
        return np.stack((v[..., 0] - size, v[..., 0] + size), axis=-1)

    def product(self, a: Array, b: Array) -> Array:
        out = a[..., :1] * b + b[..., :1] * a
        out[..., 0] = np.sum(a * b, axis=-1)
        return out

    def divide(self, point: Array, r: Array) -> Array:
        head, tail = point[..., :1], point[..., 1:]
        first = head * r[..., :1] - np.sum(tail * r[..., 1:], axis=-1, keepdims=True)
        first = first / _determinant(point)
        return np.concatenate((first, (r[..., 1:] - first * tail) / head), axis=-1)

    def reach(self, point: Array, d: Array) -> Array:
        a, c = _determinant(d)[..., 0], _determinant(point)[..., 0]
        b = point[..., 0] * d[..., 0] - np.sum(point[..., 1:] * d[..., 1:], axis=-1)
        inside = b * b - a * c
        bottom = np.sqrt(np.maximum(inside, 0.0)) - b
        return np.where((inside >= 0) & (bottom > 0), c / np.where(bottom > 0, bottom, 1.0), np.inf)


def _determinant(v: Array) -> Array:
    """t² − ‖x‖², ``[…, 1]``."""
    size = np.linalg.norm(v[..., 1:], axis=-1, keepdims=True)
    return (v[..., :1] - size) * (v[..., :1] + size)


@dataclass(frozen=True)
class Symmetric:
    """Symmetric matrices of one order; the scaled point is diagonal."""

    order: int

    @property
    def degree(self) -> int:
        return self.order

    def identity(self, k: int) -> Array:
        return svec(np.eye(self.order))

    def scaling(self, s: Array, lam: Array) -> tuple[Array, Array, Array]:
        left, right = _cholesky(unsvec(s)), _cholesky(unsvec(lam))
        try:
            u, values, vt = np.linalg.svd(np.swapaxes(right, -1, -2) @ left)
        except np.linalg.LinAlgError:  # a NaN among them
            values = np.full(left.shape[:-1], np.nan)
            u = vt = np.full_like(left, np.nan)
        root = np.sqrt(values)
        R = left @ (np.swapaxes(vt, -1, -2) / root[..., None, :])
        inverse = (np.swapaxes(u, -1, -2) / root[..., None]) @ np.swapaxes(right, -1, -2)
        diagonal = values[..., None] * np.eye(self.order)
        return self._congruence(inverse), self._congruence(R), svec(diagonal)

    def _congruence(self, T: Array) -> Array:
        """X ↦ T X Tᵀ on svecs."""
        i, j = svec_indices(self.order)
        rows, columns = T[..., i, :], T[..., j, :]
        scale = 0.5 * svec_scale(self.order)
        pairs = rows[..., :, i] * columns[..., :, j]
        pairs += rows[..., :, j] * columns[..., :, i]
        return pairs * (scale[:, None] * svec_scale(self.order))

    def eigenvalues(self, v: Array) -> Array:
        return np.asarray(np.linalg.eigvalsh(unsvec(v)), dtype=np.float64)

    def product(self, a: Array, b: Array) -> Array:
        A, B = unsvec(a), unsvec(b)
        AB = A @ B
        return svec(0.5 * (AB + np.swapaxes(AB, -1, -2)))

    def divide(self, point: Array, r: Array) -> Array:
        i, j = svec_indices(self.order)
        values = np.einsum("...ii->...i", unsvec(point))
        return 2 * r / (values[..., i] + values[..., j])

    def reach(self, point: Array, d: Array) -> Array:
        root = 1 / np.sqrt(np.einsum("...ii->...i", unsvec(point)))
        scaled = unsvec(d) * root[..., :, None] * root[..., None, :]
        good = np.isfinite(scaled).all(axis=(-1, -2))
        worst = np.linalg.eigvalsh(np.where(good[..., None, None], scaled, 0.0))[..., 0]
        return np.where(good, np.where(worst < 0, -1 / np.where(worst < 0, worst, -1.0), np.inf), 0.0)


def _cholesky(matrices: Array) -> Array:
    """Lower factors; NaN where there is none."""
    try:
        return np.asarray(np.linalg.cholesky(matrices), dtype=np.float64)
    except np.linalg.LinAlgError:
        out = np.full_like(matrices, np.nan)
        for place in np.ndindex(matrices.shape[:-2]):
            try:
                out[place] = np.linalg.cholesky(matrices[place])
            except np.linalg.LinAlgError:
                continue
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Barrier:
    """The cones of s, in the order of its rows."""

    product: Product
    parts: tuple[tuple[Group, Algebra], ...]
    identity: Array
    degree: int

    @staticmethod
    def of(cones: Cones) -> Barrier:
        """``cones`` has neither zero rows nor exponential or power cones."""
        product = Product.of(cones)
        parts: list[tuple[Group, Algebra]] = []
        identity, degree = np.zeros(product.size), 0
        for group in product.groups:
            match group.cone:
                case SecondOrder():
                    algebra: Algebra = Lorentz()
                case Semidefinite(order):
                    algebra = Symmetric(order)
                case _:
                    group, algebra = Group(group.cone, group.rows.reshape(1, -1), group.span), Orthant()
            count, k = group.rows.shape
            parts.append((group, algebra))
            group.put(identity, np.broadcast_to(algebra.identity(k), (count, k)))
            degree += group.rows.size if isinstance(algebra, Orthant) else count * algebra.degree
        return Barrier(product, tuple(parts), identity, degree)

    def smooth(self, v: Array) -> NDArray[np.bool_]:
        """``[B]``, where the projection onto the cones is differentiable at v ``[B, rows]``, well away from a kink."""
        out = np.ones(v.shape[0], dtype=bool)
        for group, algebra in self.parts:
            part = np.abs(algebra.eigenvalues(group.take(v)))
            scale = 1 + part.max(axis=(1, 2), initial=0.0)
            out &= part.min(axis=(1, 2), initial=np.inf) > _KINK * scale
        return out

    def scaling(self, s: Array, lam: Array) -> Scaling:
        point = np.empty_like(s)
        maps: list[tuple[Array, Array]] = []
        for group, algebra in self.parts:
            N, inverse, scaled = algebra.scaling(group.take(s), group.take(lam))
            maps.append((N, inverse))
            group.put(point, scaled)
        return Scaling(self, tuple(maps), point)

    def inside(self, s: Array) -> Array:
        """s ``[B, rows]`` moved along e until it is well inside the cone."""
        out = np.array(s)
        for group, algebra in self.parts:
            part = group.take(s)
            e = np.broadcast_to(algebra.identity(part.shape[-1]), part.shape)
            if isinstance(algebra, Orthant):
                group.put(out, np.maximum(part, 1.0))
            elif isinstance(algebra, Lorentz):
                short = np.maximum(0.0, 1 + np.linalg.norm(part[..., 1:], axis=-1) - part[..., 0])
                group.put(out, part + short[..., None] * e)
            else:
                least = np.linalg.eigvalsh(unsvec(part))[..., 0]
                group.put(out, part + np.maximum(0.0, 1 - least)[..., None] * e)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """N at one pair (s, λ). ``point`` is ℓ ``[B, rows]``."""

    barrier: Barrier
    maps: tuple[tuple[Array, Array], ...]
    point: Array

    def _each(self, vector: Array, which: int, transposed: bool) -> Array:
        out = np.empty(np.broadcast_shapes(vector.shape, self.point.shape))
        for (group, _), both in zip(self.barrier.parts, self.maps, strict=True):
            map_, part = both[which], group.take(vector)
            if map_.ndim == 3:
                group.put(out, map_ * part)
            else:
                group.put(out, ((np.swapaxes(map_, -1, -2) if transposed else map_) @ part[..., None])[..., 0])
        return out

    def s_inward(self, s: Array) -> Array:
        """N s."""
        return self._each(s, 0, False)

    def s_outward(self, scaled: Array) -> Array:
        """N⁻¹ of a scaled s."""
        return self._each(scaled, 1, False)

    def lam_outward(self, scaled: Array) -> Array:
        """Nᵀ of a scaled λ."""
        return self._each(scaled, 0, True)

    def rows(self, transposed: Array) -> Array:
        """N G, transposed ``[B, n, rows]``, for G transposed ``[1 or B, n, rows]``."""
        out = np.empty((self.point.shape[0], *transposed.shape[1:]))
        for (group, _), (N, _) in zip(self.barrier.parts, self.maps, strict=True):
            part = group.take(transposed)
            if N.ndim == 3:
                group.put(out, part * N[:, None])
            else:
                turned = np.swapaxes(part, 1, 2) @ np.swapaxes(N, -1, -2)
                group.put(out, np.swapaxes(turned, 1, 2))
        return out

    def product(self, a: Array, b: Array) -> Array:
        out = np.empty_like(a)
        for group, algebra in self.barrier.parts:
            group.put(out, algebra.product(group.take(a), group.take(b)))
        return out

    def divide(self, r: Array) -> Array:
        """u with ℓ∘u = r."""
        out = np.empty_like(r)
        for group, algebra in self.barrier.parts:
            group.put(out, algebra.divide(group.take(self.point), group.take(r)))
        return out

    def reach(self, *directions: Array) -> Array:
        """The longest step ``[B]``, at most 2, that keeps ℓ + step·d in the cones for all the directions."""
        longest = np.full(self.point.shape[0], 2.0)
        for group, algebra in self.barrier.parts:
            for d in directions:
                longest = np.minimum(longest, algebra.reach(group.take(self.point), group.take(d)).min(axis=1))
        return longest
