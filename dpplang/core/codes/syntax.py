"""Codes SYN0xx."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

SYNTAX_CODES: tuple[CodeInfo, ...] = ()
