"""Every row of the table, by name; nothing is drawn or built before it is asked for."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.work import Work
from benchmarks.works.dense_qp import dense_qp
from benchmarks.works.density import density
from benchmarks.works.logistic import logistic
from benchmarks.works.norm_ball import norm_ball
from benchmarks.works.relu import relu
from benchmarks.works.sparse_qp import sparse_qp

WORKS: dict[str, Callable[[], Work]] = {
    "dense-qp-128-quad": lambda: dense_qp(128, 128, "quad_form"),
    "dense-qp-128-factor": lambda: dense_qp(128, 128, "factor"),
    "dense-qp-32-quad": lambda: dense_qp(32, 32, "quad_form"),
    "dense-qp-32-factor": lambda: dense_qp(32, 32, "factor"),
    "sparse-qp-256": lambda: sparse_qp(1024, 256, 1024, 32),
    "sparse-qp-1024": lambda: sparse_qp(1024, 1024, 1024, 32),
    "relu-1": lambda: relu(1),
    "relu-128": lambda: relu(128),
    "logistic-1": lambda: logistic(1),
    "logistic-128": lambda: logistic(128),
    "norm-ball-1": lambda: norm_ball(1),
    "norm-ball-128": lambda: norm_ball(128),
    "density-1": lambda: density(1),
    "density-128": lambda: density(128),
}
