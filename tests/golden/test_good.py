"""Good programs: nothing is said of them, they print back as what they are, and they lower to a program."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dpplang.core.source import Source
from dpplang.pipeline import Compilation, Problem
from dpplang.semantics.loader import Loader
from dpplang.semantics.tree import Symbol
from dpplang.syntax.parser import parse
from dpplang.syntax.printer import print_file
from tests.golden.corpus import GOOD, findings, program


@pytest.mark.parametrize("path", GOOD, ids=lambda p: program(p).name)
def test_nothing_is_said(path) -> None:
    assert not findings(path).codes, findings(path).text


@pytest.mark.parametrize("path", GOOD, ids=lambda p: program(p).name)
def test_it_prints_as_itself(path) -> None:
    file = parse(Source(path.name, path.read_text(encoding="utf-8"))).file
    again = parse(Source(path.name, print_file(file)))
    assert again.file == file and not again.diagnostics


def test_there_are_programs_of_many_fields() -> None:
    assert len(GOOD) >= 75
    assert len({p.parent.name for p in GOOD}) >= 7


@pytest.mark.parametrize("path", GOOD, ids=lambda p: program(p).name)
def test_it_lowers(path) -> None:
    """At small sizes, with data that are what they are declared to be."""
    problem = Problem(Compilation(Source(path.name, path.read_text(encoding="utf-8")), Loader.beside(path)))
    sizes = {d.name: d.default or 4 for d in problem.model.dims}
    data = {d.name: _values(d, sizes) for d in problem.model.data if d.default is None}
    assert problem.compile(sizes, data).A.shape[1] > 0 or problem.model.objective is not None


def _values(symbol: Symbol, sizes: dict[str, int]) -> np.ndarray:
    shape = tuple(axis.evaluate(sizes) for axis in symbol.shape)
    square = any(symbol.has(a) for a in ("psd", "symmetric", "diagonal")) or (
        symbol.name == "mask" and len(set(shape)) == 1
    )
    return np.eye(shape[0]) if square else np.linspace(0.5, 1.5, math.prod(shape)).reshape(shape)
