"""Bounds that keep parsing and everything behind it within time, memory and recursion, whatever the file."""

MAX_CHARACTERS = 1_000_000
MAX_BRACKETS = 100  # brackets open at once
MAX_DEPTH = 150  # nodes between an expression's root and its leaves: `a + b + … ` of 150 terms, `((…))` of any kind
MAX_ERRORS = 100  # errors reported for one file
MAX_MENDS = 3  # mistakes mended in one item
MAX_PATIENCE = 500  # errors after which none is explained or mended any more: they would not be shown
