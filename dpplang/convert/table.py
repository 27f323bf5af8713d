"""Which function writes which class of expression, and what there is no class for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dpplang.convert import affine, atoms, indexing, products, sums
from dpplang.convert.piece import Piece
from dpplang.convert.tools import Tools

Rule = Callable[[Any, Sequence[Piece], Tools], Piece]

AFFINE: dict[str, Rule] = {
    "AddExpression": sums.add,
    "NegExpression": sums.negation,
    "MulExpression": products.matmul,
    "multiply": products.multiply,
    "DivExpression": products.divide,
    "kron": products.kron,
    "conv": products.convolve,
    "convolve": products.convolve,
    "index": indexing.index,
    "special_index": indexing.special_index,
    "Promote": affine.promoted,
    "broadcast_to": affine.promoted,
    "transpose": affine.transpose,
    "reshape": affine.reshape,
    "Hstack": affine.hstack,
    "Vstack": affine.vstack,
    "Concatenate": affine.concatenate,
    "Sum": affine.total,
    "cumsum": affine.cumsum,
    "Trace": affine.trace,
    "upper_tri": affine.upper_tri,
    "diag_vec": affine.diag_vec,
    "diag_mat": affine.diag_mat,
    "conj": affine.same,
    "real": affine.same,
    "psd_wrap": affine.same,
    "nsd_wrap": affine.same,
    "symmetric_wrap": affine.same,
    "hermitian_wrap": affine.same,
    "nonneg_wrap": atoms.nonneg_wrap,
    "nonpos_wrap": affine.same,
}
"""Affine in what they are made of (a product in one factor)."""

OTHER: dict[str, Rule] = {
    **dict.fromkeys(atoms.ELEMENTWISE, atoms.elementwise),
    **dict.fromkeys(atoms.REDUCTIONS, atoms.reduction),
    **dict.fromkeys(atoms.OF_MATRICES, atoms.of_matrix),
    **dict.fromkeys(("maximum", "minimum"), atoms.extremum),
    **dict.fromkeys(("Pnorm", "PnormApprox"), atoms.pnorm),
    **dict.fromkeys(("Power", "PowerApprox"), atoms.power),
    **dict.fromkeys(("GeoMean", "GeoMeanApprox"), atoms.geo_mean),
    "quad_over_lin": atoms.quad_over_lin,
    "QuadForm": atoms.quad_form,
    "MatrixFrac": atoms.matrix_frac,
    "huber": atoms.huber,
    "sum_largest": atoms.sum_largest,
    "lambda_sum_largest": atoms.lambda_sum_largest,
    "dotsort": atoms.dotsort,
    "perspective": atoms.perspective,
    "quantum_rel_entr": atoms.quantum_rel_entr,
    "cummax": atoms.cummax,
}

RULES: dict[str, Rule] = {**AFFINE, **OTHER}

_LOG_LOG = (
    "log-log convex programs (`gp=True`) are not there: substitute x = exp(u) and write the logarithm of each side"
)
_QUASI = "quasiconvex programs (`qcp=True`) are not there: fix a level and write the convex constraint that it gives"
_SMOOTH = "nonlinear programs (`nlp=True`) are not there: only convex ones"

INSTEAD: dict[str, str] = {
    **dict.fromkeys(
        ("Prod", "prod", "cumprod", "gmatmul", "pf_eigenvalue", "one_minus_pos", "diff_pos", "eye_minus_inv"), _LOG_LOG
    ),
    **dict.fromkeys(("condition_number", "gen_lambda_max", "dist_ratio", "length", "ceil", "floor", "sign"), _QUASI),
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "tanh", "asinh", "atanh", "normcdf"), _SMOOTH),
    "SuppFuncAtom": "write the support function as the maximum that it is: by duality, with variables of its own",
    "indicator": "add its constraints to the problem's",
    "imag": "complex expressions are not there: write real and imaginary parts",
}
"""What to do about classes that have no counterpart."""
