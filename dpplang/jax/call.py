"""One call of a layer on the host: NumPy arrays in, NumPy arrays out, all that is between them in float64.

JAX calls these functions from compiled code, any number of times and from any thread, with nothing but arrays; so what
a derivative needs of its solve is found again by content (:mod:`dpplang.runtime.recall`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dpplang.runtime.checks import Given, batch_shape, tolerance
from dpplang.runtime.recall import Arrays, Recall
from dpplang.runtime.runner import Runner
from dpplang.runtime.solution import Solution, refuse_bent

Shape = tuple[int, ...]


class Call:
    """What a layer's call is beside the arrays that JAX follows. Compared by identity.

    Attributes:
        names: of the parameters whose arrays JAX follows, in the order of its operands. outputs: of all outputs.
        dtype: of the outputs.

    Args:
        fixed: per name, the values of the other parameters, in float64 whatever JAX's widest type is.
        on_failure: as for a layer.
    """

    def __init__(
        self, runner: Runner, names: Sequence[str], fixed: Mapping[str, Given], on_failure: str, dtype: np.dtype[Any]
    ) -> None:
        self._runner, self._fixed, self._on_failure = runner, dict(fixed), on_failure
        self.names, self.dtype = tuple(names), dtype
        self.outputs = runner.readouts.known
        self._own = {p.name: p.shape for p in runner.program.parameters}
        self._recall = Recall(self._solved)

    def __repr__(self) -> str:
        return self._runner.program.name

    def own(self, place: int) -> Shape:
        """The shape of an operand without batch dims."""
        return self._own[self.names[place]]

    def batch(self, shapes: Sequence[Shape]) -> Shape:
        """The broadcast batch dims for operands of these shapes.

        Raises:
            BindError: shapes that do not fit (BND712, BND716).
        """
        fixed = {name: given.array.shape for name, given in self._fixed.items()}
        return batch_shape(self._runner.program, {**fixed, **dict(zip(self.names, shapes, strict=True))})

    def shapes(self, batch: Shape) -> list[Shape]:
        """Of the outputs."""
        return [(*batch, *self._runner.readouts[name].shape) for name in self.outputs]

    def solve(self, values: Sequence[NDArray[Any]], *, keep: bool) -> list[NDArray[Any]]:
        """Every output ``[*batch, *shape]``, then the statuses as numbers.

        Args:
            values: the operands, ``[*batch_k, *shape]`` each. keep: whether a derivative may follow.

        Raises:
            BindError: values that are not what was declared. SolveError: an element failed and the layer raises.
        """
        if not keep:
            return self._out(self._solved(tuple(values)))
        with self._recall.at(values) as solution:
            return self._out(solution)

    def refuse_bent(self, places: Sequence[int]) -> None:
        """Raises:
        DppError: there is no second derivative in a direction that moves the operands at these places.
        """
        refuse_bent(self._runner.program, [self.names[k] for k in places])

    def derivative(
        self,
        values: Sequence[NDArray[Any]],
        upstream: Mapping[int, NDArray[Any]] | None,
        directions: Sequence[Mapping[int, NDArray[Any]]],
        wanted: Sequence[int],
        ahead: int,
    ) -> list[NDArray[Any]]:
        """Derivatives of order 1 or 2.

        Args:
            upstream: per place of an output, its gradient ``[*D, *batch, *shape]``; None in forward mode.
            directions: per place of an operand that moves, ``[*D, *batch_k, *shape]``.
            wanted: places of the operands whose gradients are.
            ahead: the number of the dims D.

        Returns:
            With an upstream gradient those of ``wanted``, ``[*D, *batch_k, *shape]``; else every output as it moves,
            ``[*D, *batch, *shape]``.
        """
        groups = [*([] if upstream is None else [upstream]), *directions]
        many = next(iter(groups[0].values())).shape[:ahead]
        names = self.outputs if upstream is None else tuple(self.names[k] for k in wanted)
        with self._recall.at(values, differentiate=True) as solution:
            if upstream is None:
                out = [np.empty((*many, *np.shape(solution[name])), self.dtype) for name in names]
            else:
                out = [np.empty((*many, *values[k].shape), values[k].dtype) for k in wanted]
            for index in np.ndindex(many):
                along = [{self.names[k]: _double(d[index]) for k, d in group.items()} for group in directions]
                if upstream is None:
                    found = solution.tangent(*along)
                else:
                    gradients = {self.outputs[k]: _double(g[index]) for k, g in upstream.items()}
                    found = solution.backward(gradients, names, *along)
                for array, name in zip(out, names, strict=True):
                    array[index] = found[name]
        return out

    def _solved(self, values: Arrays) -> Solution:
        given = {n: Given(_double(v), _precision(v)) for n, v in zip(self.names, values, strict=True)}
        return self._runner.solve({**self._fixed, **given}, on_failure=self._on_failure)

    def _out(self, solution: Solution) -> list[NDArray[Any]]:
        with np.errstate(over="ignore"):
            outputs = [np.asarray(solution[name], dtype=self.dtype) for name in self.outputs]
        return [*outputs, solution.codes.astype(np.int32)]


def _double(array: NDArray[Any]) -> NDArray[np.float64]:
    return np.array(array, dtype=np.float64)


def _precision(array: NDArray[Any]) -> float:
    return tolerance(8 if array.dtype.kind in "iub" else array.dtype.itemsize)
