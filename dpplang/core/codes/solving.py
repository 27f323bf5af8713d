"""Codes DIF6xx, SOL8xx."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

SOLVING_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "DIF601",
        "the solution has no unique derivative",
        "The optimality system is singular: either the solution is not unique (a linear objective that is constant along an edge, "
        "a variable that nothing depends on), or its multipliers are not (redundant equalities, more active constraints than "
        "variables), so that the solution has a kink in the parameters that are named. Where a parameter does not move what is undetermined, nothing is said. "
        "The derivative of least norm is used, which is one of the many valid ones where multipliers are not unique, "
        "and a heuristic where the solution itself jumps. A small quadratic term (`+ 1e-6 * sum_squares(x)`) makes the solution "
        "unique; dropping redundant constraints makes the multipliers unique.",
    ),
    CodeInfo(
        "DIF602",
        "a least-squares solve stopped short",
        "The optimality system is singular and too large to be decomposed, so its solution of least norm is computed by an iteration "
        "(LSMR), which did not reach its tolerance: the gradient is approximate, to the relative residual in the message. Badly scaled "
        "data are the usual cause. A small quadratic term makes the system regular.",
    ),
    CodeInfo(
        "DIF603",
        "there is no smoothed derivative",
        "The derivative `smoothed` compares solutions with the objective moved by `tau` along the upstream gradient and against it. "
        "Both of these problems are unbounded or infeasible for the elements in the message, which get a gradient of zero. "
        "A smaller `tau` may keep them solvable; `rho` above 0 keeps any problem bounded.",
    ),
    CodeInfo(
        "SOL800",
        "some batch elements have no solution",
        "At least one element of the batch is infeasible, unbounded, or was not solved to its tolerance. The error lists the indices, "
        'what became of each, and the constraints that its certificate weighs most. With `on_failure="nan"` those elements become NaN, '
        "give no gradient, and the others are kept.",
    ),
    CodeInfo(
        "SOL801",
        "there is no such option",
        "The options are `solver`, `derivative`, `tolerance`, `max_iterations`, `time_limit`, `threads`, `accept_inaccurate`, "
        "`refine` and `verbose`. A misspelt option is an error, so that it is never ignored silently. Limits hold for every method that "
        "is tried as well as for the solver; `verbose` says which method solved how many elements.",
    ),
    CodeInfo(
        "SOL802",
        "an option cannot have this value",
        "The message says which values it can have. The derivative `diffcp` does not go with power cones.",
    ),
    CodeInfo(
        "SOL813",
        "the solver stopped short of its tolerance",
        "The solver made no more progress before it reached `tolerance`, but the residuals that dpplang measures itself are below "
        "`accept_inaccurate`, so the solution is used, with status `inaccurate`. Badly scaled data are the usual cause. "
        "`accept_inaccurate=0` makes it an error.",
    ),
)
