"""Numbers of a problem: short ones stand in the text, the others become ``data``, one for each value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from dpplang.convert import nodes
from dpplang.convert.names import Names
from dpplang.convert.piece import Piece, Shape
from dpplang.convert.refusal import Refusal
from dpplang.syntax import ast

INLINE_ENTRIES = 6
INLINE_CHARACTERS = 24
MOST_ENTRIES = 50_000_000
"""Of one constant: 400 MB."""


class Constants:
    """The constants of one program.

    Attributes:
        data: values of the ``data`` declarations, by name, in order of first use.
    """

    def __init__(self, names: Names, given: Mapping[str, Any]) -> None:
        self.data: dict[str, np.ndarray] = {}
        self._definite: dict[str, str] = {}
        self._names = names
        self._known: dict[tuple[Shape, bytes], str] = {}
        self._given = dict(_keys(given))

    def piece(self, value: Any, wanted: str = "") -> Piece:
        """A constant as an expression.

        Args:
            value: a number, an array, a sparse matrix. wanted: ``psd`` or ``nsd``, if it must be known to be that.

        Raises:
            Refusal: it is complex, not finite, or too large to be written out.
        """
        array = plain(value)
        if array.ndim == 0:
            return Piece(nodes.number(float(array)), ())
        if array.size and not wanted:
            first = float(array.flat[0])
            if np.all(array == first):
                return Piece(nodes.number(first), array.shape, spread=True)
        multiple = _multiple_of_identity(array)
        if multiple is not None:
            return Piece(nodes.binary("*", nodes.number(multiple), self._eye(array)), array.shape)
        key = _key(array)
        if key not in self._given and not wanted and _is_short(array):
            return Piece(nodes.array(array), array.shape)
        return Piece(self._named(array, key, wanted), array.shape)

    def entry(self, value: np.ndarray, wanted: str = "data") -> ast.Name:
        """A declaration of its own for an array, whatever its length."""
        return nodes.name(self._declared(plain(value), _key(plain(value)), wanted))

    def attributes(self, word: str) -> tuple[ast.Attribute, ...]:
        """What the declaration says of its values: what proofs of convexity rest on."""
        value, found = self.data[word], []
        definite = self._definite.get(word)
        if definite:
            found.append(definite)
        elif value.ndim == 2 and value.shape[0] == value.shape[1] > 1 and np.array_equal(value, value.T):
            found.append("symmetric")
        if np.all(value >= 0):
            found.append("nonneg")
        elif np.all(value <= 0):
            found.append("nonpos")
        return tuple(nodes.attribute(one) for one in found)

    def _eye(self, array: np.ndarray) -> ast.Expr:
        return nodes.call("eye", nodes.number(array.shape[0]))

    def _named(self, array: np.ndarray, key: tuple[Shape, bytes], wanted: str) -> ast.Expr:
        """The name of an array that is declared already, as it is, transposed or negated; else of a new declaration."""
        if not wanted and key not in self._known and key not in self._given:
            if array.ndim == 2:
                across = self._found(array.T)
                if across is not None:
                    return nodes.transposed(nodes.name(across))
            opposite = self._found(-array)
            if opposite is not None:
                return nodes.negated(nodes.name(opposite))
        word = self._declared(array, key, "C" if array.ndim > 1 else "c")
        if wanted:
            self._definite[word] = wanted
        return nodes.name(word)

    def _found(self, array: np.ndarray) -> str | None:
        key = _key(array)
        return self._known.get(key) or (self._declared(array, key, "") if key in self._given else None)

    def _declared(self, array: np.ndarray, key: tuple[Shape, bytes], otherwise: str) -> str:
        word = self._known.get(key)
        if word is None:
            word = self._known[key] = self._names.fresh(self._given.get(key, otherwise))
            self.data[word] = array
        return word


def plain(value: Any) -> np.ndarray:
    """A constant as an array of floats.

    Raises:
        Refusal: it is none.
    """
    size = int(np.prod(value.shape)) if hasattr(value, "shape") else 1
    if size > MOST_ENTRIES:
        raise Refusal(f"a constant of {size:,} entries", "a matrix is written out here, the zeros of a sparse one too")
    dense: Any = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if np.iscomplexobj(dense):
        if np.any(dense.imag != 0):
            raise Refusal("a complex constant", "write its real and imaginary parts", code="CVX902")
        dense = dense.real
    dense = np.ascontiguousarray(dense, dtype=float) if dense.ndim else np.asarray(dense, dtype=float)
    if not np.all(np.isfinite(dense)):
        raise Refusal("a constant that is not finite", "leave out what an infinite bound does not bound")
    return dense + 0.0  # no minus zero


def _keys(given: Mapping[str, Any]) -> Iterable[tuple[tuple[Shape, bytes], str]]:
    """Arrays that the caller has a name for, by value; of two names for one value the first counts."""
    for word, thing in reversed(list(given.items())):
        value = getattr(thing, "value", None) if type(thing).__name__ == "Constant" else thing
        if word.startswith("_") or not (isinstance(value, np.ndarray) or hasattr(value, "toarray")):
            continue
        try:
            array = plain(value)
        except (Refusal, TypeError, ValueError):
            continue
        if array.ndim:
            yield _key(array), word


def _key(array: np.ndarray) -> tuple[Shape, bytes]:
    return array.shape, np.ascontiguousarray(array + 0.0).tobytes()


def _multiple_of_identity(array: np.ndarray) -> float | None:
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] < 2 or array[0, 0] == 0:
        return None
    multiple = float(array[0, 0])
    return multiple if np.array_equal(array, multiple * np.eye(array.shape[0])) else None


def _is_short(array: np.ndarray) -> bool:
    if not 0 < array.size <= INLINE_ENTRIES or array.ndim > 2:
        return False
    return sum(len(repr(float(v)).removesuffix(".0")) for v in array.flat) <= INLINE_CHARACTERS
