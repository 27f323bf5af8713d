"""Variables and parameters with what was declared of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dpplang.convert import nodes
from dpplang.convert.names import Names, own_name
from dpplang.convert.refusal import Refusal
from dpplang.syntax import ast

WORDS = {
    "nonneg": "nonneg",
    "nonpos": "nonpos",
    "pos": "pos",
    "neg": "neg",
    "symmetric": "symmetric",
    "PSD": "psd",
    "NSD": "nsd",
    "diag": "diagonal",
}
"""CVXPY's attributes and ours."""

FOREIGN = {
    "complex": ("a complex variable", "write its real and imaginary parts as two variables"),
    "imag": ("an imaginary variable", "write its real and imaginary parts as two variables"),
    "hermitian": ("a Hermitian variable", "write the real symmetric matrix [[Re, −Im], [Im, Re]]"),
    "boolean": ("a Boolean variable", "solutions of integer programs have no derivative: relax it to bounds=[0, 1]"),
    "integer": ("an integer variable", "solutions of integer programs have no derivative: relax it to a real one"),
}


SIGNS = frozenset({"nonneg", "nonpos", "pos", "neg"})
"""Attributes that a stack of leaves has if each of them has it."""


@dataclass(frozen=True)
class Several:
    """Leaves of a list, declared as one with a leading axis: ``xs[i]`` is ``members[i]``."""

    members: tuple[Any, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self.members), *self.members[0].shape)

    @property
    def attributes(self) -> dict[str, Any]:
        return self.members[0].attributes


def families(given: Mapping[str, Any], present: Iterable[Any]) -> dict[int, tuple[str, Several, int]]:
    """Which leaves are members of a list that the caller has a name for: leaf → name, list, position.

    Only of lists that are one array: of variables or of parameters, all of one shape and sign, all in the problem.
    """
    inside, found = {id(leaf) for leaf in present}, {}
    for word, thing in given.items():
        members = tuple(thing) if isinstance(thing, list | tuple) else ()
        ids = [id(m) for m in members]
        if len(members) < 2 or len(set(ids)) < len(ids) or not inside.issuperset(ids) or found.keys() & set(ids):
            continue
        kinds = {(type(m).__name__, tuple(m.shape), _declared(m)) for m in members}
        if len(kinds) == 1 and set(_declared(members[0])) <= SIGNS:
            several = Several(members)
            found |= {i: (word, several, place) for place, i in enumerate(ids)}
    return found


def _declared(leaf: Any) -> tuple[str, ...]:
    """The attributes that a leaf was given."""
    return tuple(word for word, value in leaf.attributes.items() if value is not None and value is not False)


