"""Small dense linear algebra in plain Python, for sampling contracts of atoms of matrices (the checker loads no NumPy).

Matrices are lists of rows. Symmetric eigenvalues by Jacobi's rotations (Golub and Van Loan, §8.5), which are accurate
and need no more than a few sweeps at the orders that are sampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Rows = list[list[float]]

SWEEPS = 30


def multiply(left: Rows, right: Rows) -> Rows:
    columns = list(zip(*right, strict=True))
    return [[math.fsum(a * b for a, b in zip(row, column, strict=True)) for column in columns] for row in left]


def transpose(rows: Rows) -> Rows:
    return [list(column) for column in zip(*rows, strict=True)]


def eigen(rows: Rows) -> tuple[list[float], Rows]:
    """Eigenvalues, ascending, and the matrix whose columns are their vectors, of the symmetric part."""
    order = len(rows)
    a = [[(rows[i][j] + rows[j][i]) / 2 for j in range(order)] for i in range(order)]
    v = [[float(i == j) for j in range(order)] for i in range(order)]
    scale = max((abs(x) for row in a for x in row), default=0.0)
    for _ in range(SWEEPS):
        if max((abs(a[i][j]) for i in range(order) for j in range(i)), default=0.0) <= 1e-15 * scale:
            break
        for p in range(order):
            for q in range(p + 1, order):
                _rotate(a, v, p, q)
    ranked = sorted(range(order), key=lambda i: a[i][i])
    return [a[i][i] for i in ranked], [[row[i] for i in ranked] for row in v]


def _rotate(a: Rows, v: Rows, p: int, q: int) -> None:
    """One rotation in the plane of p and q that makes the entry (p, q) zero."""
    if a[p][q] == 0:
        return
    theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    t = math.copysign(1.0, theta) / (abs(theta) + math.hypot(theta, 1.0))
    c = 1 / math.hypot(t, 1.0)
    s = t * c
    for row in a:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    a[p], a[q] = (
        [c * x - s * y for x, y in zip(a[p], a[q], strict=True)],
        [s * x + c * y for x, y in zip(a[p], a[q], strict=True)],
    )
    for row in v:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]


def spectral(rows: Rows, function: Callable[[float], float]) -> Rows:
    """V f(Λ) Vᵀ of the symmetric part."""
    values, vectors = eigen(rows)
    scaled = [[x * function(value) for x, value in zip(row, values, strict=True)] for row in vectors]
    return multiply(scaled, transpose(vectors))


def singular_values(rows: Rows) -> list[float]:
    """Descending; min(m, n) of them: the eigenvalues of [[0, X], [Xᵀ, 0]] are ± these, and zeros."""
    m, n = len(rows), len(rows[0]) if rows else 0
    whole = [[0.0] * m + row for row in rows] + [row + [0.0] * n for row in transpose(rows)]
    return [max(value, 0.0) for value in reversed(eigen(whole)[0])][: min(m, n)]


def eliminate(rows: Rows, right: Rows) -> tuple[float, Rows]:
    """The determinant of a square matrix and the solution of A X = right, by elimination with row pivots.

    Raises:
        ZeroDivisionError: the matrix is singular.
    """
    order = len(rows)
    work = [list(a) + list(b) for a, b in zip(rows, right, strict=True)]
    determinant = 1.0
    for k in range(order):
        pivot = max(range(k, order), key=lambda i: abs(work[i][k]))
        if pivot != k:
            work[k], work[pivot] = work[pivot], work[k]
            determinant = -determinant
        head = work[k][k]
        determinant *= head
        work[k] = [x / head for x in work[k]]
        for i in range(order):
            if i != k and work[i][k]:
                factor = work[i][k]
                work[i] = [x - factor * y for x, y in zip(work[i], work[k], strict=True)]
    return determinant, [row[order:] for row in work]


def cholesky(rows: Rows) -> Rows:
    """The lower factor.

    Raises:
        ValueError: the matrix is not positive definite.
    """
    order = len(rows)
    lower = [[0.0] * order for _ in range(order)]
    for i in range(order):
        for j in range(i + 1):
            rest = rows[i][j] - math.fsum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    return lower
