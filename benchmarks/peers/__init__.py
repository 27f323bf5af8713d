"""The peers, one adapter a file: from a work to its layers, as labels and functions that make them.

``make()`` gives a function of the work's tensors that returns the first output as a tensor with a gradient. What is
not installed or cannot take a problem raises when it is made or called, and becomes a remark in the table.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch

from benchmarks.peers import cvxpylayers, diffapqp, dpplang, moreau, proxsuite, qpth
from benchmarks.work import Tensors, Work

Layer: TypeAlias = Callable[[Tensors], torch.Tensor]

OURS = "dpplang"


def layers(work: Work) -> dict[str, Callable[[], Layer]]:
    """Ours first, then every peer that could in principle take the work."""
    found: dict[str, Callable[[], Layer]] = {OURS: lambda: dpplang.layer(work)}
    for twin in work.twins:
        form = f", {twin.form}" if twin.form else ""
        if twin.form != "quad_form":  # diffcp has no quadratic objectives
            found[f"cvxpylayers + diffcp{form}"] = lambda twin=twin: cvxpylayers.layer(twin, None)
        if work.plain_cones:  # at its defaults SCS is good to about 1e-3
            found[f"cvxpylayers + diffcp, eps = 1e-7{form}"] = lambda twin=twin: cvxpylayers.layer(twin, None, eps=1e-7)
        found[f"cvxpylayers + Moreau{form}"] = lambda twin=twin: cvxpylayers.layer(twin, "MOREAU")
        if work.plain_cones:
            found[f"cvxpylayers + Moreau, cones kept{form}"] = lambda twin=twin: cvxpylayers.layer(twin, "MOREAU", True)
    if work.qp is not None:
        found["Moreau directly"] = lambda: moreau.layer(work, "auto")
        found["Moreau directly, interior point"] = lambda: moreau.layer(work, "ipm")
        found["proxsuite"] = lambda: proxsuite.layer(work)
        found["qpth"] = lambda: qpth.layer(work)
        if work.data:  # DiffAPQP takes parameters in q, b and h only
            found["DiffAPQP, OSQP"] = lambda: diffapqp.layer(work, "OSQP")
            found["DiffAPQP, Clarabel"] = lambda: diffapqp.layer(work, "CLARABEL")
    return found