class Leaves:
    """The variables and parameters of one program, by identity, in order of declaration."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[int, str] = {}
        self.families: dict[int, tuple[str, Several, int]] = {}
        self._promised: dict[str, list[str]] = {}
        self.variables: dict[str, Any] = {}
        self.parameters: dict[str, Any] = {}
        self.introduced: list[tuple[str, tuple[int, ...]]] = []
        self.partial: list[tuple[str, str, np.ndarray]] = []

    def node(self, leaf: Any) -> ast.Expr:
        """A variable or parameter where it is used."""
        if id(leaf) not in self.families:
            return nodes.name(self.name(leaf))
        return nodes.index(nodes.name(self.name(leaf)), nodes.number(self.families[id(leaf)][2]))

    def name(self, leaf: Any) -> str:
        """The name that a variable or parameter is declared under, given when it is first asked for."""
        own, whole = None, leaf
        if id(leaf) in self.families:
            own, whole, _ = self.families[id(leaf)]
        word = self._known.get(id(whole))
        if word is None:
            kind = "x" if is_variable(leaf) else "p"
            own = own or own_name(leaf)
            word = self._names.for_(whole, own, kind.upper() if len(leaf.shape) > 1 else kind)
            self._known[id(whole)] = word
            self._names.things[word] = list(whole.members) if isinstance(whole, Several) else whole
            (self.variables if is_variable(leaf) else self.parameters)[word] = whole
        return word

    def promise(self, leaf: Any, attribute: str) -> None:
        """Declare of a parameter what a wrapper such as ``psd_wrap`` promises of it."""
        if id(leaf) not in self.families:
            self._promised.setdefault(self.name(leaf), []).append(attribute)

    def fresh(self, shape: tuple[int, ...]) -> str:
        """A new variable that stands for an expression."""
        word = self._names.fresh("Z" if len(shape) > 1 else "z")
        self.introduced.append((word, shape))
        return word

    def attributes(self, word: str, bound: Callable[[Any], ast.Expr]) -> tuple[ast.Attribute, ...]:
        """The attributes of a declaration.

        Args:
            bound: writes a bound, given as CVXPY keeps it.

        Raises:
            Refusal: there is no such attribute here.
        """
        leaf = self.variables.get(word)
        leaf = self.parameters[word] if leaf is None else leaf
        given = leaf.attributes
        for attribute, (what, instead) in FOREIGN.items():
            whole = attribute in ("boolean", "integer")  # what a parameter's value happens to be
            value = given.get(attribute)
            if value is False or value is None or (whole and not is_variable(leaf)):
                continue
            kind = what if is_variable(leaf) else what.replace("variable", "parameter")
            raise Refusal(kind, instead, code="CVX901" if whole else "CVX902")
        found = [ours for theirs, ours in WORDS.items() if given.get(theirs)]
        found += [w for w in self._promised.get(word, ()) if w not in found]
        if "psd" in found or "nsd" in found:
            found = [w for w in found if w != "symmetric"]
        made = [nodes.attribute(w) for w in found]
        if given.get("sparsity"):
            mask = np.zeros(leaf.shape)
            mask[tuple(np.asarray(axis) for axis in leaf.sparse_idx)] = 1
            made.append(nodes.attribute("sparse", bound(mask)))
        if given.get("bounds") is not None:
            made += self._bounds(leaf, given["bounds"], bound, found)
        elif not is_variable(leaf) and given.get("boolean") is True and "nonneg" not in found:
            made.append(nodes.attribute("nonneg"))
        return tuple(made)

    def _bounds(
        self, leaf: Any, bounds: Sequence[Any], bound: Callable[[Any], ast.Expr], found: Sequence[str]
    ) -> list[ast.Attribute]:
        """``in [lo, hi]`` of a variable; a parameter's bounds say its sign at most."""
        lower, upper = (b.toarray() if hasattr(b, "toarray") else b for b in bounds)
        if is_variable(leaf):
            lower, upper = self._finite(leaf, ">=", lower, -np.inf), self._finite(leaf, "<=", upper, np.inf)
        signs = {"nonneg": _all(lower, lambda v: v >= 0), "nonpos": _all(upper, lambda v: v <= 0)}
        if not is_variable(leaf):
            return [nodes.attribute(w) for w, holds in signs.items() if holds and w not in found]
        open_below, open_above = _all(lower, lambda v: v == -np.inf), _all(upper, lambda v: v == np.inf)
        if open_below and open_above:
            return []
        if open_above and _all(lower, lambda v: v == 0):
            return [] if "nonneg" in found else [nodes.attribute("nonneg")]
        if open_below and _all(upper, lambda v: v == 0):
            return [] if "nonpos" in found else [nodes.attribute("nonpos")]
        low = nodes.negated(nodes.name("inf")) if open_below else bound(lower)
        high = nodes.name("inf") if open_above else bound(upper)
        return [nodes.attribute("in", low, high)]

    def _finite(self, leaf: Any, op: str, bound: Any, none: float) -> Any:
        """A bound; one that is infinite for some entries alone becomes constraints on the others."""
        if not isinstance(bound, np.ndarray) or np.all(np.isfinite(bound)) or np.all(bound == none):
            return bound
        self.partial.append((self.name(leaf), op, bound))
        return np.array(none)


def is_variable(leaf: Any) -> bool:
    return type(leaf.members[0] if isinstance(leaf, Several) else leaf).__name__ == "Variable"


def _all(bound: Any, holds: Callable[[np.ndarray], Any]) -> bool:
    """Whether a bound is numbers of which this holds."""
    return isinstance(bound, np.ndarray | float | int) and bool(np.all(holds(np.asarray(bound))))
