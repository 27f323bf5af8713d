"""Codes DIF6xx, BND7xx, SOL8xx, ICE9xx."""

from __future__ import annotations

from dpplang.core.codes.binding import BINDING_CODES
from dpplang.core.codes.info import CodeInfo
from dpplang.core.codes.solving import SOLVING_CODES

RUNTIME_CODES: tuple[CodeInfo, ...] = (*BINDING_CODES, *SOLVING_CODES)
