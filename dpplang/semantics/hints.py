"""What people of other languages write for a name, a function, an attribute or a set, and what to do here."""

from __future__ import annotations

NAMES = {
    "end": "the last entry is `x[-1]`",
    "axis": "a named argument has a single `=`: `sum(X, axis = 0)`",
    "None": "there are no new axes; `reshape(x, n, 1)` makes a column",
    "newaxis": "there are no new axes; `reshape(x, n, 1)` makes a column",
    "pi": "write the number: 3.141592653589793",
    "e": "`exp(x)` is the exponential; its base is `exp(1)`",
    "infinity": "infinity is `inf`",
    "Inf": "infinity is `inf`",
    "nan": "there is no such number; leave out what is not known",
    "value": "`value` is the optimal value, known when the problem is solved: it can stand only in `return`",
    "lambda": "a function is `func f(x[n]) = …`",
    "I": "the identity matrix is `eye(n)`",
}
INDICES = frozenset("ijklst")
INDEX = "an index is bound by what it runs over: `sum(x[i] for i in n)`, or `name[i in n]: x[i] <= 1`"


def of_name(name: str) -> str | None:
    """What to do where a name is not declared that is one of another language, or an index."""
    return INDEX if name in INDICES else NAMES.get(name)


FUNCTIONS = {
    "range": "write the set itself: `for i in n`, or `for i in 1:n`",
    "len": "a size has a name: the `dim` that the shape is declared with",
    "size": "a size has a name: the `dim` that the shape is declared with",
    "shape": "a size has a name: the `dim` that the shape is declared with",
    "numel": "a size has a name: the `dim` that the shape is declared with",
    "ones_like": "write `ones(n)`, with the sizes of its shape",
    "zeros_like": "write `zeros(n)`, with the sizes of its shape",
    "einsum": "write the products: `x' @ A @ x`, `sum(A * B)`",
    "Variable": "declare it on a line of its own: `var x[n]`",
    "Parameter": "declare it on a line of its own: `param p[n]`",
    "Constant": "write the value itself, or declare `data c[n]`",
    "normal": "there are no distributions: minimize the negative logarithm of the density",
    "int": "every value is a real number",
    "float": "every value is a real number",
    "round": "rounding is not convex",
    "any": "a condition holds for every index of a constraint: `name[i in n]: …`",
    "all": "a constraint holds for every entry, and for every index of `name[i in n]: …`",
    "ReLU": "write `pos(x)`: it is max(x, 0)",
    "sq": "write `square(x)` or `x^2`",
    "prod": "a product of variables is not convex; `geo_mean(x)` and `sum(log(x))` are concave",
}
ATTRIBUTES = {
    "nonnegative": "nonneg", "positive": "pos", "negative": "neg", "nonpositive": "nonpos", "nonNegative": "nonneg",
    "semidefinite": "psd", "PSD": "psd", "NSD": "nsd", "positive_definite": "psd", "hermitian": "symmetric",
    "sym": "symmetric", "diag": "diagonal", "Symmetric": "symmetric", "spd": "psd",
}  # fmt: skip
WHOLE = frozenset({"boolean", "bool", "binary", "integer", "int", "integers"})
WHOLE_NUMBERS = "whole numbers make a problem that is not convex; relaxed, 0 or 1 is `in [0, 1]`"
SETS = {
    "R": "every variable is real: leave the line out",
    "ℝ": "every variable is real: leave the line out",
    "reals": "every variable is real: leave the line out",
    "real": "every variable is real: leave the line out",
    "Z": WHOLE_NUMBERS,
    "integers": WHOLE_NUMBERS,
    "norm_ball": "write `x in ball(1)`, or `norm1(x) <= 1` for another norm",
    "l2_ball": "write `x in ball(1)`",
    "probability_simplex": "write `x in simplex`",
    "interval": "write `x in box(lower, upper)`, or `lower <= x <= upper`",
    "exp": "write `(x, y, z) in exp_cone`, which means y·exp(x/y) ≤ z",
}

LOOKALIKES = str.maketrans("асеорхуіјѕԁһАВЕКМНОРСТХУІαορνΑΒΕΖΗΙΚΜΝΟΡΤΧ", "aceopxyijsdhABEKMHOPCTXYIaopvABEZHIKMNOPTX")
"""Letters of Cyrillic and Greek that look like Latin ones."""


def alphabet(name: str) -> str:
    """The alphabet of a name's first letter beyond ASCII; Latin if there is none."""
    from unicodedata import name as describe

    return next((describe(c, "LATIN").split()[0].capitalize() for c in name if not c.isascii()), "Latin")
