"""The smooth form with the numbers of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.batched import times as transposed_times  # matrices are held transposed here
from dpplang.runtime.batched import transposed_times as times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data
from dpplang.runtime.smooth.form import SmoothForm
from dpplang.runtime.smooth.jets import Jet
from dpplang.runtime.smooth.terms import Bound, Slopes

__all__ = ["Numbers", "times", "transposed_times"]


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """One batch. Matrices are transposed, ``[1 or B, n, rows]``; vectors ``[1 or B, …]``."""

    form: SmoothForm
    batch: int
    P: Array
    q: Array
    M: Array
    r: Array
    E: Array
    e: Array
    G: Array
    h: Array
    terms: tuple[Bound, ...]

    @staticmethod
    def of(form: SmoothForm, data: Data, batch: int) -> Numbers:
        b = data.b
        return Numbers(
            form=form,
            batch=batch,
            P=form.P.fill(data.P),
            q=data.q[:, form.kept],
            M=form.M.fill(data.A),
            r=b[:, form.arguments],
            E=form.E.fill(data.A),
            e=b[:, form.equal],
            G=form.G.fill(data.A),
            h=b[:, form.below],
            terms=tuple(term.bind(data) for term in form.terms),
        )

    @property
    def sound(self) -> NDArray[np.bool_]:
        """``[B]``, where every term has a positive weight and constant arguments in its domain."""
        out = np.ones(self.batch, dtype=bool)
        for term in self.terms:
            out &= term.sound
        return out

    def select(self, elements: NDArray[np.intp]) -> Numbers:
        """The numbers of some elements."""

        def rows(array: Array) -> Array:
            return array if array.shape[0] == 1 else array[elements]

        return Numbers(
            form=self.form,
            batch=elements.size,
            P=rows(self.P),
            q=rows(self.q),
            M=rows(self.M),
            r=rows(self.r),
            E=rows(self.E),
            e=rows(self.e),
            G=rows(self.G),
            h=rows(self.h),
            terms=tuple(term.select(rows) for term in self.terms),
        )

    def jet(self, z: Array) -> Jet:
        """Gradient and Hessian of Σ wⱼfⱼ at z ``[B, V]``."""
        out = Slopes(np.empty_like(z), np.zeros_like(z), [], [])
        with np.errstate(all="ignore"):
            for bound in self.terms:
                bound.term.slopes(bound, z, out)
        return Jet(out.gradient, out.diagonal, tuple(out.pairs), tuple(out.shares))
