"""Codes NAM1xx, DCP2xx, DPP3xx, ATM4xx, SHP5xx."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

SEMANTICS_CODES: tuple[CodeInfo, ...] = ()
