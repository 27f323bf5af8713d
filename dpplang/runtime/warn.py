"""What is worth saying aloud about a solve that did not fail: Python warnings, with their codes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.status import Status

if TYPE_CHECKING:
    from dpplang.runtime.detail import Detail


class SolveWarning(UserWarning):
    """A solution that is less accurate than was asked for (SOL813)."""


class DerivativeWarning(UserWarning):
    """A solution that has no unique derivative (DIF601)."""


def warn_inaccurate(status: NDArray[np.object_], details: Mapping[int, Detail], name: str) -> None:
    """Say which elements stopped short of the tolerance (SOL813)."""
    if not details:
        return
    short = [i for i in details if status[i] is Status.INACCURATE]
    if short:
        worst = max(r.worst for i in short if (r := details[i].residuals) is not None)
        warnings.warn(
            f"[SOL813] {name or 'the program'}: the solver stopped short of its tolerance for {len(short)} of "
            f"{status.size} batch elements (first: {short[0]}; largest relative residual {worst:.1e})",
            SolveWarning,
            stacklevel=3,
        )


def warn_stopped_short(iterations: int, residual: float) -> None:
    """Say that a least-squares solve of a derivative did not reach its tolerance (DIF602)."""
    warnings.warn(
        f"[DIF602] the optimality system is singular, and its solution of least norm was not reached in {iterations} "
        f"iterations: the gradient has a relative error of about {residual:.0e} (`dpp explain DIF602`)",
        DerivativeWarning,
        stacklevel=2,
    )


def warn_no_secant(first: int, name: str) -> None:
    """Say that some elements have no smoothed derivative: both perturbed problems have no solution (DIF603)."""
    warnings.warn(
        f"[DIF603] {name or 'the program'}: with its objective moved by ±tau along the upstream gradient the problem "
        f"has no solution for some batch elements (first: {first}), which get a gradient of zero; a smaller `tau`, or "
        "`rho` above 0, keeps it bounded (`dpp explain DIF603`)",
        DerivativeWarning,
        stacklevel=2,
    )


def warn_singular(names: Sequence[str], why: str, program: str) -> None:
    """Say that some solutions have no unique derivative, with respect to some parameters (DIF601).

    Args:
        names: of the parameters, where they are known. why: what is not unique, with source lines; may be empty.
    """
    which = " with respect to " + ", ".join(f"`{name}`" for name in names) if names else ""
    reason = why or "the optimality system is singular there"
    warnings.warn(
        f"[DIF601] {program or 'the program'}: a solution has no unique derivative{which}: {reason}; "
        "the derivative of least norm is used (`dpp explain DIF601`)",
        DerivativeWarning,
        stacklevel=2,
    )
