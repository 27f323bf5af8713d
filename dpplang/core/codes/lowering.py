"""Codes BND74x: what turns out when sizes and data are bound."""

from __future__ import annotations

from dpplang.core.codes.info import CodeInfo

LOWERING_CODES: tuple[CodeInfo, ...] = (
    CodeInfo(
        "BND740",
        "an index leaves its axis at these sizes",
        "What can be decided without sizes is decided when the program is checked; this index is out of range for the sizes that were bound, or a slice is.",
    ),
    CodeInfo(
        "BND741",
        "an extremum over nothing",
        "`max` and `min` over an index set need at least one member; at these sizes the ranges and the condition leave none.",
    ),
    CodeInfo(
        "BND742",
        "a coefficient that is no number",
        "Constants and data gave NaN or infinity where the problem needs a number: a logarithm of a negative number, a division by zero. Infinite bounds are allowed where they say nothing, as in `x <= inf`.",
    ),
)
