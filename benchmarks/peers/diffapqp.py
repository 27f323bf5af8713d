"""DiffAPQP: parameters in q, b and h only; solves over processes, differentiates by one sparse system an element."""

from __future__ import annotations

from benchmarks.work import Tensors, Work

TIGHT = {
    "OSQP": {"eps_abs": 1e-6, "eps_rel": 1e-6, "max_iter": 100_000},
    "CLARABEL": {},
}


def layer(work: Work, solver: str):
    from diffapqp import Layer

    (twin,) = work.twins
    problem, parameters, _ = twin.build()
    made = Layer(problem)

    def call(tensors: Tensors):
        values = {p.name(): t if t.dim() > 1 else t[None] for p, t in zip(parameters, tensors, strict=True)}
        answer, *_ = made(values, solver=solver, solver_args=TIGHT[solver], mode="spsolve")
        x = answer["x"]
        return x if tensors[0].dim() > 1 else x[0]

    return call
