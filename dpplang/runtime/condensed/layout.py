"""Where the cones of a program stand, for work on a whole batch.

Arrays are batch-last: equations and bounds first, ``[rows, B]``, then second-order cones as ``[count, k, B]``. Those of
fewer rows than k are filled up with rows of zeros, which change nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dpplang.asa.cones import Cones
from dpplang.runtime.cones.cone import Array

Ints = NDArray[np.intp]


class Layout:
    """Places of rows.

    Attributes:
        equal, bounds: slices of the rows. cones: where second-order cones start. rows: how many there are with those
            that fill up. count, k: second-order cones and the rows of each.
        at: the place of each row of the program ``[m]``. degree: of the cones' barrier.
    """

    def __init__(self, cones: Cones) -> None:
        sizes = np.array(cones.soc, dtype=np.intp)
        zero, self.cones = cones.zero, cones.zero + cones.nonneg
        self.equal, self.bounds = slice(0, zero), slice(zero, self.cones)
        self.count, self.k = sizes.size, int(sizes.max(initial=0))
        self.rows = self.cones + self.count * self.k
        which = np.repeat(np.arange(sizes.size), sizes)
        inside = np.arange(which.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        self.at: Ints = np.concatenate((np.arange(self.cones), self.cones + which * self.k + inside))
        self.degree = cones.nonneg + self.count
        self._full = self.rows == self.at.size

    def soc(self, rows: Array) -> Array:
        """The second-order cones of ``[rows, B]``, as a view ``[count, k, B]``."""
        return rows[self.cones :].reshape(self.count, self.k, -1)

    def spread(self, v: Array) -> Array:
        """``[B, m]`` → ``[rows, B]``."""
        if self._full:
            return np.ascontiguousarray(v.T)
        out = np.zeros((self.rows, v.shape[0]))
        out[self.at] = v.T
        return out

    def gathered(self, rows: Array) -> Array:
        """``[rows, B]`` → ``[B, m]``."""
        return np.ascontiguousarray((rows if self._full else rows[self.at]).T)


def dot(a: Array, b: Array) -> Array:
    """Products of vectors, ``[count, k, B]`` → ``[count, B]``."""
    return np.einsum("ckb,ckb->cb", a, b)


def determinant(v: Array) -> Array:
    """t² − ‖x‖² of each second-order cone ``[count, k, B]``."""
    size = np.sqrt(dot(v[:, 1:], v[:, 1:]))
    return (v[:, 0] - size) * (v[:, 0] + size)
