"""What a layer returns."""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor

from dpplang.runtime.named import NamedOutputs
from dpplang.runtime.outputs import Readouts
from dpplang.runtime.status import CODES
from dpplang.torch.outputs import Parts, read
from dpplang.torch.untraced import untraced


class Result(NamedOutputs):
    """Solutions of a batch of problems, as tensors that gradients flow through.

    Every variable and every dual is there: ``result["x"]`` or ``result.x``, ``result["dual.ineq"]`` or
    ``result.dual.ineq``, each ``[*batch, *shape]`` in the dtype and on the device of the parameters, read out when it
    is first asked for. Iterating, and so unpacking, gives what ``return`` names, in its order.

    Attributes:
        names: what ``return`` names, in order.
    """

    def __init__(
        self,
        readouts: Readouts,
        parts: Parts,
        batch: tuple[int, ...],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._readouts = readouts
        self._parts = parts
        self._batch = batch
        self._dtype = dtype
        self._device = device
        self._tensors: dict[str, Tensor] = {}

    @property
    def value(self) -> Tensor:
        """Optimal values ``[*batch]``, in the user's sense."""
        return self._parts.value.reshape(self._batch).to(device=self._device, dtype=self._dtype)

    @property
    def status(self) -> Tensor:
        """Per element ``[*batch]`` a number: the place of its status in ``status_names``; 0 is ``solved``."""
        return self._parts.codes.reshape(self._batch).to(self._device)

    @property
    def status_names(self) -> tuple[str, ...]:
        """Words for the numbers of ``status``."""
        return tuple(s.value for s in CODES)

    @property
    def failed(self) -> Tensor:
        """Which elements ``[*batch]`` have no solution, and are NaN throughout."""
        return self._parts.failed.reshape(self._batch).to(self._device)

    @untraced
    def _named(self, name: str) -> Tensor:
        if name not in self._tensors:
            readout = self._readouts[name]
            tensor = read(readout, self._parts).reshape((*self._batch, *readout.shape))
            self._tensors[name] = tensor.to(device=self._device, dtype=self._dtype)
        return self._tensors[name]

    def __repr__(self) -> str:
        words = Counter(CODES[code].value for code in self._parts.codes.tolist())
        counted = ", ".join(f"{k} {word}" if self._batch else word for word, k in words.items()) or "none"
        shown = ", ".join(f"{n} {[*self._batch, *self._readouts[n].shape]}" for n in self.names)
        return f"Result({counted}; {shown})"
