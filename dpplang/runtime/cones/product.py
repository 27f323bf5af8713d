"""The cone K of a program: its rows grouped by kind and dimension, so that cones alike are projected together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import Cones, svec_size
from dpplang.runtime.cones.cone import Array, Cone, Spectrum
from dpplang.runtime.cones.exponential import Exponential
from dpplang.runtime.cones.linear import Nonneg, Zero
from dpplang.runtime.cones.power import Power
from dpplang.runtime.cones.second_order import SecondOrder
from dpplang.runtime.cones.semidefinite import Semidefinite

_APEX = 1e-10  # below this share of the largest entry all of a cone's count as 0


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Cones of one kind and dimension. ``rows`` ``[count, k]`` are their rows in the program; for zero and nonneg,
    whose derivative is diagonal, k = 1. ``span`` is the same as a slice where the rows are contiguous (they are unless
    cones of different dimension alternate)."""

    cone: Cone
    rows: NDArray[np.intp]
    span: slice | None

    def take(self, vector: Array) -> Array:
        """``[..., m]`` → ``[..., count, k]``."""
        part = vector[..., self.span] if self.span is not None else vector[..., self.rows.reshape(-1)]
        return part.reshape(*vector.shape[:-1], *self.rows.shape)

    def put(self, target: Array, values: Array) -> None:
        """Write ``[..., count, k]`` into ``[..., m]``."""
        where = self.span if self.span is not None else self.rows.reshape(-1)
        target[..., where] = values.reshape(*values.shape[:-2], self.rows.size)


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A Cartesian product of cones."""

    groups: tuple[Group, ...]
    size: int

    @staticmethod
    def of(cones: Cones) -> Product:
        groups: list[Group] = []
        start = 0

        def add(cone: Cone, starts: NDArray[np.intp], size: int) -> None:
            rows = starts[:, None] + np.arange(size)
            flat = rows.reshape(-1)
            contiguous = bool(np.all(np.diff(flat) == 1))
            groups.append(Group(cone, rows, slice(int(flat[0]), int(flat[-1]) + 1) if contiguous else None))

        for count, cone in ((cones.zero, Zero()), (cones.nonneg, Nonneg())):
            if count:
                add(cone, start + np.arange(count), 1)
                start += count
        for dimensions, sizes, kind in (
            (cones.soc, cones.soc, lambda _: SecondOrder()),
            (cones.psd, tuple(svec_size(k) for k in cones.psd), Semidefinite),
        ):
            starts = start + np.concatenate(([0], np.cumsum(sizes, dtype=np.intp)))
            for dimension in sorted(set(dimensions)):
                mine = [i for i, d in enumerate(dimensions) if d == dimension]
                if sizes[mine[0]]:
                    add(kind(dimension), starts[mine], sizes[mine[0]])
            start = int(starts[-1])
        if cones.exp:
            add(Exponential(), start + 3 * np.arange(cones.exp), 3)
            start += 3 * cones.exp
        if cones.pow:
            add(Power(cones.pow), start + 3 * np.arange(len(cones.pow)), 3)
            start += 3 * len(cones.pow)
        return Product(tuple(groups), start)

    @property
    def equations(self) -> int:
        """How many rows, which stand first, are of the zero cone."""
        return next((group.rows.size for group in self.groups if isinstance(group.cone, Zero)), 0)

    def project(self, point: Array) -> Array:
        """The nearest point of K to each of ``[..., m]``."""
        out = np.empty_like(point)
        for group in self.groups:
            group.put(out, group.cone.project(group.take(point)))
        return out

    def project_dual(self, point: Array) -> Array:
        """The nearest point of K*, by Moreau's decomposition."""
        return point + self.project(-point)

    @property
    def polyhedral(self) -> bool:
        """Whether Π is piecewise affine."""
        return all(isinstance(group.cone, Zero | Nonneg) for group in self.groups)

    def second(self, point: Array, one: Array, other: Array) -> Array:
        """D²Π(point)[one, other], ``[..., m]``; 0 for cones at whose apex the point is to rounding."""
        out = np.zeros_like(point)
        least = _APEX * np.abs(point).max(axis=-1, initial=0.0)[..., None]
        for group in self.groups:
            if not isinstance(group.cone, Zero | Nonneg):
                at, b, c = (group.take(vector) for vector in (point, one, other))
                away = np.abs(at).max(axis=-1) > least
                group.put(out, np.where(away[..., None], group.cone.second(at, b, c), 0.0))
        return out

    def spectrum(self, point: Array) -> ProductSpectrum:
        """The derivative of :meth:`project` at ``[..., m]``."""
        parts = tuple(group.cone.spectrum(group.take(point)) for group in self.groups)
        values = np.empty_like(point)
        for group, part in zip(self.groups, parts, strict=True):
            group.put(values, part.values)
        return ProductSpectrum(self.groups, parts, values)


@dataclass(frozen=True, slots=True, eq=False)
class ProductSpectrum:
    """DΠ = U diag(λ) Uᵀ with block-diagonal U. ``values`` is λ ``[..., m]``, in the order of the rows."""

    groups: tuple[Group, ...]
    parts: tuple[Spectrum, ...]
    values: Array

    def inward(self, vector: Array) -> Array:
        """Uᵀ vector, ``[..., m]``."""
        out = self._copy(vector)
        for group, part in zip(self.groups, self.parts, strict=True):
            if part.vectors is not None:
                group.put(out, part.inward(group.take(out)))
        return out

    def outward(self, coordinates: Array) -> Array:
        """U coordinates, ``[..., m]``."""
        out = self._copy(coordinates)
        for group, part in zip(self.groups, self.parts, strict=True):
            if part.vectors is not None:
                group.put(out, part.outward(group.take(out)))
        return out

    def _copy(self, vector: Array) -> Array:
        """One for every v."""
        if vector.shape == self.values.shape:
            return vector.copy()
        return np.array(np.broadcast_to(vector, np.broadcast_shapes(vector.shape, self.values.shape)))

    def apply(self, direction: Array) -> Array:
        """DΠ · direction, ``[..., m]``."""
        return self.outward(self.values * self.inward(direction))
