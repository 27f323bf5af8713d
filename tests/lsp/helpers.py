"""Views of texts with a marked place: `‸` is the cursor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol.converters import get_converter

from dpplang.lsp.analysis import Session
from dpplang.lsp.lines import Encoding, Lines
from dpplang.lsp.view import View

T = TypeVar("T")
CONVERTER = get_converter()
URI = "file:///project/a.dpp"

PORTFOLIO = """\
## Multi-period Markowitz portfolio.
dim T = 12, n, k
data  F[n, k]
param mu[T, n], w0[n], Omega[k, k] psd, d[n] nonneg
param gamma pos, kappa[n] nonneg, tau nonneg
derived R[k, n] = sqrt(gamma) * chol(Omega)' @ F'
derived s[n]    = sqrt(gamma * d)
## What a position may lose.
func risk(x[n]) = sum_squares(R @ x) + sum_squares(s * x)
var w[T + 1, n], u[T, n]

maximize sum(mu[t]' @ w[t+1] - risk(w[t+1]) - kappa' @ abs(u[t]) for t in T)
subject to
  start:            w[0] == w0
  balance[t in T]:  w[t+1] == w[t] + u[t]
  budget[t in T]:   sum(w[t+1]) == 1
  long[t in T]:     0 <= w[t+1] <= 0.2
  turn[t in T]:     norm1(u[t]) <= tau

return w[1:], dual budget
"""


def view_of(text: str, path: Path | None = None, encoding: Encoding = Encoding.UTF32) -> View:
    session = Session("a.dpp", path)
    return View(URI if path is None else path.as_uri(), session.analyze(text), Lines(text, encoding))


def marked(text: str, path: Path | None = None) -> tuple[View, int]:
    """The view of a text without its mark, and the offset of that."""
    offset = text.index("‸")
    return view_of(text[:offset] + text[offset + 1 :], path), offset


def at(text: str, needle: str, inside: int = 0) -> tuple[View, int]:
    """The view of a text, and the offset of the first occurrence of a part of it."""
    return view_of(text), text.index(needle) + inside


def received(text: str, kind: type[T]) -> T:
    """What a client makes of a result that is written as it is sent."""
    return CONVERTER.structure(json.loads(text), kind)


def sent(result: Any) -> Any:
    """A result of the protocol's objects, as it is sent."""
    return CONVERTER.unstructure(result)
