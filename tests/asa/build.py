"""Numeric expressions written short."""

from __future__ import annotations

from dpplang.asa.numeric import Numeric, Option


def ref(name: str, *shape: int) -> Numeric:
    return Numeric("ref", (), shape, (("name", name),))


def const(value: Option, *shape: int) -> Numeric:
    return Numeric("const", (), shape, (("value", value),))


def op(name: str, *args: Numeric, shape: tuple[int, ...] = (), **options: Option) -> Numeric:
    return Numeric(name, args, shape, tuple(options.items()))
