"""Projections onto cones to 50 digits, from their definitions, as a reference for the ones in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import mpmath
import numpy as np
from mpmath import mpf

Vector = list[mpf]
DIGITS = 60


def soc(v: Vector) -> Vector:
    t, x = v[0], v[1:]
    norm = mpmath.sqrt(sum((e * e for e in x), mpf(0)))
    if norm <= t:
        return v
    if norm <= -t:
        return [mpf(0)] * len(v)
    scale = (1 + t / norm) / 2
    return [scale * norm, *(scale * e for e in x)]


def psd(v: Vector) -> Vector:
    """svec, upper triangle column by column, off-diagonal entries times √2."""
    order = int((np.sqrt(8 * len(v) + 1) - 1) / 2)
    matrix, k, root = mpmath.matrix(order, order), 0, mpmath.sqrt(2)
    for j in range(order):
        for i in range(j + 1):
            matrix[i, j] = matrix[j, i] = v[k] if i == j else v[k] / root
            k += 1
    values, vectors = mpmath.eigsy(matrix)
    kept = mpmath.diag([max(e, mpf(0)) for e in values])
    out = vectors * kept * vectors.T
    return [out[i, j] if i == j else root * out[i, j] for j in range(order) for i in range(j + 1)]


def exponential(v: Vector) -> Vector:
    """By bisection on the ray (ρ, 1, e^ρ) that v projects onto."""
    x, y, z = v
    if (y > 0 and y * mpmath.exp(x / y) <= z) or (x <= 0 and y == 0 and z >= 0):
        return v
    if (x > 0 and x * mpmath.exp(y / x - 1) <= -z) or (x == 0 and y <= 0 and z <= 0):
        return [mpf(0)] * 3
    if x <= 0 and y <= 0:
        return [x, mpf(0), max(z, mpf(0))]

    def parts(rho: mpf) -> tuple[mpf, mpf]:
        size = rho * rho - rho + 1
        return ((rho - 1) * x + y) / size, (x - rho * y) / size

    def gap(rho: mpf) -> mpf:
        alpha, beta = parts(rho)
        return alpha * mpmath.exp(rho) - beta * mpmath.exp(-rho) - z

    low, high = mpf(-2000), mpf(2000)
    if x > 0:
        low = max(low, 1 - y / x)
    if y < 0:
        low = max(low, x / y)
    if x < 0:
        high = min(high, 1 - y / x)
    if y > 0:
        high = min(high, x / y)
    if low > 120:  # rays that steep are (0, 0, 1), and that flat (x, y, 0), to 50 digits
        return [mpf(0), mpf(0), max(z, mpf(0))]
    if high < -120:
        return [x, y, mpf(0)]
    rho = _root(gap, low, high)
    alpha, _ = parts(rho)
    return [alpha * rho, alpha, alpha * mpmath.exp(rho)]


def power(a: mpf) -> Callable[[Vector], Vector]:
    def project(v: Vector) -> Vector:
        x, y, z = v
        size = abs(z)
        if x >= 0 and y >= 0 and x**a * y ** (1 - a) >= size:
            return v
        if x <= 0 and y <= 0 and (-x / a) ** a * (-y / (1 - a)) ** (1 - a) >= size:
            return [mpf(0)] * 3
        if z == 0:
            return [max(x, mpf(0)), max(y, mpf(0)), mpf(0)]

        def sides(r: mpf) -> tuple[mpf, mpf]:
            left = r * (size - r)
            return (
                (x + mpmath.sqrt(x * x + 4 * a * left)) / 2,
                (y + mpmath.sqrt(y * y + 4 * (1 - a) * left)) / 2,
            )

        def gap(tau: mpf) -> mpf:
            r = size / (1 + mpmath.exp(-tau))
            px, py = sides(r)
            return mpmath.log(r) - a * mpmath.log(px) - (1 - a) * mpmath.log(py)

        r = size / (1 + mpmath.exp(-_root(gap, mpf(-130), mpf(130))))
        px, py = sides(r)
        return [px, py, r if z > 0 else -r]

    return project


def _root(increasing: Callable[[mpf], mpf], low: mpf, high: mpf) -> mpf:
    """Bisection, then secant steps that stay in the bracket."""
    for _ in range(60):
        middle = (low + high) / 2
        if increasing(middle) < 0:
            low = middle
        else:
            high = middle
    at, f_low, f_high = (low + high) / 2, increasing(low), increasing(high)
    for _ in range(200):
        if high - low <= abs(at) * mpf(10) ** (8 - DIGITS) or f_high == f_low:
            break
        at = low - f_low * (high - low) / (f_high - f_low)
        f = increasing(at)
        if f == 0:
            break
        if f < 0:  # the Illinois rule: the end that stays counts half
            low, f_low, f_high = at, f, f_high / 2
        else:
            high, f_high, f_low = at, f, f_low / 2
    return at


def projection(reference: Callable[[Vector], Vector], point: Sequence[float]) -> np.ndarray:
    with mpmath.workdps(DIGITS):
        return np.array([float(e) for e in reference([mpf(float(e)) for e in point])])


def jacobian(reference: Callable[[Vector], Vector], point: Sequence[float]) -> np.ndarray:
    """Central differences with a step that no boundary at a distance of 1e-16 feels."""
    with mpmath.workdps(DIGITS):
        v = [mpf(float(e)) for e in point]
        h = mpf(10) ** (-DIGITS // 3) * max(abs(e) for e in v)
        columns = []
        for k in range(len(v)):
            ahead, behind = ([e + s * h * (i == k) for i, e in enumerate(v)] for s in (1, -1))
            columns.append([(p - m) / (2 * h) for p, m in zip(reference(ahead), reference(behind), strict=True)])
        return np.array([[float(e) for e in column] for column in columns]).T
