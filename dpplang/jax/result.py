"""What a layer returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.core import Tracer
from jax.tree_util import GetAttrKey

from dpplang.runtime.named import NamedOutputs
from dpplang.runtime.outputs import Readouts
from dpplang.runtime.status import CODES, LAST_OK


@jax.tree_util.register_pytree_with_keys_class
class Result(NamedOutputs):
    """Solutions of a batch of problems, as JAX arrays; itself a pytree, so that a compiled function may return it.

    Every variable and every dual is there: ``result["x"]`` or ``result.x``, ``result["dual.ineq"]`` or
    ``result.dual.ineq``, each ``[*batch, *shape]`` in the dtype of the parameters. Iterating, and so unpacking, gives
    what ``return`` names, in its order.

    Attributes:
        names: what ``return`` names, in order.
        value: optimal values ``[*batch]``, in the user's sense.
        status: per element ``[*batch]`` a number: the place of its status in ``status_names``; 0 is ``solved``.
        status_names: words for the numbers of ``status``.
    """

    status_names = tuple(s.value for s in CODES)

    def __init__(self, readouts: Readouts, arrays: Mapping[str, Any], status: Any) -> None:
        self._readouts = readouts
        self._arrays = dict(arrays)
        self.status = status

    @property
    def value(self) -> jax.Array:
        return self["value"]

    @property
    def failed(self) -> jax.Array:
        """Which elements ``[*batch]`` have no solution, and are NaN throughout."""
        return self.status > LAST_OK

    def _named(self, name: str) -> Any:
        return self._arrays[name if name in self._arrays else self._readouts[name].name]

    def __repr__(self) -> str:
        if not isinstance(self.status, jax.Array):  # a pytree holds whatever was made of its leaves
            return f"Result({', '.join(f'{n}={self[n]!r}' for n in self.names)})"
        shown = ", ".join(f"{n} {[*self[n].shape]}" for n in self.names)
        if isinstance(self.status, Tracer):
            return f"Result(traced; {shown})"
        words = Counter(CODES[code].value for code in np.ravel(self.status).tolist())
        counted = ", ".join(f"{k} {word}" if np.ndim(self.status) else word for word, k in words.items()) or "none"
        return f"Result({counted}; {shown})"

    def tree_flatten_with_keys(self) -> Any:
        children = [*self._arrays.items(), ("status", self.status)]
        return [(GetAttrKey(name), child) for name, child in children], (self._readouts, tuple(self._arrays))

    @classmethod
    def tree_unflatten(cls, kind: tuple[Readouts, tuple[str, ...]], children: Any) -> Result:
        *arrays, status = children
        return cls(kind[0], dict(zip(kind[1], arrays, strict=True)), status)
