"""Every atom beside CVXPY's, and the shapes of its convex arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np
from cvxpy.atoms.affine.wraps import symmetric_wrap
from cvxpy.atoms.matrix_frac import MatrixFrac

P = np.array([[2.0, 0.5], [0.5, 1.0]])
"""A positive definite matrix with nonnegative entries."""


@dataclass(frozen=True)
class Twin:
    """``cvxpy`` takes the convex arguments; ``constants`` go to ours behind them, by value.

    ``shapes`` are those of the convex arguments. ``domain`` names where a value may be drawn: ``any``, ``nonneg`` (and
    positive, for the value), ``symmetric``, ``psd``, ``definite`` (the last one is
    positive definite), ``density`` (of trace 1: CVXPY's value takes the entropy of the normalized eigenvalues).
    """

    name: str
    cvxpy: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((3,),)
    constants: tuple[Any, ...] = ()
    domain: str = "any"

    @property
    def label(self) -> str:
        return "-".join(
            [self.name, *("x".join(map(str, s)) or "scalar" for s in self.shapes), *map(_short, self.constants)]
        )


def _short(value: Any) -> str:
    return "P" if isinstance(value, np.ndarray) and value.ndim == 2 else str(value).replace(" ", "")


def _quad_form(matrix: np.ndarray) -> Callable[..., Any]:
    return lambda x: cp.QuadForm(x, cp.Constant(matrix))


TWINS: tuple[Twin, ...] = (
    Twin("abs", cp.abs),
    Twin("pos", cp.pos),
    Twin("neg", cp.neg),
    Twin("maximum", cp.maximum, ((3,), (3,))),
    Twin("minimum", cp.minimum, ((3,), (3,))),
    Twin("maximum", cp.maximum, ((3,), (), (3,))),
    Twin("max", cp.max),
    Twin("max", cp.max, ((2, 3),)),
    Twin("min", cp.min),
    Twin("sum_largest", lambda x: cp.sum_largest(x, 2), constants=(2,)),
    Twin("sum_smallest", lambda x: cp.sum_smallest(x, 2), constants=(2,)),
    Twin("huber", cp.huber),
    Twin("huber", lambda x: cp.huber(x, 0.5), constants=(0.5,)),
    Twin("square", cp.square),
    Twin("sqrt", cp.sqrt, domain="nonneg"),
    Twin("inv_pos", cp.inv_pos, domain="nonneg"),
    Twin("sum_squares", cp.sum_squares),
    Twin("sum_squares", cp.sum_squares, ((2, 3),)),
    Twin("quad_over_lin", cp.quad_over_lin, ((3,), ()), domain="nonneg"),
    Twin("quad_over_lin", lambda x: cp.quad_over_lin(x, 2), constants=(2,)),
    Twin("quad_form", _quad_form(P), ((2,),), (P,)),
    Twin("quad_form", _quad_form(-P), ((2,),), (-P,)),
    *(Twin("power", lambda x, p=p: cp.power(x, p), constants=(p,)) for p in (0, 1, 2, 4, 8)),
    *(
        Twin("power", lambda x, p=p: cp.power(x, p), constants=(p,), domain="nonneg")
        for p in (0.5, -1, 3, 1.5, 0.25, -2, -0.5)
    ),
    Twin("exp", cp.exp),
    Twin("log", cp.log, domain="nonneg"),
    Twin("log1p", cp.log1p, domain="nonneg"),
    Twin("entr", cp.entr, domain="nonneg"),
    Twin("rel_entr", cp.rel_entr, ((3,), (3,)), domain="nonneg"),
    Twin("kl_div", cp.kl_div, ((3,), (3,)), domain="nonneg"),
    Twin("logistic", cp.logistic),
    Twin("log_sum_exp", cp.log_sum_exp),
    Twin("geo_mean", cp.geo_mean, domain="nonneg"),
    Twin("geo_mean", lambda x: cp.geo_mean(x, [1, 2, 1]), constants=(np.array([1.0, 2.0, 1.0]),), domain="nonneg"),
    Twin("norm1", cp.norm1),
    Twin("norm1", cp.norm1, ((2, 3),)),
    Twin("norm_inf", cp.norm_inf),
    Twin("norm2", cp.norm2),
    Twin("norm2", cp.sigma_max, ((2, 3),)),
    Twin("norm_fro", lambda x: cp.norm(x, "fro"), ((2, 3),)),
    Twin("sigma_max", cp.sigma_max, ((2, 3),)),
    Twin("norm_nuc", cp.normNuc, ((2, 3),)),
    Twin("lambda_max", cp.lambda_max, ((2, 2),), domain="symmetric"),
    Twin("lambda_min", cp.lambda_min, ((2, 2),), domain="symmetric"),
    Twin("log_det", cp.log_det, ((2, 2),), domain="psd"),
    Twin("scalene", lambda x: cp.scalene(x, 2, 3), constants=(2, 3)),
    Twin("scalene", lambda x: cp.scalene(x, -2, -3), constants=(-2, -3)),
    Twin("xexp", cp.xexp, domain="nonneg"),
    Twin("loggamma", cp.loggamma, domain="nonneg"),
    Twin("log_normcdf", cp.log_normcdf),
    Twin("ptp", cp.ptp),
    Twin("ptp", cp.ptp, ((2, 3),)),
    Twin("cvar", lambda x: cp.cvar(x, 0.5), constants=(0.5,)),
    Twin("cummax", cp.cummax),
    Twin("dotsort", lambda x: cp.dotsort(x, [0, 2, 1]), constants=(np.array([0.0, 2.0, 1.0]),)),
    Twin("dotsort", lambda x: cp.dotsort(x, [-3, 1]), constants=(np.array([-3.0, 1.0]),)),
    Twin("dotsort", lambda x: cp.dotsort(x, [-3]), constants=(np.array([-3.0]),)),
    Twin("tv", cp.tv),
    Twin("tv", cp.tv, ((2, 3),)),
    Twin("harmonic_mean", cp.harmonic_mean, domain="nonneg"),
    Twin("inv_prod", cp.inv_prod, domain="nonneg"),
    Twin("var", cp.var),
    Twin("var", lambda x: cp.var(x, ddof=1), constants=(1,)),
    Twin("std", cp.std),
    Twin("std", lambda x: cp.std(x, ddof=1), ((2, 3),), (1,)),
    Twin("matrix_frac", lambda x: cp.matrix_frac(x, P), ((2,),), (P,)),
    Twin("matrix_frac", lambda x: MatrixFrac(x, cp.Constant(P)), ((2, 3),), (P,)),
    Twin("matrix_frac", cp.matrix_frac, ((2,), (2, 2)), domain="definite"),
    Twin("matrix_frac", cp.matrix_frac, ((2, 3), (2, 2)), domain="definite"),
    *(Twin("pnorm", lambda x, p=p: cp.pnorm(x, p), constants=(p,)) for p in (1, 2, np.inf, 1.5, 3)),
    *(Twin("pnorm", lambda x, p=p: cp.pnorm(x, p), constants=(p,), domain="nonneg") for p in (0.5, -1)),
    *(
        Twin("mixed_norm", lambda x, p=p, q=q: cp.mixed_norm(x, p, q), ((2, 3),), (p, q))
        for p, q in ((2, 1), (1, 2), (2, 3), (1, np.inf), (np.inf, 2), (np.inf, np.inf))
    ),
    Twin("lambda_sum_largest", lambda x: cp.lambda_sum_largest(x, 1.5), ((2, 2),), (1.5,), domain="symmetric"),
    Twin("lambda_sum_smallest", lambda x: cp.lambda_sum_smallest(x, 1), ((2, 2),), (1,), domain="symmetric"),
    Twin("tr_inv", cp.tr_inv, ((2, 2),), domain="psd"),
    Twin("von_neumann_entr", lambda x: cp.von_neumann_entr(symmetric_wrap(x)), ((2, 2),), domain="psd"),
    Twin(
        "quantum_rel_entr",
        lambda x, y: cp.quantum_rel_entr(symmetric_wrap(x), symmetric_wrap(y)),
        ((2, 2), (2, 2)),
        domain="density",
    ),
)
BY_LABEL = {twin.label: twin for twin in TWINS}
