"""Whether a program that came from a file hangs together: sizes, ranges, names, expressions that evaluate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any

import numpy as np

from dpplang.asa.evaluate import LEAVES, RULES, evaluate, in_order
from dpplang.asa.evaluate_elementwise import ELEMENTWISE
from dpplang.asa.evaluate_rule import integer
from dpplang.asa.numeric import Numeric
from dpplang.asa.program import OutputMap, Parameter, Program
from dpplang.core.errors import InternalError

ATTRIBUTES = frozenset({"nonneg", "nonpos", "pos", "neg", "psd", "nsd", "symmetric", "diagonal", "sparse"})
SENSES = frozenset({"minimize", "maximize", "find"})
KINDS = frozenset({"constraint", "atom", "attribute", "definition"})
LARGEST = 2 * 10**8
"""Entries that all values within a program's derived parameters may have together."""


class FormatError(Exception):
    """What is wrong with a file, in words that go on from "it is not a program: …"."""


def validate(program: Program) -> None:
    """Raises:
    FormatError: the first inconsistency found.
    """
    for problem in _problems(program):
        raise FormatError(problem)


def _problems(program: Program) -> Iterator[str]:
    n, m = program.n, program.m
    cones = program.cones
    if program.sense not in SENSES:
        yield f"its sense is `{program.sense}`"
    if program.P.shape != (n, n) or program.q.size != n or program.d.size != 1 or program.b.size != m:
        yield "the sizes of P, q, d, A and b do not agree"
    if cones.zero < 0 or cones.nonneg < 0 or cones.exp < 0 or cones.rows != m:
        yield f"its cones have {cones.rows} rows, and A has {m}"
    if any(not 0 < a < 1 for a in cones.pow) or 0 in cones.soc:
        yield "a power cone's exponent is not between 0 and 1, or a second-order cone is empty"
    for name, matrix in (("P", program.P), ("A", program.A)):
        if matrix.nnz != matrix.indices.shape[0]:
            yield f"`{name}` has {matrix.indices.shape[0]} positions and {matrix.nnz} values"
        column = np.repeat(np.arange(matrix.shape[1]), np.diff(matrix.indptr))
        if np.any(np.diff(matrix.indices)[np.diff(column) == 0] <= 0):
            yield f"the rows of `{name}` are not sorted"
        if name == "P" and np.any(matrix.indices > column):
            yield "`P` is not an upper triangle"
    for group in (program.outputs, program.variables, program.duals):
        yield from (p for output in group for p in _output_problems(output, n + m + 2))
    yield from _row_problems(program)
    yield from _parameter_problems(program)


def _output_problems(output: OutputMap, columns: int) -> Iterator[str]:
    size = prod(output.shape)
    if not output.rows.shape == output.columns.shape == (output.values.size,):
        yield f"the output `{output.name}` has positions and values of different number"
        return
    ranges = ((output.rows, size), (output.columns, columns))
    if any(at.size and not 0 <= at.min() <= at.max() < k for at, k in ranges):
        yield f"a position of the output `{output.name}` is out of range"


def _row_problems(program: Program) -> Iterator[str]:
    at = 0
    for block in program.rows:
        if block.start != at or block.stop < block.start or block.kind not in KINDS:
            yield "the provenance of its rows is inconsistent"
            return
        at = block.stop
    if at != program.m:
        yield f"the provenance of its rows covers {at} of {program.m}"


def _parameter_problems(program: Program) -> Iterator[str]:
    known: dict[str, Any] = {}
    spent = sum(prod(n.shape) for p in program.parameters if p.value is not None for n in in_order(p.value))
    if spent > LARGEST:
        yield f"its derived parameters would take {spent} entries"
    for name, value in program.constants:
        if name in known:
            yield f"two constants are named `{name}`"
        known[name] = value
    offset, derived = 0, False
    for parameter in program.parameters:
        if parameter.name in known:
            yield f"`{parameter.name}` is there twice"
        if parameter.offset != offset or (derived and parameter.value is None):
            yield "its parameters are not in order"
        offset += parameter.size
        derived = parameter.value is not None
        if not ATTRIBUTES.issuperset(parameter.attributes):
            yield f"`{parameter.name}` has an attribute that does not exist"
        if parameter.support is not None and any(not 0 <= i < parameter.size for i in parameter.support):
            yield f"the support of `{parameter.name}` is out of range"
        if parameter.value is not None:
            yield from _value_problems(parameter, parameter.value, known)
        known[parameter.name] = np.broadcast_to(np.ones(()), parameter.shape)


def _value_problems(parameter: Parameter, value: Numeric, known: Mapping[str, Any]) -> Iterator[str]:
    """Every node evaluated at ones: it must exist, refer to what is there, and have the static shape it states.

    One node at a time, and no node whose stated shape its operands cannot give, so that a lie is found before it costs.
    """
    results: dict[int, Any] = {}
    for node in in_order(value):
        least, most = (0, 0) if node.op in LEAVES else RULES[node.op].arity if node.op in RULES else (1, 0)
        if len(node.args) < least or (most is not None and len(node.args) > most):
            yield f"`{parameter.name}` uses an operation `{node.op}` with {len(node.args)} operands"
            return
        if node.op == "ref" and node.option("name") not in known:
            yield f"`{parameter.name}` refers to `{node.option('name')}`, which is not there before it"
            return
        operands = {str(i): results[id(a)] for i, a in enumerate(node.args)}
        refs = tuple(Numeric("ref", (), a.shape, (("name", str(i)),)) for i, a in enumerate(node.args))
        single = node if node.op in LEAVES else Numeric(node.op, refs, node.shape, node.options)
        try:
            if not _possible(node):
                raise ValueError
            result = evaluate(single, operands or known, np)
        except (InternalError, ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError):
            yield f"`{parameter.name}` cannot be evaluated: `{node.op}` does not fit its operands"
            return
        if tuple(result.shape) != node.shape:
            stated = f"states the shape {list(node.shape)} and has {list(result.shape)}"
            yield f"within `{parameter.name}`, `{node.op}` {stated}"
            return
        results[id(node)] = result
    if value.shape != parameter.shape:
        yield f"`{parameter.name}` has the shape {list(parameter.shape)}, and its expression {list(value.shape)}"


def _possible(node: Numeric) -> bool:
    """Whether an operation whose result may be far larger than its operands makes only what it states."""
    shapes = [a.shape for a in node.args]
    if node.op in ELEMENTWISE:
        return all(s in ((), node.shape) for s in shapes)
    match node.op:
        case "outer":
            return node.shape == (*shapes[0], *shapes[1])
        case "kron":
            return prod(node.shape) == prod(shapes[0]) * prod(shapes[1])
        case "convolve":
            return prod(shapes[0]) * prod(shapes[1]) <= LARGEST
        case "matmul":
            return node.shape == (*shapes[0][:-1], *(shapes[1][1:] if len(shapes[1]) == 2 else ()))
        case "diag":
            return len(shapes[0]) == 2 or node.shape == shapes[0] * 2
        case "diff":
            return integer(node, "k", 1) <= max(shapes[0], default=0)
        case _:
            return True
