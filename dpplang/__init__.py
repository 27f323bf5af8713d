"""dpplang: a language for differentiable convex optimization.

``load`` and ``parse`` give a checked :class:`Problem`; ``dpplang.torch.Layer`` makes it a PyTorch module.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dpplang.core.diagnostics import Diagnostic
from dpplang.core.errors import BindError, DiagnosticsError, DppError, InternalError, SolveError

if TYPE_CHECKING:
    from dpplang.convert.conversion import Converted, from_cvxpy
    from dpplang.convert.refusal import ConversionError
    from dpplang.pipeline import Problem, load, parse
    from dpplang.runtime.options import Smoothed

__version__ = "0.1.0"

__all__ = [
    "BindError",
    "ConversionError",
    "Converted",
    "Diagnostic",
    "DiagnosticsError",
    "DppError",
    "InternalError",
    "Problem",
    "Smoothed",
    "SolveError",
    "from_cvxpy",
    "load",
    "parse",
]


def __getattr__(name: str) -> object:
    # Resolved on first use: importing one floor (the runtime, say) must not load those above it.
    if name in ("Problem", "load", "parse"):
        return getattr(import_module("dpplang.pipeline"), name)
    if name in ("Converted", "from_cvxpy"):
        return getattr(import_module("dpplang.convert.conversion"), name)
    if name == "ConversionError":
        return import_module("dpplang.convert.refusal").ConversionError
    if name == "Smoothed":
        return import_module("dpplang.runtime.options").Smoothed
    raise AttributeError(f"module 'dpplang' has no attribute {name!r}")
