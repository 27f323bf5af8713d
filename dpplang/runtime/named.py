"""Solutions by name: what the NumPy and the torch face share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dpplang.core.errors import BindError
from dpplang.runtime.outputs import Readouts


class Duals:
    """``solution.dual``: the dual of each named constraint, as an attribute or an item."""

    def __init__(self, solution: Any, names: tuple[str, ...]) -> None:
        self._solution = solution
        self._names = names

    def __getitem__(self, name: str) -> Any:
        return self._solution[f"dual.{name}"]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return attribute(self, name)

    def __dir__(self) -> list[str]:
        return list(self._names)

    def __repr__(self) -> str:
        return f"Duals({', '.join(self._names)})"


def attribute(holder: Any, name: str) -> Any:
    """An item as an attribute: what is not there is an AttributeError with the same words."""
    try:
        return holder[name]
    except BindError as error:
        diagnostic = error.diagnostics[0]
        raise AttributeError("; ".join((diagnostic.message, *diagnostic.help))) from None


class NamedOutputs:
    """Every variable and every named dual by attribute or item; iterating gives what ``return`` names, in its order.

    A face sets ``_readouts`` and says in ``_named`` what a name's array is.
    """

    _readouts: Readouts

    def _named(self, name: str) -> Any:
        raise KeyError(name)

    def __getitem__(self, key: str | int) -> Any:
        """By name, or by position among what ``return`` names.

        Raises:
            BindError: BND720, there is no such output. IndexError: there are not as many.
        """
        return self._named(key if isinstance(key, str) else self.names[key])

    @property
    def names(self) -> tuple[str, ...]:
        return self._readouts.names

    @property
    def dual(self) -> Duals:
        return Duals(self, tuple(n.removeprefix("dual.") for n in self._readouts.known if n.startswith("dual.")))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return attribute(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(n for n in self._readouts.known if n.isidentifier())]

    def __iter__(self) -> Iterator[Any]:
        return (self[name] for name in self.names)

    def __len__(self) -> int:
        return len(self.names)
