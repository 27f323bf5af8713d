"""Values from their texts: numbers, arrays and a few functions, in the syntax of the language. Nothing else is run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from dpplang.core.source import Source
from dpplang.repl.state import Refused
from dpplang.syntax import ast
from dpplang.syntax.parser import parse_expression

MAX_ENTRIES = 50_000_000
Array = NDArray[np.float64]

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "abs": np.abs, "sum": np.sum, "mean": np.mean, "max": np.max,
    "min": np.min, "diag": np.diag, "chol": np.linalg.cholesky, "inv": np.linalg.inv,
}  # fmt: skip
_SHAPED = ("randn", "rand", "ones", "zeros")
NAMES = (*_SHAPED, "psd", "eye", "linspace", "arange", *_FUNCTIONS)


def evaluate(name: str, text: str, known: Mapping[str, Any], seed: int) -> Array:
    """The value of a text.

    Args:
        name: of the tensor it is for: with ``seed`` it makes the random numbers. known: values and sizes by name.

    Raises:
        Refused: the text is no such expression, or has no value.
    """
    node, found = parse_expression(Source(f"<value of {name}>", text))
    if node is None:
        reason = next((d.message for d in found if d.is_error), "")
        raise Refused(f"`{text}` is no value for `{name}`: {reason}", "`:help bind` shows what a value may be")
    rng = np.random.default_rng([seed, crc32(name.encode())])
    try:
        with np.errstate(all="ignore"):
            return np.asarray(_Evaluation(known, rng).value(node), dtype=np.float64)
    except (ValueError, TypeError, IndexError, np.linalg.LinAlgError, MemoryError) as error:
        raise Refused(f"`{text}` has no value: {error}") from None


def selection(shape: tuple[int, ...], items: str, shown: str) -> Array:
    """An array of ones at the entries that ``items`` of ``x[items]`` select, of zeros elsewhere.

    Raises:
        Refused: they select nothing.
    """
    chosen = np.zeros(shape)
    node, _ = parse_expression(Source("<output>", f"x[{items}]"))
    if not isinstance(node, ast.Index):
        raise Refused(f"`{shown}` is no output, nor entries of one", "as in `:grad x[0, 1:]`")
    evaluation = _Evaluation({}, np.random.default_rng(0))
    try:
        chosen[tuple(evaluation.item(i) for i in node.items)] = 1.0
    except IndexError:
        raise Refused(f"`{shown}` is out of range", f"its shape is {list(shape)}") from None
    return chosen


@dataclass(frozen=True, slots=True)
class _Evaluation:
    known: Mapping[str, Any]
    rng: np.random.Generator

    def value(self, node: ast.Expr | ast.Slice | ast.Generator | ast.Condition) -> Any:
        match node:
            case ast.Number():
                return node.value
            case ast.Name(name="inf"):
                return np.inf
            case ast.Name(name=name):
                if name not in self.known:
                    have = ", ".join(f"`{n}`" for n in self.known) or "nothing yet"
                    raise Refused(f"`{name}` has no value yet", f"known are {have}")
                return self.known[name]
            case ast.Unary(op=op, operand=operand):
                return -self.value(operand) if op == "-" else self.value(operand)
            case ast.Binary():
                return self._operation(node)
            case ast.Transpose(operand=operand):
                return np.transpose(self.value(operand))
            case ast.Array(elements=elements):
                return np.array([self.value(e) for e in elements], dtype=np.float64)
            case ast.Index(operand=operand, items=items):
                return np.asarray(self.value(operand))[tuple(self.item(i) for i in items)]
            case ast.Call():
                return self._call(node)
            case _:
                raise Refused(f"`{node.span.text}` is no value", "`:help bind` shows what a value may be")

    def _operation(self, node: ast.Binary) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        match node.op:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return np.divide(left, right)
            case "@":
                return np.matmul(left, right)
            case _:
                return np.power(np.asarray(left, dtype=np.float64), right)

    def item(self, item: ast.Expr | ast.Slice) -> Any:
        if isinstance(item, ast.Slice):
            ends = (None if e is None else self._size(e) for e in (item.start, item.stop))
            return slice(*ends)
        return self._size(item)

    def _size(self, node: ast.Expr | ast.Generator | ast.Condition) -> int:
        value = self.value(node)
        if np.ndim(value) or value != int(value):
            raise Refused(f"`{node.span.text}` is not a whole number")
        return int(value)

    def _call(self, node: ast.Call) -> Any:
        name, arguments = node.function.name, node.arguments
        if node.keywords or name not in NAMES:
            raise Refused(f"`{node.span.text}` is no value", f"the functions of values are {', '.join(NAMES)}")
        if name in _FUNCTIONS:
            (value,) = self._exactly(1, node)
            return _FUNCTIONS[name](value)
        if name == "linspace":
            low, high, count = self._exactly(3, node)
            return np.linspace(low, high, self._bounded((int(count),))[0])
        shape = self._bounded(tuple(self._size(a) for a in arguments))
        match name:
            case "randn":
                return self.rng.standard_normal(shape)
            case "rand":
                return self.rng.random(shape)
            case "ones":
                return np.ones(shape)
            case "zeros":
                return np.zeros(shape)
            case _:
                self._exactly(1, node)
                n = self._bounded((shape[0], shape[0]))[0]
        if name == "arange":
            return np.arange(n, dtype=np.float64)
        if name == "eye":
            return np.eye(n)
        root = self.rng.standard_normal((n, n))
        return root @ root.T / n + 0.1 * np.eye(n)

    def _exactly(self, count: int, node: ast.Call) -> list[Any]:
        if len(node.arguments) != count:
            raise Refused(f"`{node.function.name}` takes {count} argument{'s' if count > 1 else ''} here")
        return [self.value(a) for a in node.arguments]

    def _bounded(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        if any(n < 0 for n in shape) or prod(shape) > MAX_ENTRIES:
            raise Refused(f"an array of shape {list(shape)} is too large", f"at most {MAX_ENTRIES} entries")
        return shape
