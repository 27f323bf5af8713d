"""Every atom beside CVXPY's, and the shapes of its convex arguments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
import numpy as np

P = np.array([[2.0, 0.5], [0.5, 1.0]])
"""A positive definite matrix with nonnegative entries."""


@dataclass(frozen=True)
class Twin:
    """``cvxpy`` takes the convex arguments; ``constants`` go to ours behind them, by value.

    ``shapes`` are those of the convex arguments. ``domain`` names where a value may be drawn: ``any``, ``nonneg`` (and
    positive, for the value), ``symmetric``, ``psd``.
    """

    name: str
    cvxpy: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...] = ((3,),)
    constants: tuple[Any, ...] = ()
    domain: str = "any"

    @property
    def label(self) -> str:
        return "-".join([self.name, *("x".join(map(str, s)) or "scalar" for s in self.shapes), *map(_short, self.constants)])


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
)
BY_LABEL = {twin.label: twin for twin in TWINS}
