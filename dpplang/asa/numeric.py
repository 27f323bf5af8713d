"""Numeric expressions: what ``derived`` parameters and constants compute, independent of any array framework.

A tree of plain values (serializable as JSON, never code), evaluated by :mod:`dpplang.asa.evaluate` on NumPy, torch or
any other array namespace, with leading batch dims. All sizes are integers here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Option: TypeAlias = "int | float | bool | str | tuple[Option, ...] | None"


@dataclass(frozen=True, slots=True)
class Numeric:
    """One operation.

    Attributes:
        op: ``ref`` (option ``name``), ``const`` (option ``value``: a number or nested tuples), or a name of the numeric
            library (docs/language.md, "The numeric library").
        args: operands.
        shape: shape of the result without batch dims.
        options: static arguments, as (name, value).
    """

    op: str
    args: tuple[Numeric, ...] = ()
    shape: tuple[int, ...] = ()
    options: tuple[tuple[str, Option], ...] = ()

    def option(self, name: str, default: Option = None) -> Option:
        return dict(self.options).get(name, default)
