"""log Σ exp, and the logistic function: exponential cones (aᵢ − t, 1, vᵢ) under one bound Σ κᵢvᵢ ≤ c.

Where t has a cost and all that is tight, t = log Σ (κᵢ/c) exp(aᵢ). Its gradient is p, the softmax of aᵢ + log(κᵢ/c),
and its Hessian diag p − ppᵀ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dpplang.runtime.cones.cone import Array
from dpplang.runtime.data_map import Data, Index, compact
from dpplang.runtime.smooth.jets import Shares
from dpplang.runtime.smooth.terms import Bound, Ints, Point, Slopes


@dataclass(frozen=True, eq=False)
class LogSumExp:
    """S terms of k members each, of which the first c depend on kept variables.

    Attributes:
        row_a, row_b, row_c: rows of aᵢ − t, 1 and vᵢ, ``[k, S]``; member: columns of vᵢ, ``[k, S]``.
        share: κᵢ, ``[k, S]``. mass: rows of c − Σκᵢvᵢ, ``[S]``. column: of t, ``[S]``.
        at: where in z the first c members' arguments are, ``[c, S]``.
    """

    row_a: Ints
    row_b: Ints
    row_c: Ints
    member: Ints
    share: Array
    mass: Ints
    column: Ints
    at: Ints

    @property
    def curved(self) -> bool:
        return True

    @property
    def rows(self) -> Ints:
        return np.concatenate([*(r.ravel() for r in (self.row_a, self.row_b, self.row_c)), self.mass])

    @property
    def columns(self) -> Ints:
        return np.concatenate((self.column, self.member.ravel()))

    @property
    def positive(self) -> Ints:
        return np.empty(0, np.intp)

    @cached_property
    def _index(self) -> Index:
        return compact(self.at.ravel())

    def bind(self, data: Data) -> Bound:
        """``fixed``: log(κᵢ/c) of the varying members ``[1 or B, c, S]``, and what the others come to, ``[…, S]``."""
        q, b = data.q, data.b
        weight, room = q[:, self.column], b[:, self.mass]
        sound = np.asarray((weight > 0).all(axis=1) & (room > 0).all(axis=1))
        c = self.at.shape[0]
        with np.errstate(all="ignore"):
            shift = np.log(self.share) - np.log(room)[:, None]
            rest = _log_sum_exp(b[:, self.row_a[c:]] + shift[:, c:])
        return Bound(self, weight, b, (shift[:, :c], rest), sound)

    def _shares(self, bound: Bound, z: Array) -> tuple[Array, Array, Array]:
        """(t ``[B, S]``, pᵢ of the varying members ``[B, c, S]``, what is left of 1 ``[B, S]``)."""
        shift, rest = bound.fixed
        a = z[:, self._index].reshape(-1, *self.at.shape) + shift
        if a.shape[1] == 1:
            # σ(u) and 1 − σ(u), each to full relative precision
            u = a[:, 0] - rest
            decay = np.exp(-np.abs(u))
            large = 1 / (1 + decay)
            small = decay * large
            ahead = u > 0
            p, left = np.where(ahead, large, small), np.where(ahead, small, large)
            return np.maximum(a[:, 0], rest) + np.log1p(decay), p[:, None], left
        top = np.maximum(a.max(axis=1), rest)
        e, other = np.exp(a - top[:, None]), np.exp(rest - top)
        total = e.sum(axis=1) + other
        return top + np.log(total), e / total[:, None], other / total

    def slopes(self, bound: Bound, z: Array, out: Slopes) -> None:
        _, p, left = self._shares(bound, z)
        weighted = bound.weight[:, None] * p
        out.gradient[:, self._index] = weighted.reshape(weighted.shape[0], -1)
        if p.shape[1] == 1:
            out.diagonal[:, self._index] = weighted[:, 0] * left
        else:
            out.diagonal[:, self._index] = weighted.reshape(weighted.shape[0], -1)
            out.shares.append(Shares(self._index, p, bound.weight))

    def _arguments(self, bound: Bound, z: Array) -> tuple[Array, Array, Array, Array]:
        """(t ``[B, S]``, aᵢ − t and vᵢ ``[B, k, S]``, the bound's multiplier ν = w/c ``[1 or B, S]``)."""
        t, *_ = self._shares(bound, z)
        c = self.at.shape[0]
        given = bound.b[:, self.row_a[c:]]
        given = np.broadcast_to(given, (t.shape[0], *given.shape[1:]))
        a = np.concatenate((z[:, self._index].reshape(-1, *self.at.shape), given), axis=1) - t[:, None]
        return t, a, np.exp(a), bound.weight / bound.b[:, self.mass]

    def complete(self, bound: Bound, z: Array, point: Point) -> None:
        t, a, v, nu = self._arguments(bound, z)
        mu = nu[:, None] * self.share
        point.x[:, self.column], point.x[:, self.member] = t, v
        point.s[:, self.row_a], point.s[:, self.row_b], point.s[:, self.row_c] = a, 1.0, v
        point.y[:, self.row_a], point.y[:, self.row_b], point.y[:, self.row_c] = -mu * v, -mu * v * (1 - a), mu
        point.s[:, self.mass], point.y[:, self.mass] = 0.0, nu

    def respond(self, bound: Bound, z: Array, dz: Array, g: Array, h: Array) -> tuple[Array, Array]:
        """A cone's γ = β exp(α/β) moves by γ(dα + (1 − α)dβ) at β = 1, and its y is μ(−γ, −(1 − α)γ, 1); what moves
        t and the bound's multiplier follows from Σκᵢvᵢ = c and from stationarity in t."""
        _, alpha, v, nu = self._arguments(bound, z)
        c, (k, count) = self.at.shape[0], self.row_a.shape
        h_a, h_b, h_c, g_v = h[:, self.row_a], h[:, self.row_b], h[:, self.row_c], g[:, self.member]
        h_a[:, :c] += dz[:, self._index].reshape(-1, c, count)
        room = bound.b[:, self.mass]
        p = self.share * v / room[:, None]
        moved = h_a + (1 - alpha) * h_b
        r_t = np.sum(p * moved, axis=1) - (h[:, self.mass] + np.sum(self.share * h_c, axis=1)) / room
        mean = np.sum(p * (moved - h_b), axis=1) - r_t
        d_nu = (np.sum(v * g_v, axis=1) - g[:, self.column]) / room - nu * mean
        dv = v * (moved - r_t[:, None])
        d_mu = self.share * d_nu[:, None] - g_v
        mu = nu[:, None] * self.share
        # of exp(α/β), at β = 1
        bent = mu * v * (h_a - r_t[:, None] - alpha * h_b)
        t_a, t_b = -d_mu * v - bent, -d_mu * v * (1 - alpha) + alpha * bent
        r = np.concatenate((r_t, (dv - h_c).reshape(-1, k * count)), axis=1)
        flat = [part.reshape(part.shape[0], -1) for part in (t_a, t_b, d_mu, d_nu)]
        return r, np.concatenate(flat, axis=1)


def _log_sum_exp(a: Array) -> Array:
    """Over axis 1; −∞ of nothing."""
    if a.shape[1] == 0:
        return np.full((a.shape[0], a.shape[2]), -np.inf)
    top = a.max(axis=1)
    return top + np.log(np.exp(a - top[:, None]).sum(axis=1))
