"""Codes CVX9xx: problems of CVXPY that are written as programs."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

CONVERSION_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "CVX900",
        "no counterpart of a part of a CVXPY problem",
        "The language has the affine functions, the convex and concave atoms and the cones of CVXPY, for real vectors and matrices. Log-log convex, quasiconvex and nonlinear atoms are not there, nor are products and permutations of arrays of rank 3 or more. The message names the expression, the part of the problem that it stands in, and what to write instead.",
    ),
    CodeInfo(
        "CVX901",
        "an integer program",
        "The solution of a program with Boolean or integer variables is constant almost everywhere as a function of the parameters, so it has no derivative to speak of. Relax the variable to an interval.",
    ),
    CodeInfo(
        "CVX902",
        "complex numbers",
        "The language is about real numbers. Write the real and the imaginary part of a variable as variables of their own; a Hermitian matrix X + iY is positive semidefinite where [[X, −Y], [Y, X]] is.",
    ),
    CodeInfo(
        "CVX903",
        "`from_cvxpy` was asked for what is not there",
        "What is given as `parameters` or `returns` must occur in the problem, what is returned must have one dual, and two named dims must have different sizes, for they are told by their size.",
    ),
)
