"""Block principal pivoting: t ≥ 0, s = Kt + d ≥ 0, tᵀs = 0, for a batch of positive semidefinite K at once.

A set F of positions with s = 0 is guessed, K_FF t_F = −d_F solved, and every position that comes out with a wrong sign
changes sides. Where that stops making progress for an element, only its last wrong position does, which is finite for
K ≻ 0 (Murty 1974). A handful of rounds serves hundreds of positions, if K is not far from regular. Source: Júdice,
Pires 1994, "A block principal pivoting algorithm for large-scale strictly monotone linear complementarity problems".
"""

from __future__ import annotations

import time

import numpy as np

from dpplang.runtime.batched import times
from dpplang.runtime.cones.cone import Array
from dpplang.runtime.options import Options
from dpplang.runtime.quadratic.held import Held, Mask

_PATIENCE = 3  # block exchanges without progress before single ones
_ROUNDS = 15  # an element that is not done by then is left to another method
_ROUNDING = 1e-11  # relative size of a wrong sign that counts as none
_DELTA = 1e-11  # of K + δI, relative to the largest diagonal entry: more positions than K has rank may be guessed


def solve(K: Array, d: Array, options: Options) -> tuple[Mask, Mask]:
    """Find the active sets.

    Args:
        K: ``[1|B, m, m]``. d: ``[B, m]``. options: limits of iterations and time.

    Returns:
        (F, done): ``[B, m]`` and ``[B]``; F is optimal for the elements that are done.
    """
    batch, m = d.shape
    slack = _ROUNDING * np.abs(d).max(axis=1, initial=0.0)[:, None]
    active, done = d < -slack, np.zeros(batch, dtype=bool)
    live = np.flatnonzero(active.any(axis=1))
    done[:] = True
    done[live] = False
    fewest, patience = np.full(live.size, m + 1), np.full(live.size, _PATIENCE)
    F, dl, Kl, tol = active[live], d[live], K if K.shape[0] == 1 else K[live], slack[live]
    deadline = options.deadline(batch)
    for _ in range(min(_ROUNDS, options.max_iterations or _ROUNDS)):
        if not live.size or time.monotonic() > deadline:
            break
        t = Held.cut(Kl, F, _DELTA).solve(-dl)
        s = times(Kl, t) + dl
        wrong = np.where(F, t < -_ROUNDING * np.abs(t).max(axis=1, initial=0.0)[:, None], s < -tol)
        count = wrong.sum(axis=1)
        better = count < fewest
        patience = np.where(better, _PATIENCE, patience - 1)
        fewest = np.minimum(fewest, count)
        single = patience < 0
        if single.any():
            last = m - 1 - np.argmax(wrong[:, ::-1], axis=1)
            wrong = np.where(single[:, None], wrong & (np.arange(m) == last[:, None]), wrong)
        more = count > 0
        if more.all():
            F ^= wrong
            continue
        active[live] = F
        done[live[~more]] = np.isfinite(t[~more]).all(axis=1)
        live, F = live[more], (F ^ wrong)[more]
        dl, tol, fewest, patience = dl[more], tol[more], fewest[more], patience[more]
        Kl = Kl if K.shape[0] == 1 else Kl[more]
    return active, done
